import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A port of a cluster brought to this machine, until it is disposed of. */
export interface PortForward extends Disposable {
  /** "127.0.0.1:port". */
  readonly address: string;
}

/**
 * Brings a port of something ("service/edge", "pod/users-1") in the cluster that kubectl points at to a free port of 127.0.0.1.
 *
 * @throws Error with what kubectl said when it cannot, or that there is no kubectl
 */
export async function forwardPort(namespace: string, target: string, port: number): Promise<PortForward> {
  const args = ['--namespace', namespace, 'port-forward', target, `:${port}`];
  const forwarding = spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  forwarding.stderr.on('data', text => {
    said = `${said}${text}`.slice(-1000);
  });
  // not at its exit, when what it said may still be on its way
  const problem = once(forwarding, 'close').then(
    () => said.trim() || 'kubectl ended',
    (error: Error) => `kubectl cannot be run: ${error.message}; see https://kubernetes.io/docs/tasks/tools/`,
  );
  const line = createInterface(forwarding.stdout)[Symbol.asyncIterator]().next();
  const [, free] = /:(\d+) ->/.exec((await Promise.race([line, problem.then(() => ({ value: '' }))])).value ?? '') ?? [];
  if (!free) throw new Error(`port ${port} of ${target} cannot be brought here: ${await problem}`);
  return { address: `127.0.0.1:${free}`, [Symbol.dispose]: () => forwarding.kill() };
}
