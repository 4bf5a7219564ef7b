import { availableParallelism, cpus } from 'node:os';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import { median } from '../../services/lab/measure/statistics.ts';

/** What every benchmark's command line says. */
export interface BenchOptions {
  /** How often each arm has its turn. */
  readonly rounds: number;
  /** How long a turn is measured, in milliseconds. */
  readonly ms: number;
  /** Print JSON instead of a table. */
  readonly json?: true;
}

/** Reads a benchmark's command line; on a wrong one it says what is wrong and exits with 2. */
export function benchOptions(name: string, description: string, defaults: { rounds: number; ms: number }): BenchOptions {
  return new Command(name)
    .description(description)
    .option('--rounds <n>', 'how often each arm has its turn', atLeast(1), defaults.rounds)
    .option('--ms <ms>', 'how long each is measured', atLeast(100), defaults.ms)
    .option('--json', 'print the figures as JSON')
    .exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 2)) // commander has printed what is wrong
    .parse()
    .opts<BenchOptions>();
}

/** Gives each arm its turns, in random order within a round, and says on standard error which; resolves to the turns of each. */
export async function takeTurns<Arm extends { name: string }, Turn>(
  arms: readonly Arm[],
  rounds: number,
  take: (arm: Arm) => Promise<Turn>,
): Promise<Map<Arm, Turn[]>> {
  const turns = new Map<Arm, Turn[]>(arms.map(arm => [arm, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const arm of shuffled(arms)) {
      sayRound(round, rounds, `: ${arm.name}`);
      turns.get(arm)?.push(await take(arm));
    }
  }
  return turns;
}

/** Takes rounds in which all arms have their turns by themselves, and says on standard error which; resolves to the turns of each. */
export async function takeRounds<Arm, Turn>(
  arms: readonly Arm[],
  rounds: number,
  take: () => Promise<ReadonlyMap<Arm, Turn>>,
): Promise<Map<Arm, Turn[]>> {
  const turns = new Map<Arm, Turn[]>(arms.map(arm => [arm, []]));
  for (let round = 1; round <= rounds; round++) {
    sayRound(round, rounds);
    for (const [arm, turn] of await take()) turns.get(arm)?.push(turn);
  }
  return turns;
}

function sayRound(round: number, rounds: number, what = ''): void {
  const linesAtMost = 20;
  if ((round - 1) % Math.ceil(rounds / linesAtMost) === 0) process.stderr.write(`round ${round} of ${rounds}${what}\n`);
}

/** The same in random order. */
export const shuffled = <Item>(items: readonly Item[]): Item[] =>
  items
    .map(item => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** Prints rows, whose first is the column's heading, as a table, or with the machine they were measured on as JSON. */
export function printRows(rows: readonly Record<string, string | number>[], json: boolean | undefined, settings: object): void {
  if (json) {
    const conditions = { node: process.version, cpu: cpus()[0]?.model, cores: availableParallelism(), ...settings };
    console.log(JSON.stringify({ conditions, rows }, null, 2));
    return;
  }
  const table = new Table({ head: Object.keys(rows[0] ?? {}), style: { head: [], border: [] } });
  for (const row of rows) table.push(Object.values(row));
  console.log(table.toString());
}

/** The median of some figures, and the least and the greatest of them; NaN of none. */
export function spread(values: readonly number[]): { median: number; from: number; to: number } {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: median(sorted), from: sorted[0] ?? Number.NaN, to: sorted.at(-1) ?? Number.NaN };
}

/** A whole number, not below `least`; anything else is refused by name. */
function atLeast(least: number): (text: string) => number {
  return text => {
    if (!/^\d{1,9}$/.test(text) || Number(text) < least) throw new InvalidArgumentError(`Write a whole number from ${least}.`);
    return Number(text);
  };
}
