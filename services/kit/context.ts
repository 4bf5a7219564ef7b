import type { CallOptions, Metadata } from '@grpc/grpc-js';
import type { Deadline } from './deadline.ts';
import type { Experiment } from './experiment.ts';

/** grpc-js's own object for a call that is being served; calls made meanwhile take it as their parent. */
export type ServerCall = NonNullable<CallOptions['parent']>;

/** What a handler knows of its call. */
export interface CallContext {
  /** The short name of the service: "users". */
  readonly service: string;
  /** The name of the method: "GetUser". */
  readonly method: string;
  /**
   * Aborted when the call ends before the handler has answered; its reason is an RpcError, CANCELLED or DEADLINE_EXCEEDED.
   * Everything that waits takes it.
   */
  readonly signal: AbortSignal;
  /** The point in time at which the caller gives up; Infinity when the call brought none. */
  readonly deadline: Deadline;
  /** What is left until the deadline, in milliseconds, never below 0. */
  remainingMs(): number;
  /** The metadata of the request. */
  readonly metadata: Metadata;
  /** The other end of the connection, "address:port". */
  readonly peer: string;
  /** The experiment that the request carries. */
  readonly experiment: Experiment;
  /** grpc-js's own call. */
  readonly call: ServerCall;
}
