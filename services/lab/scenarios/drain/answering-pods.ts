import type { Metadata } from '@grpc/grpc-js';
import { pause } from '../../../kit/pause.ts';
import type { PodSummary } from '../../control.ts';
import { chosenPod } from '../../mesh.ts';

/** How long to wait at most, in milliseconds, until every pod has answered a call. */
const KNOWN_MS = 10_000;

/** Sees which pods answer calls. */
export interface AnsweringPods {
  /** Takes the metadata of an answer. */
  note(answer: Metadata): void;
  /** Forgets who has answered until now, and resolves when each of these pods has, or after ten seconds. */
  known(pods: readonly PodSummary[], signal: AbortSignal): Promise<void>;
  /** The addresses of those that have answered since the last {@link known} began. */
  addresses(): ReadonlySet<string>;
}

/** Begins to look. */
export function answeringPods(): AnsweringPods {
  let answering = new Set<string>();
  return {
    note: answer => answering.add(chosenPod(answer)),
    async known(pods, signal) {
      answering = new Set();
      const giveUpAt = performance.now() + KNOWN_MS;
      while (!pods.every(({ address }) => answering.has(address)) && performance.now() < giveUpAt) await pause(100, signal);
    },
    addresses: () => new Set(answering),
  };
}
