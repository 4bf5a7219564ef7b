/** A point in time in milliseconds since the epoch, as grpc-js takes it; `Infinity` when a call has none. */
export type Deadline = number;

/**
 * What a hop keeps of the caller's budget for the way back, in milliseconds: about what two proxies cost. The callee gives
 * up this much earlier than the caller, so that its status arrives as an answer and not as a reset, and so that the budget
 * seen falls strictly from hop to hop.
 */
export const HOP_RESERVE_MS = 2;

/**
 * How long before its deadline a call that the caller resets still counts as expired, in milliseconds. Every hop starts
 * its own timer when the request arrives, so the caller's fires first by the time that the request took, and the reset of an
 * expired call can overtake the callee's timer. On the wire such a reset is the same as a cancellation.
 */
export const EXPIRY_TOLERANCE_MS = 20;

/** The longest time that one setTimeout can wait, in milliseconds; above it grpc-js's timers overflow and fire at once. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** The deadline that lies `ms` milliseconds from now. Throws a RangeError unless `ms` is finite and not negative. */
export function deadlineIn(ms: number): Deadline {
  if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`deadlineIn takes milliseconds from 0, not ${ms}`);
  return Date.now() + Math.min(ms, MAX_TIMEOUT_MS);
}

/** What is left until the deadline in milliseconds, never below 0; `Infinity` when there is no deadline. */
export function remainingMs(deadline: Deadline): number {
  return Math.max(0, deadline - Date.now());
}

/** The deadline of a call made while serving another one: the parent's less {@link HOP_RESERVE_MS}, or `own` when tighter. */
export function childDeadline(parent: Deadline, own: Deadline = Infinity): Deadline {
  return Math.min(parent - HOP_RESERVE_MS, own);
}

/** Whether a call that ended now without an answer ended because of its deadline, and not because the caller cancelled it. */
export function hasExpired(deadline: Deadline): boolean {
  return deadline - Date.now() <= EXPIRY_TOLERANCE_MS;
}

/** A number of milliseconds as google.protobuf.Duration, the form of a time-out that grpc-js's service config reads right. */
export function durationOf(ms: number): { seconds: number; nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

const UNIT_MS = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 } as const;

/**
 * Reads a `grpc-timeout` header as the gRPC over HTTP/2 specification defines it: 1 to 8 digits and a unit, nothing else.
 *
 * @returns milliseconds, at most {@link MAX_TIMEOUT_MS}; undefined when the value is malformed
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests
 */
export function parseGrpcTimeout(value: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(value);
  if (!match) return undefined;
  const unit = UNIT_MS[match[2] as keyof typeof UNIT_MS];
  return Math.min(Number(match[1]) * unit, MAX_TIMEOUT_MS);
}
