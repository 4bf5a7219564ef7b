import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { CliError } from './complain.ts';
import { type Cluster, refusal } from './local-cluster.ts';
import { readRunInfo } from './local-run.ts';
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

/** What there is to choose from. */
export interface Surroundings {
  /** The folder of the local run. */
  readonly runDir: string;
  /** Where else an edge may listen on this machine. */
  readonly local: string;
  /** NAMESPACE of the environment, by which `make install` installs: where a mesh in a cluster is looked for. It chooses no cluster. */
  readonly namespace?: string | undefined;
}

/**
 * Finds the edge: where the command line says that it is, else the local run's, else what listens at the usual address of this
 * machine, else, when nobody does, the edge in the cluster that kubectl points at, if that is a local one with the release. `say` is
 * told which one it is wherever there are two, or it is in the cluster though nobody has asked for that. An edge that cannot be found
 * is taken to be on this machine. Dispose of what it returns.
 *
 * @throws CliError when there is no edge in the namespace that was asked for
 */
export async function findWayIn(
  { address, namespace }: Wanted,
  say: (line: string) => void,
  { runDir, local, namespace: exported }: Surroundings,
): Promise<PortForward> {
  const by = (found: string): PortForward => ({ address: found, [Symbol.dispose]: () => {} });
  if (namespace !== undefined) {
    return await forwardPort(namespace, EDGE.target, EDGE.port).catch((error: Error) => {
      throw new CliError(error.message, 1);
    });
  }
  if (address !== undefined) return by(address);
  const usual = exported || EDGE.namespace;
  const { edge } = readRunInfo(runDir) ?? {};
  if (edge !== undefined && (await listens(edge))) {
    const context = await contextWithEdge(usual);
    if (context !== undefined || exported)
      say(`${choice(edge, usual, context)}: make lab NAMESPACE=${usual}, or telltale --namespace ${usual}`);
    return by(edge);
  }
  if (await listens(local)) return by(local);
  const cluster = await localCluster();
  if (cluster === undefined) return by(local);
  try {
    const forward = await forwardPort(usual, EDGE.target, EDGE.port);
    say(`nobody listens at ${local}; by a port forward to namespace ${usual} of ${cluster.context}`);
    return forward;
  } catch {
    return by(local); // there is no release
  }
}

function choice(edge: string, namespace: string, context: string | undefined): string {
  const other = context === undefined ? '(NAMESPACE of the environment)' : `of ${context}`;
  return `asking the local run at ${edge}; to ask namespace ${namespace} ${other} instead`;
}

/** The cluster that kubectl points at when it is a local one. */
async function localCluster(): Promise<Cluster | undefined> {
  const cluster = await currentCluster();
  return cluster === undefined || refusal(cluster, undefined) !== undefined ? undefined : cluster;
}

/** The context of the local cluster that kubectl points at, when it has an edge in this namespace. */
async function contextWithEdge(namespace: string): Promise<string | undefined> {
  const cluster = await localCluster();
  if (cluster === undefined) return undefined;
  const args = ['--namespace', namespace, 'get', EDGE.target, '--output=name', '--request-timeout=2s'];
  const found = await promisify(execFile)('kubectl', args, { timeout: KUBECTL_MS }).catch(() => undefined);
  return found === undefined ? undefined : cluster.context;
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
