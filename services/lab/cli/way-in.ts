import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { CliError } from './complain.ts';
import { type Cluster, refusal } from './local-cluster.ts';
import { forwardPort, type PortForward } from './port-forward.ts';

/** Where the edge is when `make up` or a cluster of deploy/kind.yaml runs on this machine. */
export const LOCAL_EDGE = '127.0.0.1:8080';

/** The edge in a cluster, and the namespace that `make install` installs into. */
const EDGE = { target: 'service/edge', port: 8080, namespace: 'telltale' };

/** How long who listens on this machine may take to take a connection, and kubectl to answer, in milliseconds. */
const ANSWER_MS = 1000;
const KUBECTL_MS = 10_000;

/** What the command line has said of where the edge is. */
export interface Wanted {
  readonly address?: string | undefined;
  /** Of kubectl's cluster. */
  readonly namespace?: string | undefined;
}

/**
 * Finds the edge: where it was said to be, else on this machine, else, when nobody listens there, in the cluster that kubectl points
 * at, if that is a local one with the release in its usual namespace. `say` is told of that last step, which nobody has asked for.
 * An edge that cannot be found is taken to be on this machine. Dispose of what it returns.
 *
 * @throws CliError when there is no edge in the namespace that was asked for
 */
export async function findWayIn(
  { address, namespace }: Wanted,
  say: (line: string) => void,
  local: string = LOCAL_EDGE,
): Promise<PortForward> {
  const by = (found: string): PortForward => ({ address: found, [Symbol.dispose]: () => {} });
  if (namespace !== undefined) {
    return await forwardPort(namespace, EDGE.target, EDGE.port).catch((error: Error) => {
      throw new CliError(error.message, 1);
    });
  }
  if (address !== undefined) return by(address);
  if (await listens(local)) return by(local);
  const cluster = await currentCluster();
  if (!cluster || refusal(cluster, undefined) !== undefined) return by(local);
  try {
    const forward = await forwardPort(EDGE.namespace, EDGE.target, EDGE.port);
    say(`nobody listens at ${local}; by a port forward to namespace ${EDGE.namespace} of ${cluster.context}`);
    return forward;
  } catch {
    return by(local); // there is no release
  }
}

async function listens(address: string): Promise<boolean> {
  const [host = '', port] = address.split(':');
  const socket = connect(Number(port), host);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(ANSWER_MS) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The cluster that kubectl points at; undefined when there is no kubectl, or it points at none. */
async function currentCluster(): Promise<Cluster | undefined> {
  const args = ['config', 'view', '--minify', '-o', 'json'];
  const answer = await promisify(execFile)('kubectl', args, { timeout: KUBECTL_MS }).catch(() => undefined);
  const config = JSON.parse(answer?.stdout || '{}') as {
    'current-context'?: string;
    clusters?: { cluster: { server?: string } }[];
  };
  const [context, server] = [config['current-context'], config.clusters?.[0]?.cluster.server];
  return context && server ? { context, server } : undefined;
}
