// A lab with a scenario more, which has one pod of users more than there are while it runs, and shows nothing.
import { deadlineIn } from '../../services/kit/deadline.ts';
import { loadCatalog } from '../../services/lab/catalog.ts';
import { loadParameters } from '../../services/lab/parameters.ts';
import { withPods } from '../../services/lab/rollouts.ts';
import { type AnyScenario, type Arm, defineScenario } from '../../services/lab/scenario.ts';
import { serveLab } from '../../services/lab/serve-lab.ts';

const parameters = loadParameters({ rate: 20, seconds: 20, repetitions: 2 });

const arm = <const Name extends string>(name: Name, ms: number): Arm<typeof parameters, 'ms', Name> => ({
  name,
  title: 'calls users while it has three pods',
  run: ({ mesh, control, signal, load }) =>
    withPods(control, 'users', 3, signal, async () => {
      const steps = [{ service: 'users', waitMs: 500 }];
      await load({
        hops: ['GetUser'],
        call: ({ signal, metadata }) =>
          mesh.users.getUser({ id: 1 }, { deadline: deadlineIn(5000), signal, metadata: metadata(steps) }),
      });
      return { ms };
    }),
});

const scaling = defineScenario({
  name: 'scaling',
  claim: { says: 'Pods come and go', by: 'the tests of the local run' },
  describe: { question: 'Do they?', method: 'They are counted.', reading: 'More is more.', limits: ['Everything else.'] },
  parameters,
  figures: { ms: { title: 'Time', unit: 'ms' } },
  arms: [arm('one', 1)],
  controls: [arm('other', 100)],
  headline: { figure: 'ms', arm: 'one', control: 'other' },
  checks: [
    { says: 'one is less', test: ({ one, other }) => ({ passed: Math.max(...one.ms) < Math.min(...other.ms), observed: '' }) },
  ],
});

await serveLab(async mode => new Map([...(await loadCatalog(mode)), ['scaling', scaling as unknown as AnyScenario]]));
