import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import type { DeploymentView, PodObject } from './kube-objects.ts';
import { namespace } from './manifest.ts';
import { type RunPaths, socketPath } from './paths.ts';
import { RunError } from './run-error.ts';

/** The calls of the control API that the command line makes; each throws a `RunError` with the server's words. */
export interface ControlClient {
  pods(): Promise<PodObject[]>;
  deployments(): Promise<DeploymentView[]>;
  deployment(name: string): Promise<DeploymentView>;
  restart(name: string): Promise<void>;
  scale(name: string, replicas: number): Promise<void>;
}

/** The client of the run in `paths`. */
export function controlClient({ socket }: RunPaths): ControlClient {
  const apps = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const patch = (path: string, spec: object) => call(socket, 'PATCH', path, { spec });
  return {
    pods: async () => ((await call(socket, 'GET', `/api/v1/namespaces/${namespace}/pods`)) as { items: PodObject[] }).items,
    deployments: async () => ((await call(socket, 'GET', apps)) as { items: DeploymentView[] }).items,
    deployment: async name => (await call(socket, 'GET', `${apps}/${name}`)) as DeploymentView,
    async restart(name) {
      const annotations = { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() };
      await patch(`${apps}/${name}`, { template: { metadata: { annotations } } });
    },
    async scale(name, replicas) {
      await patch(`${apps}/${name}/scale`, { replicas });
    },
  };
}

function call(socket: string, method: string, path: string, body?: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/merge-patch+json' };
    const outgoing = request({ socketPath: socketPath(socket), method, path, headers, timeout: 10_000 }, async response => {
      try {
        const answer: unknown = await json(response);
        if (response.statusCode === 200) resolve(answer);
        else reject(new RunError((answer as { message?: string }).message ?? `the supervisor answered ${response.statusCode}`));
      } catch (error) {
        reject(error);
      }
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 10 s')));
    outgoing.on('error', error =>
      reject(new RunError(`the supervisor does not answer (${error.message}). Try: make down, then make up.`)),
    );
    outgoing.end(body && JSON.stringify(body));
  });
}
