import { UserServiceService } from '../../../../proto/gen/telltale/users/v1/user.ts';
import { type Client, createClient } from '../../../kit/client.ts';
import { meshCredentials } from '../../../kit/mesh-credentials.ts';
import { serviceName } from '../../../kit/method.ts';
import type { Control } from '../../control.ts';
import type { Ways } from '../../mesh.ts';

const { short } = serviceName(UserServiceService);

/** Where the pods of a service are called by others. */
const PORT = 50_051;

/** What follows a service's name in that of its L4 Service: templates/experiments.yaml. */
const L4_SUFFIX = '-l4';

/** How a channel chooses among the addresses that it has, by grpc-js's names: the first that answers, which is its default, or each in turn. */
export type Choosing = 'pick_first' | 'round_robin';

/** Channels to users past the lab's own sidecar, for controls that show what it does. Dispose of what they return. */
export interface DirectUsers {
  /**
   * A channel to all pods that are ready: in a cluster by the name that DNS knows them by, locally, where there is no DNS, by the
   * addresses that the Kubernetes API says now.
   */
  toPods(choosing: Choosing, signal: AbortSignal): Promise<Client<typeof UserServiceService>>;
  /** A channel to the one address that stands for all pods, in a cluster: the kernel chooses a pod for each connection. */
  toL4Service(): Client<typeof UserServiceService>;
}

/** What {@link directUsers} needs. */
export interface DirectUsersOptions extends Pick<Ways, 'mode' | 'identity'> {
  readonly control: Pick<Control, 'pods'>;
  /** Default 50051. */
  readonly port?: number;
}

/** Makes channels that go to users, and to nobody else. By TLS only users can answer. */
export function directUsers({ mode, identity, control, port = PORT }: DirectUsersOptions): DirectUsers {
  const connect = (address: string, choosing: Choosing) =>
    createClient(UserServiceService, {
      address,
      ownConnection: true,
      serviceConfig: { loadBalancingConfig: [{ [choosing]: {} }], methodConfig: [] },
      // read for each channel, as it is renewed while the lab runs
      ...(identity !== '' && { credentials: meshCredentials(identity)(short) }),
    });
  return {
    async toPods(choosing, signal) {
      if (mode === 'cluster') return connect(`dns:///${short}:${port}`, choosing);
      const pods = (await control.pods(short, signal)).filter(({ ready, terminating }) => ready && !terminating);
      return connect(`ipv4:${pods.map(({ address }) => `${address}:${port}`).join()}`, choosing);
    },
    toL4Service: () => connect(`dns:///${short}${L4_SUFFIX}:${port}`, 'pick_first'),
  };
}
