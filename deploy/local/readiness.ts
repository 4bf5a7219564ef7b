import type { Deployment } from './deployment.ts';
import { lastLines } from './log-file.ts';
import type { Pod } from './pod.ts';
import { pause } from './wait.ts';

/** A container that ended this often before its pod was ever ready will not become ready by waiting. */
const hopelessRestarts = 4;

/** What a line of a log says that is not easily understood, and what to do about it. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /inotify_fd_ >= 0/,
    'Envoy got no inotify instance: end what else takes them (another mesh: make down), or allow more: sudo sysctl fs.inotify.max_user_instances=512',
  ],
  [
    /unable to add filesystem watch/,
    'Envoy could not watch a file: allow more: sudo sysctl fs.inotify.max_user_watches=65536 fs.inotify.max_user_instances=512',
  ],
  [/Too many open files|EMFILE/, 'A process could open no more files: allow more: ulimit -n 4096'],
];
/** The lines of a backtrace, which say nothing to who starts a mesh, and would hide what does. */
const BACKTRACE = /\[backtrace\]|stacktrace for envoy bug|(^|\] )\s*#\d+:? |^\s+at /;

/** How many of a log's last lines are looked through for those, and how many are shown. */
const SEARCHED = 200;
const SHOWN = 12;

/** The first container that cannot start, when there is one. */
export function hopeless(deployments: readonly Deployment[]): boolean {
  return pods(deployments).some(
    pod => !pod.ready && pod.containers.some(({ restarts, ready }) => !ready && restarts >= hopelessRestarts),
  );
}

/**
 * Why the mesh is not ready: each container that is not, with its last lines of log (the first three containers only), and at the end,
 * which is what a reader sees first, what helps.
 */
export function whyNotReady(deployments: readonly Deployment[]): string {
  const waiting = pods(deployments).filter(pod => !pod.ready && !pod.terminating);
  const containers = waiting.flatMap(pod =>
    pod.containers.filter(({ ready }) => !ready).map(container => ({ pod, container })),
  );
  const hints = new Set<string>();
  const shown = containers.slice(0, 3).map(({ pod, container }) => {
    const { restarts, lastExit, logFile } = container;
    const life = lastExit === undefined ? 'runs but is not ready' : `ended with ${lastExit}, ${restarts} restarts`;
    const searched = lastLines(logFile, SEARCHED);
    for (const [sign, hint] of HINTS) if (searched.some(line => sign.test(line))) hints.add(hint);
    const told = searched.filter(line => !BACKTRACE.test(line)).slice(-SHOWN);
    const lines = told.map(line => `    ${line.slice(0, 300)}`);
    return [`${pod.name}/${container.name} ${life}. Its last lines (${logFile}):`, ...lines].join('\n');
  });
  const more = containers.length > shown.length ? [`and ${containers.length - shown.length} more containers`] : [];
  return [
    waiting.length === 1 ? '1 pod is not ready' : `${waiting.length} pods are not ready`,
    ...shown,
    ...more,
    ...hints,
  ].join('\n');
}

/** Reports `n/m ready`, now and at each change, until the signal is aborted. */
export async function reportReadiness(
  deployments: readonly Deployment[],
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let last = ''; ; ) {
    const ready = pods(deployments).filter(pod => pod.ready).length;
    const desired = deployments.reduce((sum, { object }) => sum + (object.spec.replicas ?? 1), 0);
    const line = `${ready}/${desired} ready`;
    if (line !== last) report(line);
    last = line;
    if (signal.aborted) return;
    await pause(100, signal).catch(() => {});
  }
}

const pods = (deployments: readonly Deployment[]): Pod[] => deployments.flatMap(deployment => [...deployment.pods]);
