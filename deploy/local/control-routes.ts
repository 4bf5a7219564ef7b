import type { Deployment } from './deployment.ts';
import { deploymentObject, listOf, podObject, scaleObject } from './kube-objects.ts';
import { StatusError } from './kube-status.ts';
import { type Labels, matches, namespace } from './manifest.ts';
import { messageOf } from './run-error.ts';

/** A call of the control API. */
export interface ControlCall {
  method: string;
  path: string;
  query: URLSearchParams;
  /** The content type. */
  type: string;
  body: string;
  deployments: ReadonlyMap<string, Deployment>;
}

type Handler = (call: ControlCall, name: string) => unknown;

const core = `/api/v1/namespaces/${namespace}`;
const apps = `/apis/apps/v1/namespaces/${namespace}`;

/** What is answered, by path (`*` is a name) and method. */
const routes: Record<string, Record<string, Handler>> = {
  [`${core}/pods`]: { GET: listPods },
  [`${core}/pods/*`]: { GET: ({ deployments }, name) => podObject(findPod(deployments, name).pod), DELETE: deletePod },
  [`${apps}/deployments`]: {
    GET: ({ deployments }) => listOf('apps/v1', 'Deployment', [...deployments.values()].map(deploymentObject)),
  },
  [`${apps}/deployments/*`]: { GET: ({ deployments }, name) => deploymentObject(find(deployments, name)), PATCH: restart },
  [`${apps}/deployments/*/scale`]: { GET: ({ deployments }, name) => scaleObject(find(deployments, name)), PATCH: scale },
};

/** The object that answers a call; throws a `StatusError` for a call that cannot be answered and a `RunError` for one that is refused. */
export function answer(call: ControlCall): unknown {
  for (const [pattern, methods] of Object.entries(routes)) {
    const match = new RegExp(`^${pattern.replace('*', '([^/]+)')}$`).exec(call.path);
    if (match === null) continue;
    const handler = methods[call.method];
    if (handler === undefined) throw new StatusError(405, `the local run does not answer ${call.method} ${call.path}`);
    return handler(call, match[1] ?? '');
  }
  throw new StatusError(404, `the local run has no resource ${call.path}`);
}

function listPods({ deployments, query }: ControlCall) {
  const selector = selectorOf(query.get('labelSelector') ?? '');
  const pods = [...deployments.values()].flatMap(deployment => deployment.pods);
  return listOf('v1', 'Pod', pods.filter(({ labels }) => matches(selector, labels)).map(podObject));
}

function deletePod({ deployments, query }: ControlCall, name: string) {
  const { pod, deployment } = findPod(deployments, name);
  const grace = query.get('gracePeriodSeconds');
  if (grace !== null && !/^\d{1,6}$/.test(grace)) throw invalid('gracePeriodSeconds', grace, 'a number of seconds');
  deployment.deletePod(name, grace === null ? undefined : Number(grace) * 1000);
  return podObject(pod);
}

function restart(call: ControlCall, name: string) {
  const deployment = find(call.deployments, name);
  const patch = patchOf(call) as { spec?: { template?: { metadata?: { annotations?: Labels } } } };
  const restartedAt: unknown = patch.spec?.template?.metadata?.annotations?.['kubectl.kubernetes.io/restartedAt'];
  if (typeof restartedAt !== 'string') {
    throw new StatusError(422, 'only the annotation kubectl.kubernetes.io/restartedAt of the pod template can be changed');
  }
  deployment.restart(restartedAt);
  return deploymentObject(deployment);
}

function scale(call: ControlCall, name: string) {
  const deployment = find(call.deployments, name);
  const replicas: unknown = (patchOf(call) as { spec?: { replicas?: unknown } }).spec?.replicas;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0 || replicas > 50) {
    throw invalid('spec.replicas', replicas, 'a whole number from 0 to 50');
  }
  deployment.scale(replicas);
  return scaleObject(deployment);
}

function patchOf({ type, body }: ControlCall): object {
  if (!/^application\/(strategic-)?merge-patch\+json\b/.test(type)) {
    throw new StatusError(415, `a patch is application/merge-patch+json, not ${JSON.stringify(type.slice(0, 80))}`);
  }
  let patch: unknown;
  try {
    patch = JSON.parse(body);
  } catch (error) {
    throw new StatusError(400, `the patch is not JSON: ${messageOf(error)}`);
  }
  if (typeof patch !== 'object' || patch === null) throw new StatusError(400, 'the patch is not an object');
  return patch;
}

function selectorOf(text: string): Labels {
  const terms = text.split(',').filter(Boolean);
  return Object.fromEntries(
    terms.map(term => {
      const [, key = '', value = ''] = /^ *([\w./-]+)==?([\w.-]*) *$/.exec(term) ?? [];
      if (key === '') throw new StatusError(400, `labelSelector: ${JSON.stringify(term.slice(0, 80))} is not key=value`);
      return [key, value];
    }),
  );
}

function find(deployments: ReadonlyMap<string, Deployment>, name: string): Deployment {
  const deployment = deployments.get(name);
  if (deployment === undefined) throw new StatusError(404, `deployments.apps ${JSON.stringify(name)} not found`);
  return deployment;
}

function findPod(deployments: ReadonlyMap<string, Deployment>, name: string) {
  for (const deployment of deployments.values()) {
    const pod = deployment.pods.find(each => each.name === name);
    if (pod !== undefined) return { pod, deployment };
  }
  throw new StatusError(404, `pods ${JSON.stringify(name)} not found`);
}

function invalid(field: string, value: unknown, rule: string): StatusError {
  return new StatusError(422, `${field}: ${JSON.stringify(value)?.slice(0, 80)} is not ${rule}`);
}
