import { status } from '@grpc/grpc-js';
import type { Step } from '../../../../proto/gen/telltale/script/v1/script.ts';
import { deadlineIn } from '../../../kit/deadline.ts';
import { type CallPicture, hopsOf } from '../../call-picture.ts';
import { all, atLeast, exactly, none, observe } from '../../checks.ts';
import { quantile, share } from '../../measure/statistics.ts';
import { failedPod } from '../../mesh.ts';
import { orderOf } from '../../orders.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { type Arm, defineScenario } from '../../scenario.ts';

/** The hops of PlaceOrder that depend on payments, from the outside in. */
const CHAIN = ['PlaceOrder', 'CreateOrder', 'Charge'] as const;
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

/** What a code says to who gets it: whose doing it was, and what to do. */
const MEANINGS = {
  CANCELLED: 'the caller’s own doing: nobody waits, do not repeat',
  DEADLINE_EXCEEDED: 'too late for this caller: repeat only with more time, the outcome is not known',
  UNAVAILABLE: 'nobody’s fault: repeat the same call after a moment',
  RESOURCE_EXHAUSTED: 'the callee has too much to do: repeat less, and after the time that it says',
} as const;

type Code = keyof typeof MEANINGS;
type Figure = 'expected' | 'decidable' | 'hops' | 'named' | 'retryAfter' | 'attempts' | 'answeredP50';

interface Cause {
  /** What payments is told to do. */
  readonly step: Partial<Step>;
  /** When the caller's deadline passes, and when it cancels, as the parameter `patience` says. */
  readonly expires?: boolean;
  readonly cancels?: boolean;
  /** What the caller shall see, and what each hop may report. */
  readonly code: string;
  readonly reports: readonly string[];
}

const fail = (code: status): Partial<Step> => ({ fail: { code, rate: 0 } });
const wait: Partial<Step> = { waitMs: LONG_MS };
// a hop that is reset before its own timer fires cannot tell that from a cancellation
const LATE = ['DEADLINE_EXCEEDED', 'CANCELLED'];

function arm<const Name extends string>(name: Name, title: string, cause: Cause): Arm<typeof parameters, Figure, Name> {
  return {
    name,
    title,
    async run({ parameters: { patience }, mesh, load }) {
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
    },
  };
}

/** The figures of one repetition of calls that fail for this cause; of those `named`, by id, the proxy said which pod had answered. */
export function figuresOf(
  pictures: readonly CallPicture[],
  { code, reports }: Pick<Cause, 'code' | 'reports'>,
  named: ReadonlySet<string>,
): Record<Figure, number> {
  const hops = pictures.flatMap(picture => CHAIN.flatMap(method => hopsOf(picture, method)));
  return {
    expected: share(pictures, ({ status }) => status === code),
    decidable: share(pictures, ({ status }) => status in MEANINGS),
    hops: share(hops, ({ status }) => reports.includes(status)),
    named: share(pictures, ({ id }) => named.has(id)),
    retryAfter: share(pictures, ({ retryAfterMs }) => retryAfterMs !== undefined),
    attempts: Math.max(...pictures.map(picture => hopsOf(picture, 'Charge').length)),
    answeredP50: quantile(
      pictures.map(({ begunAt, endedAt }) => endedAt - begunAt),
      0.5,
    ),
  };
}

const cause = (code: Code, step: Partial<Step>, more: Partial<Cause> = {}): Cause => ({ step, code, reports: [code], ...more });

/** Four codes that look alike in a log and ask for four different things. */
export const scenario = defineScenario({
  name: 'failure-codes',
  claim: {
    says: 'The status code tells a caller whose doing a failure was and whether to try again, through every hop',
    by: 'gRPC documentation, guides/status-codes; google.rpc.Code; AIP-193',
  },
  describe: {
    question: 'Can the outermost caller tell from the code what to do, when the failure is three hops away?',
    method:
      'PlaceOrder goes from storefront to orders to payments, where one thing after the other goes wrong: its caller cancels, its ' +
      'deadline passes, payments answers UNAVAILABLE, payments answers RESOURCE_EXHAUSTED. The first two are real. The last two ' +
      'are told to payments by the request: it has all it needs, and answers as a service does that has not. In the control it ' +
      'answers UNKNOWN, as a service does whose handlers throw what nobody has foreseen.',
    reading: `Three layers are asked: the caller, which code it sees; every service on the way, what it reports; and the caller’s proxy, whether it names a pod that has answered, which it does where a service has failed and not where the caller has given up. ${Object.entries(
      MEANINGS,
    )
      .map(([code, meaning]) => `${code}: ${meaning}`)
      .join('. ')}. In the control the caller gets INTERNAL: a mistake in the program, for a person to look at.`,
    limits: [
      'A service that is away or overloaded in fact: `drain` and `stream-cap` have those.',
      'What each proxy counts and logs of a call: that is in its metrics and access log, which the lab does not read.',
      'Failures of a connection or a process, which proxies repeat before a caller sees them.',
      'Codes that say something of the request (INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION).',
      'Clients that do not look at the code.',
    ],
  },
  parameters,
  figures: {
    decidable: { title: 'Caller can tell what to do', unit: 'share' },
    expected: { title: 'Caller sees the code that was caused', unit: 'share' },
    hops: { title: 'Hops that report it', unit: 'share' },
    named: { title: 'Proxy names the pod that answered', unit: 'share' },
    retryAfter: { title: 'Answer says when to try again', unit: 'share' },
    attempts: { title: 'Attempts at payments per call, most', unit: '' },
    answeredP50: { title: 'Answered after, median', unit: 'ms', latency: true },
  },
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
      test: arms => observe`${all(...Object.values(arms).map(({ expected }) => expected))}`,
    },
    {
      says: 'Every hop reports it in 99 % of the calls at least',
      test: ({ opaque: _, ...arms }) =>
        observe`${atLeast(
          0.99,
          Object.values(arms).flatMap(({ hops }) => hops),
        )}`,
    },
    {
      says: 'The caller’s proxy names the pod that answered wherever a service has failed, and never where the caller cancels',
      test: ({ cancelled, unavailable, exhausted, opaque }) =>
        observe`${all(unavailable.named, exhausted.named, opaque.named)}, and ${none(cancelled.named)}`,
    },
    {
      says: 'Only UNAVAILABLE and RESOURCE_EXHAUSTED say when to try again, and always do',
      test: ({ unavailable, exhausted, ...others }) => {
        const most = none(...Object.values(others).map(({ retryAfter }) => retryAfter));
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
