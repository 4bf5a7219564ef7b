import type { Metadata } from '@grpc/grpc-js';
import type { CallContext, ServerCall } from './context.ts';
import { type Deadline, remainingMs } from './deadline.ts';
import type { Experiment } from './experiment.ts';
import type { LazyAbort } from './lazy-abort.ts';
import type { MethodName } from './method.ts';

/** The context of a call that is served; what a handler may never ask for is made when it asks. */
export class ServedContext implements CallContext {
  readonly call: ServerCall;
  readonly deadline: Deadline;
  readonly experiment: Experiment;
  readonly #name: MethodName;
  readonly #abort: LazyAbort;

  constructor(call: ServerCall, name: MethodName, deadline: Deadline, abort: LazyAbort, experiment: Experiment) {
    this.call = call;
    this.deadline = deadline;
    this.experiment = experiment;
    this.#name = name;
    this.#abort = abort;
  }

  get service(): string {
    return this.#name.short;
  }

  get method(): string {
    return this.#name.method;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get metadata(): Metadata {
    return this.call.metadata;
  }

  get peer(): string {
    return this.call.getPeer();
  }

  remainingMs(): number {
    return remainingMs(this.deadline);
  }
}
