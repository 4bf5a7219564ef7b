import { status } from '@grpc/grpc-js';
import { RpcError } from '../kit/rpc-error.ts';
import { type Control, SERVICES } from './control.ts';
import type { PodLife, PodLives } from './pod-lives.ts';

/** Watches over the pods of all services while a run goes on: one that ends by somebody else spoils what is measured. */
export interface PodGuard {
  /** The control for the run: what it does to pods is no surprise. */
  readonly control: Control;
  /**
   * Looks whether every pod of the look before is still there, with the same processes.
   *
   * @throws RpcError ABORTED that names those that are not, unless the run itself has ended them
   */
  look(signal: AbortSignal): Promise<void>;
}

/** Makes the guard, whose first look has nothing to compare with. */
export function guardPods(control: Control, lives: PodLives): PodGuard {
  let known: readonly PodLife[] = [];
  let ended = new Set<string>();
  let scaled = new Set<string>();
  const look: PodGuard['look'] = async signal => {
    const pods = await lives(signal);
    const lost = known.filter(
      pod =>
        !ended.has(pod.name) && !scaled.has(pod.service) && !pods.some(each => each.name === pod.name && isSame(each, pod)),
    );
    const replicas = await replicasOf(pods);
    // where there are more pods than there shall be, some are about to go
    known = pods.filter(({ service }) => pods.filter(pod => pod.service === service).length === replicas.get(service));
    [ended, scaled] = [new Set(), new Set()];
    if (lost.length > 0) throw spoiled(lost);

    async function replicasOf(of: readonly PodLife[]): Promise<Map<string, number>> {
      const services = SERVICES.filter(service => of.some(pod => pod.service === service));
      return new Map(await Promise.all(services.map(async name => [name, await control.replicas(name, signal)] as const)));
    }
  };
  return {
    control: {
      ...control,
      async killPod(service, pod, signal) {
        ended.add(pod);
        await control.killPod(service, pod, signal);
      },
      async restart(service, signal) {
        for (const { name } of await control.pods(service, signal)) ended.add(name);
        await control.restart(service, signal);
      },
      async scale(service, ...rest) {
        scaled.add(service); // which pods go is not ours to choose
        await control.scale(service, ...rest);
      },
    },
    look,
  };
}

const isSame = (one: PodLife, other: PodLife) => one.restarts === other.restarts;

function spoiled(lost: readonly PodLife[]): RpcError {
  const names = lost.map(({ name, service }) => `${name} of ${service}`).join(', ');
  const message = `${names} ended or was started again in the middle of it, and not by the scenario; run it again`;
  return new RpcError(status.ABORTED, message, { reason: 'POD_LOST' });
}
