import { status } from '@grpc/grpc-js';
import type { Step } from '../../../../proto/gen/telltale/script/v1/script.ts';
import { deadlineIn } from '../../../kit/deadline.ts';
import type { Bench } from '../../bench.ts';
import { all, atLeast, exactly, inEvery, none, observe } from '../../checks.ts';
import { failedPod } from '../../mesh.ts';
import { CHAIN, orderOf } from '../../orders.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { armBy, defineScenario } from '../../scenario.ts';
import { description } from './description.ts';
import { type Expected, figures, figuresOf, type MEANINGS } from './figures.ts';

/** A deadline that does not matter, in milliseconds. */
const AMPLE_MS = 10_000;
/** How long payments takes where its caller does not wait for it, in milliseconds. */
const LONG_MS = 2000;

const parameters = {
  ...loadParameters({ rate: 20, seconds: 3, repetitions: 2 }),
  patience: integer({
    title: 'When the caller cancels, and its deadline where that passes',
    unit: 'ms',
    default: 300,
    min: 50,
    max: 1500,
  }),
};

interface Cause extends Expected {
  /** What payments is told to do. */
  readonly step: Partial<Step>;
  /** When the caller's deadline passes, and when it cancels, as the parameter `patience` says. */
  readonly expires?: boolean;
  readonly cancels?: boolean;
}

const arm = armBy(async ({ parameters: { patience }, mesh, load }: Bench<typeof parameters>, cause: Cause) => {
  const steps = [{ service: 'payments', method: 'Charge', ...cause.step }];
  const named = new Set<string>();
  const pictures = await load({
    hops: CHAIN,
    call: ({ id, signal, metadata }) => {
      const cancelled = cause.cancels ? AbortSignal.any([signal, AbortSignal.timeout(patience)]) : signal;
      const deadline = deadlineIn(cause.expires ? patience : AMPLE_MS);
      const limits = { deadline, signal: cancelled, metadata: metadata(steps) };
      return mesh.storefront.placeOrder({ order: orderOf(id) }, limits).catch(error => {
        if (failedPod(error) !== '') named.add(id);
        throw error;
      });
    },
  });
  return figuresOf(pictures, cause, named);
});

const fail = (code: status): Partial<Step> => ({ fail: { code, rate: 0 } });
const wait: Partial<Step> = { waitMs: LONG_MS };
// a hop that is reset before its own timer fires cannot tell that from a cancellation
const LATE = ['DEADLINE_EXCEEDED', 'CANCELLED'];
const cause = (code: keyof typeof MEANINGS, step: Partial<Step>, more: Partial<Cause> = {}): Cause => ({
  step,
  code,
  reports: [code],
  ...more,
});

/** Four codes that look alike in a log and ask for four different things. */
export const scenario = defineScenario({
  name: 'failure-codes',
  claim: {
    says: 'The status code tells a caller whose doing a failure was and whether to try again, through every hop',
    by: 'gRPC documentation, guides/status-codes; google.rpc.Code; AIP-193',
  },
  describe: description,
  parameters,
  figures,
  arms: [
    arm('cancelled', 'the caller cancels', cause('CANCELLED', wait, { cancels: true })),
    arm('expired', 'the deadline passes', cause('DEADLINE_EXCEEDED', wait, { expires: true, reports: LATE })),
    arm('unavailable', 'payments answers UNAVAILABLE', cause('UNAVAILABLE', fail(status.UNAVAILABLE))),
    arm('exhausted', 'payments answers RESOURCE_EXHAUSTED', cause('RESOURCE_EXHAUSTED', fail(status.RESOURCE_EXHAUSTED))),
  ],
  controls: [
    arm('opaque', 'payments answers UNKNOWN', {
      step: fail(status.UNKNOWN),
      code: 'INTERNAL',
      reports: ['UNKNOWN', 'INTERNAL'],
    }),
  ],
  headline: { figure: 'decidable', arm: 'unavailable', control: 'opaque' },
  checks: [
    {
      says: 'In every arm, every caller sees exactly the code that was caused, three hops away',
      test: arms => observe`${all(inEvery(arms, 'expected'))}`,
    },
    {
      says: 'Every hop reports it in 99 % of the calls at least',
      test: ({ opaque: _, ...arms }) => observe`${atLeast(0.99, inEvery(arms, 'hops'))}`,
    },
    {
      says: 'The caller’s proxy names the pod that answered wherever a service has failed, and never where the caller cancels',
      test: ({ cancelled, unavailable, exhausted, opaque }) =>
        observe`${all(unavailable.named, exhausted.named, opaque.named)}, and ${none(cancelled.named)}`,
    },
    {
      says: 'Only UNAVAILABLE and RESOURCE_EXHAUSTED say when to try again, and always do',
      test: ({ unavailable, exhausted, ...others }) => {
        const most = none(inEvery(others, 'retryAfter'));
        return observe`${all(unavailable.retryAfter, exhausted.retryAfter)} of these, ${most} of the others`;
      },
    },
    {
      says: 'No proxy repeats what payments has answered itself: one attempt per call',
      test: ({ unavailable, exhausted }) => observe`${exactly(1, Math.max(...unavailable.attempts, ...exhausted.attempts))}`,
    },
    {
      says: 'In the control no caller can tell what to do',
      test: ({ opaque }) => observe`${none(opaque.decidable)}`,
    },
  ],
});
