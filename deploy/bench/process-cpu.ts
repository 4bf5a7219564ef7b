import { readFileSync } from 'node:fs';

/** The CPU time of some processes so far, user and system, in microseconds. */
export function cpuUs(pids: readonly number[]): number {
  const TICK_US = 10_000; // of utime and stime in proc_pid_stat(5), by every kernel's USER_HZ
  const ticks = pids.map(pid => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, each) => sum + each, 0) * TICK_US;
}
