import type { Metadata } from '@grpc/grpc-js';
import { deadlineIn } from '../../../kit/deadline.ts';
import { pause } from '../../../kit/pause.ts';
import type { CallPicture } from '../../call-picture.ts';
import { all, atLeast, atMost, observe } from '../../checks.ts';
import type { PodSummary } from '../../control.ts';
import { median, share } from '../../measure/statistics.ts';
import { chosenPod } from '../../mesh.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { killAll, type Replace, type Rollout, restartAll } from '../../rollouts.ts';
import { type Arm, defineScenario } from '../../scenario.ts';

/** Whose pods are replaced. */
const SERVICE = 'users';
/** How long to wait at most, in milliseconds, until every pod has answered a call, before a rollout and after it. */
const KNOWN_MS = 10_000;
/** A deadline that does not matter, in milliseconds. */
const AMPLE_MS = 5000;
/** Proxies would repeat what a killed pod has lost, and nobody would see it. */
const POLICY = 'no-retry';

const parameters = {
  ...loadParameters({ rate: 100, seconds: 25, repetitions: 2 }),
  work: integer({ title: 'How long a call takes', unit: 'ms', default: 1500, min: 0, max: 3000 }),
};

type Figure = 'failed' | 'lost' | 'replaced' | 'took';

const arm = <const Name extends string>(
  name: Name,
  title: string,
  replace: Replace,
  skipDrainWait = false,
): Arm<typeof parameters, Figure, Name> => ({
  name,
  title,
  async run({ parameters: { work }, mesh, control, signal, load }) {
    // more calls are under way than the usual connection carries
    using users = mesh.usersByWide();
    const over = new AbortController();
    // what fails of the two ends the other: no load outlives its run, and no pod is ended for none
    const ended = AbortSignal.any([signal, over.signal]);
    let answering = new Set<string>();
    const replaceUnderLoad = async () => {
      const known = async (pods: readonly PodSummary[]) => {
        answering = new Set();
        const giveUpAt = performance.now() + KNOWN_MS;
        while (!pods.every(({ address }) => answering.has(address)) && performance.now() < giveUpAt) await pause(100, ended);
      };
      await pause(work, ended); // from now on as many calls are under way as there will be
      await known(await control.pods(SERVICE, ended));
      const before = new Set(answering);
      const rollout = await replace(control, SERVICE, ended, known);
      await known(rollout.after);
      return { rollout, answered: { before, after: answering } };
    };
    const loaded = load({
      warmUp: false,
      hops: [], // a pod that is killed takes its records with it; what is asked here is what callers see
      over: over.signal,
      call: ({ n, signal, metadata }) => {
        const steps = [{ service: SERVICE, waitMs: work, skipDrainWait }];
        const limits = { deadline: deadlineIn(AMPLE_MS), signal, metadata: metadata(steps, POLICY) };
        const onMetadata = (answer: Metadata) => answering.add(chosenPod(answer));
        return users.getUser({ id: 1 + (n % 10_000) }, { ...limits, onMetadata });
      },
    });
    loaded.catch(() => over.abort());
    const replaced = replaceUnderLoad().finally(() => over.abort());
    await Promise.allSettled([loaded, replaced]);
    const [pictures, { rollout, answered }] = await Promise.all([loaded, replaced]);
    return figuresOf(pictures, rollout, answered);
  },
});

/** The addresses of the pods that have answered calls before a rollout began, and after it was over. */
export interface Answered {
  readonly before: ReadonlySet<string>;
  readonly after: ReadonlySet<string>;
}

/** The figures of one repetition. */
export function figuresOf(pictures: readonly CallPicture[], rollout: Rollout, answered: Answered): Record<Figure, number> {
  const failed = pictures.filter(({ status }) => status !== 'OK').length;
  const kept = new Set(rollout.after.map(({ name }) => name));
  const old = share(rollout.before, ({ name, address }) => answered.before.has(address) && !kept.has(name));
  const young = share(rollout.after, ({ address }) => answered.after.has(address));
  return { failed, lost: failed / pictures.length, replaced: Math.min(old, young), took: rollout.tookMs / 1000 };
}

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
  describe: {
    question: 'What do callers see when every pod of a service is replaced while they call?',
    method:
      'All pods of users are replaced while calls to it go on. In one arm its Deployment is restarted: each pod says that it does not ' +
      'serve, serves on until its callers have heard of it, lets calls end, and exits. One control is the same but for the ' +
      'wait: each pod says that it does not serve, takes no more calls at once, lets those that it has end, and exits; the calls ' +
      'themselves ask for that (`skip_drain_wait`). In the other each pod is killed, one after the other, when callers know the new ' +
      'one. The proxies’ retries are off in all, for they would hide what is lost.',
    reading:
      'The figure is the number of calls that fail in one rollout. What a killed pod loses is what it was at, and what is sent to it ' +
      'until the callers’ proxies have noticed: the longer calls take and the more there are, the more it is. A pod that only does ' +
      'not wait loses none of those that it has, but what is sent to it after it has stopped listening: graceful is not enough.',
    limits: [
      'Little load: a pod for which no call is under way when it begins to stop waits in the first control, too.',
      'Longer rollouts than a repetition may last (`seconds`): the last check says so.',
      'Retries, by which most of what a killed pod loses can be had back where calls may be repeated.',
      'Streams, and calls that take longer than a pod has to stop.',
      'The edge, and services that call others.',
    ],
  },
  parameters,
  figures: {
    failed: { title: 'Failed calls per rollout', unit: 'calls' },
    lost: { title: 'Share of all calls', unit: 'share' },
    replaced: { title: 'Pods that were replaced under load', unit: 'share' },
    took: { title: 'The rollout took', unit: 's' },
  },
  arms: [arm('ordered', 'the Deployment is restarted, each pod stops in order', restartAll)],
  controls: [
    arm('unwaited', 'the same, but no pod waits until its callers have heard of it', restartAll, true),
    arm('killed', 'each pod is killed', killAll),
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
