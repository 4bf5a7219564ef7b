import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { repo } from '../local/paths.ts';
import { readAllowList, readDockerfile } from './dockerfile.ts';
import type { Build, KubeObject, Resource, Tiltfile } from './tiltfile.ts';

/** What values.yaml says that a Tiltfile must agree with. */
export interface MeshValues {
  readonly services: { readonly [name: string]: { readonly upstreams: readonly string[] } };
  readonly edge: { readonly upstreams: readonly string[] };
}

/** Everything in which a Tiltfile disagrees with the chart's values, the rendered chart, the Dockerfile, the Makefile or the repository. */
export function problemsOf(tiltfile: Tiltfile, values: MeshValues): string[] {
  return [
    ...workloadProblems(tiltfile, values),
    ...tiltfile.builds.flatMap(build => buildProblems(build)),
    ...imageProblems(tiltfile, values),
    ...tiltfile.resources.flatMap(resource => portProblems(resource, tiltfile.objects)),
    ...localPortProblems(tiltfile.resources),
    ...jobProblems(tiltfile),
    ...localProblems(tiltfile),
  ];
}

/** The kinds of objects that make pods, and the one whose pods come at their own time. */
const WORKLOADS = ['Deployment', 'StatefulSet', 'Job', 'CronJob'];
const isWorkload = ({ kind }: KubeObject) => WORKLOADS.includes(kind);

function workloadProblems({ resources, objects }: Tiltfile, { services, edge }: MeshValues): string[] {
  const parts: MeshValues['services'] = { ...services, edge };
  const workloads = objects.filter(isWorkload).map(({ metadata }) => metadata.name);
  const unlabelled = workloads.filter(name => !resources.some(({ workload, labels }) => workload === name && labels?.length));
  return [
    ...Object.keys(parts).flatMap(name =>
      workloads.includes(name) ? [] : [`${name}: values.yaml has it, the cluster would not`],
    ),
    ...unlabelled.map(name => `${name}: no resource with a label`),
    ...resources.flatMap(({ workload, resource_deps = [] }) => [
      ...[workload, ...resource_deps].filter(name => !workloads.includes(name)).map(name => `${name}: no such workload`),
      ...(parts[workload]?.upstreams ?? [])
        .filter(name => !resource_deps.includes(name))
        .map(name => `${workload}: does not wait for ${name}`),
    ]),
  ];
}

/** `tilt ci` waits until a Job has ended, but for no CronJob; and neither runs because of an edit. */
function jobProblems({ resources, objects }: Tiltfile): string[] {
  const readiness = new Map([
    ['Job', 'succeeded'],
    ['CronJob', 'ignore'],
  ]);
  return objects.flatMap(({ kind, metadata: { name } }) => {
    const wanted = readiness.get(kind);
    const resource = resources.find(({ workload }) => workload === name);
    if (!wanted || !resource) return [];
    return [
      ...(resource.pod_readiness === wanted ? [] : [`${name}: a ${kind} is ready by ${wanted}`]),
      ...(resource.trigger_mode === 'manual' ? [] : [`${name}: runs again at each edit`]),
    ];
  });
}

function buildProblems({ context, dockerfile, target, only, live_update }: Build): string[] {
  const { stages, copies } = readDockerfile(dockerfile);
  const allowed = readAllowList(`${dockerfile}.dockerignore`);
  const synced = live_update.flatMap(step => (step.function === 'sync' ? [step] : []));
  const rebuilding = live_update.flatMap(step => (step.function === 'fall_back_on' ? step.files : []));
  const updated = [...synced.map(({ local_path }) => local_path), ...rebuilding];
  const copied = copies.map(({ from }) => from);
  return [
    ...(stages.includes(target) ? [] : [`${dockerfile}: no stage ${target}`]),
    ...only.filter(path => !existsSync(join(repo, context, path))).map(path => `${path}: does not exist`),
    ...copied.filter(path => !only.includes(path)).map(path => `${path}: copied into the image, but a change is not noticed`),
    ...only.filter(path => !copied.includes(path)).map(path => `${path}: followed, but not copied into the image`),
    ...only.filter(path => !allowed.includes(path)).map(path => `${path}: followed, but kept out of the build's context`),
    ...only.filter(path => !updated.includes(path)).map(path => `${path}: neither synced nor a reason to build again`),
    ...updated.filter(path => !only.includes(path)).map(path => `${path}: part of the live update, but not followed`),
    ...synced.flatMap(({ local_path, remote_path }) =>
      copies.some(({ from, to }) => from === local_path && to === remote_path)
        ? []
        : [`${local_path}: the Dockerfile does not copy it to ${remote_path}`],
    ),
  ];
}

/** Each service must run the image that is built, watch folders that are there, and be allowed to be changed. */
function imageProblems({ builds, objects }: Tiltfile, { services }: MeshValues): string[] {
  return Object.keys(services).flatMap(name => {
    const deployment = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name);
    const [app] = deployment?.spec?.template?.spec.containers ?? [];
    if (!app) return [];
    const watched = (app.command ?? []).flatMap(word => /^--watch-path=(.*)/.exec(word)?.slice(1) ?? []);
    return [
      ...(builds.some(({ ref }) => app.image.startsWith(`${ref}:`)) ? [] : [`${name}: nothing builds its image ${app.image}`]),
      ...(app.command?.at(-1) === `services/${name}/main.ts` ? [] : [`${name}: runs ${app.command?.join(' ')}`]),
      ...(watched.includes(`services/${name}`) ? [] : [`${name}: does not start again when its own files change`]),
      ...watched.filter(path => !existsSync(join(repo, path))).map(path => `${name}: watches ${path}, which does not exist`),
      ...(app.securityContext?.readOnlyRootFilesystem === false ? [] : [`${name}: no file can be copied into it`]),
    ];
  });
}

/** The ports that the chart has a workload listen on: its containers', those of their variables, and those of its Envoy's file. */
function portsOf(workload: string, objects: readonly KubeObject[]): number[] {
  const deployment = objects.find(object => isWorkload(object) && object.metadata.name === workload);
  const { containers = [], initContainers = [] } = deployment?.spec?.template?.spec ?? {};
  const envoy = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === `${workload}-envoy`)?.data?.[
    'envoy.yaml'
  ];
  const listeners = [...(envoy ?? '').matchAll(/port_value: (\d+)/g)];
  const variables = [...containers, ...initContainers].flatMap(({ env = [] }) =>
    env.map(({ value = '' }) => /:(\d+)$/.exec(value)),
  );
  return [
    ...[...containers, ...initContainers].flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort)),
    ...[...listeners, ...variables].map(match => Number(match?.[1])),
  ];
}

function portProblems({ workload, port_forwards = [] }: Resource, objects: readonly KubeObject[]): string[] {
  const ports = portsOf(workload, objects);
  return port_forwards
    .filter(({ container_port }) => !ports.includes(container_port))
    .map(({ container_port }) => `${workload}: forwards ${container_port}, a port on which the chart has nothing listen`);
}

function localPortProblems(resources: readonly Resource[]): string[] {
  const ports = resources.flatMap(({ port_forwards = [] }) => port_forwards.map(({ local_port }) => local_port));
  return ports.filter((port, index) => ports.indexOf(port) !== index).map(port => `${port}: forwarded twice`);
}

/** A button runs a verb of the Makefile, and only when it is pressed. */
function localProblems({ locals }: Tiltfile): string[] {
  const makefile = readFileSync(join(repo, 'Makefile'), 'utf8');
  return locals.flatMap(({ name, cmd: [program, verb, ...rest], auto_init, trigger_mode }) => [
    ...(program === 'make' && rest.length === 0 && makefile.includes(`\n${verb}:`) ? [] : [`${name}: no verb of the Makefile`]),
    ...(auto_init === false && trigger_mode === 'manual' ? [] : [`${name}: runs without being asked for`]),
  ]);
}

/** The paths of a resource's links, each of which whoever listens at `origin` must answer. Throws an `Error` for a link that leads elsewhere. */
export function linkPaths({ links = [] }: Resource, origin: string): string[] {
  return links.map(({ url }) => {
    if (new URL(url).origin !== origin) throw new Error(`${url} does not lead to ${origin}`);
    return posix.normalize(new URL(url).pathname);
  });
}
