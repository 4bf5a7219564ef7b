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
];
/** How many of a log's last lines are looked through for those, and how many are shown. */
const SEARCHED = 200;
const SHOWN = 12;

/** The first container that cannot start, when there is one. */
export function hopeless(deployments: readonly Deployment[]): boolean {
  return pods(deployments).some(
    pod => !pod.ready && pod.containers.some(({ restarts, ready }) => !ready && restarts >= hopelessRestarts),
  );
}

/** Why the mesh is not ready: each container that is not, with its last lines of log (the first three containers only). */
export function whyNotReady(deployments: readonly Deployment[]): string {
  const waiting = pods(deployments).filter(pod => !pod.ready && !pod.terminating);
  const containers = waiting.flatMap(pod =>
    pod.containers.filter(({ ready }) => !ready).map(container => ({ pod, container })),
  );
  const shown = containers.slice(0, 3).map(({ pod, container }) => {
    const { restarts, lastExit, logFile } = container;
    const life = lastExit === undefined ? 'runs but is not ready' : `ended with ${lastExit}, ${restarts} restarts`;
    const searched = lastLines(logFile, SEARCHED);
    const lines = searched.slice(-SHOWN).map(line => `    ${line.slice(0, 300)}`);
    const hints = HINTS.filter(([sign]) => searched.some(line => sign.test(line))).map(([, hint]) => hint);
    return [`${pod.name}/${container.name} ${life}. Its last lines (${logFile}):`, ...lines, ...hints].join('\n');
  });
  const more = containers.length > shown.length ? [`and ${containers.length - shown.length} more containers`] : [];
  return [waiting.length === 1 ? '1 pod is not ready' : `${waiting.length} pods are not ready`, ...shown, ...more].join('\n');
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
