import { deadlineIn } from '../../../kit/deadline.ts';
import { pause } from '../../../kit/pause.ts';
import type { Bench } from '../../bench.ts';
import { all, atLeast, atMost, observe } from '../../checks.ts';
import type { PodSummary } from '../../control.ts';
import { median } from '../../measure/statistics.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { killAll, type Replace, restartAll } from '../../rollouts.ts';
import { armBy, defineScenario } from '../../scenario.ts';
import { answeringPods } from './answering-pods.ts';
import { description } from './description.ts';
import { figures, figuresOf } from './figures.ts';

/** Whose pods are replaced. */
const SERVICE = 'users';
/** A deadline that does not matter, in milliseconds. */
const AMPLE_MS = 5000;
/** Proxies would repeat what a killed pod has lost, and nobody would see it. */
const POLICY = 'no-retry';

const parameters = {
  ...loadParameters({ rate: 100, seconds: 25, repetitions: 2 }),
  work: integer({ title: 'How long a call takes', unit: 'ms', default: 1500, min: 0, max: 3000 }),
};

/** How pods are replaced, and whether they stop without waiting until their callers have heard of it. */
interface Way {
  readonly replace: Replace;
  readonly skipDrainWait?: boolean;
}

const arm = armBy(async (bench: Bench<typeof parameters>, { replace, skipDrainWait = false }: Way) => {
  const { work } = bench.parameters;
  const { mesh, control, signal, load } = bench;
  // more calls are under way than the usual connection carries
  using users = mesh.usersByWide();
  const answering = answeringPods();
  const over = new AbortController();
  // what fails of the two ends the other: no load outlives its run, and no pod is ended for none
  const ended = AbortSignal.any([signal, over.signal]);
  const known = (pods: readonly PodSummary[]) => answering.known(pods, ended);
  const replaceUnderLoad = async () => {
    await pause(work, ended); // from now on as many calls are under way as there will be
    await known(await control.pods(SERVICE, ended));
    const before = answering.addresses();
    const rollout = await replace(control, SERVICE, ended, known);
    await known(rollout.after);
    return { rollout, answered: { before, after: answering.addresses() } };
  };
  const loaded = load({
    warmUp: false,
    hops: [], // a pod that is killed takes its records with it; what is asked here is what callers see
    over: over.signal,
    call: ({ n, signal, metadata }) => {
      const steps = [{ service: SERVICE, waitMs: work, skipDrainWait }];
      const limits = { deadline: deadlineIn(AMPLE_MS), signal, metadata: metadata(steps, POLICY) };
      return users.getUser({ id: 1 + (n % 10_000) }, { ...limits, onMetadata: answering.note });
    },
  });
  loaded.catch(() => over.abort());
  const replaced = replaceUnderLoad().finally(() => over.abort());
  await Promise.allSettled([loaded, replaced]);
  const [pictures, { rollout, answered }] = await Promise.all([loaded, replaced]);
  return figuresOf(pictures, rollout, answered);
});

/** At least one call of each rollout fails. */
const failing = (failed: readonly number[]) =>
  observe`${atLeast(1, failed, String)} calls at least, ${String(median(failed))} in the median rollout`;

/** A pod that serves on until nobody sends to it any more loses no call; one that is killed loses what it was at. */
export const scenario = defineScenario({
  name: 'drain',
  claim: {
    says: 'All pods of a service can be replaced under load without one failed call, when each stops in the right order',
    by: 'Kubernetes documentation, “Performing a Rolling Update” (zero downtime); gRPC documentation, guides/server-graceful-stop',
  },
  describe: description,
  parameters,
  // as long as a rollout takes, and enough calls under way that a killed pod loses some
  quick: { local: { rate: 100, seconds: 30 } },
  replacesPods: true,
  figures,
  arms: [arm('ordered', 'the Deployment is restarted, each pod stops in order', { replace: restartAll })],
  controls: [
    arm('unwaited', 'the same, but no pod waits until its callers have heard of it', {
      replace: restartAll,
      skipDrainWait: true,
    }),
    arm('killed', 'each pod is killed', { replace: killAll }),
  ],
  headline: { figure: 'failed', arm: 'ordered', control: 'killed' },
  checks: [
    {
      says: 'In order, no call of any rollout fails',
      test: ({ ordered }) => observe`${atMost(0, ordered.failed, String)} calls`,
    },
    {
      says: 'Killed, at least one call of each rollout fails',
      test: ({ killed }) => failing(killed.failed),
    },
    {
      says: 'Without the wait, at least one call of each rollout fails',
      test: ({ unwaited }) => failing(unwaited.failed),
    },
    {
      says: 'Each rollout was under load: every old pod has answered calls before it and is gone, every new one has after it',
      test: ({ ordered, unwaited, killed }) => observe`${all(ordered.replaced, unwaited.replaced, killed.replaced)}`,
    },
  ],
});
