import { setMaxListeners } from 'node:events';

/** An AbortController whose signal is made when it is first asked for: most calls end before anything has waited for it. */
export class LazyAbort {
  #controller: AbortController | undefined;
  #abortedBy: (() => unknown) | undefined;

  /** The signal; any number of things may listen to it. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      setMaxListeners(0, this.#controller.signal);
      if (this.#abortedBy) this.#controller.abort(this.#abortedBy());
    }
    return this.#controller.signal;
  }

  /** Aborts the signal; its reason is asked for only if somebody wants to know. The first call counts. */
  abort(reason: () => unknown): void {
    if (this.#abortedBy) return;
    this.#abortedBy = reason;
    this.#controller?.abort(reason());
  }

  /** Throws the reason when {@link abort} was called. */
  throwIfAborted(): void {
    if (this.#abortedBy) this.signal.throwIfAborted();
  }
}
