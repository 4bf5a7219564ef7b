import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { UserResponse } from '../../proto/gen/telltale/users/v1/user.ts';

/** Counts of packets by way, "address:port>address:port". */
export type Ways = Readonly<Record<string, number>>;

/** What was seen: packets, how many of them held each of the texts, and how many nobody has seen, which must be none. */
export interface Capture {
  readonly packets: Ways;
  readonly hits: readonly Ways[];
  readonly drops: number;
}

/** What is looked for: what orders are for and are called, and their run, which is new each time; and what users answer about Alice. */
export const TEXTS = {
  order: Buffer.from(`canary-${randomUUID()}`),
  user: Buffer.from(UserResponse.encode({ id: 123, name: 'Alice', age: 30 }).finish()),
};

/** The arguments of capture.pl that look for {@link TEXTS}. */
export const captureArguments = (seconds: number): string[] => [
  String(seconds),
  ...Object.values(TEXTS).map(text => text.toString('hex')),
];

/** What each callee is sent or answers of {@link TEXTS}, so that packets of its calls in the clear hold it. */
export const CARRIED: Record<string, keyof typeof TEXTS> = {
  storefront: 'order',
  orders: 'order',
  payments: 'order',
  postgresql: 'order',
  users: 'user',
  lab: 'order', // in the records of the calls of a run of that name
};

/**
 * Looks for texts in every TCP packet of where `command` runs capture.pl. Resolves when the command has reported and `during` has
 * settled; throws with what the program said when it cannot capture, and an `AssertionError` when it has missed packets.
 */
export async function captureWhile(command: readonly string[], during: () => Promise<unknown>): Promise<Capture> {
  const [program = '', ...args] = command;
  const capturing = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  capturing.stderr.on('data', text => said.push(String(text)));
  const lines = createInterface(capturing.stdout)[Symbol.asyncIterator]();
  const { value: ready } = await lines.next();
  if (ready !== 'ready') throw new Error(`the capture did not start: ${said.join('')}`);
  const [{ value: report }] = await Promise.all([lines.next(), during()]);
  if (!report) throw new Error(`the capture did not end: ${said.join('')}`);
  const capture = JSON.parse(report) as Capture;
  assert.equal(capture.drops, 0, 'the kernel has dropped packets');
  return capture;
}

/** Those of the ways that have this port at either end; of these addresses, or of any. */
export function waysAt(ways: Ways, port: number, addresses?: readonly string[]): string[] {
  const ends = addresses?.map(address => `${address}:${port}`);
  const isMeant = (end: string) => ends?.includes(end) ?? end.endsWith(`:${port}`);
  return Object.keys(ways).filter(way => way.split('>').some(isMeant));
}

/** Those of the ways on which a text was that a callee carries. */
export function hitsOf({ hits }: Capture, callee: string): Ways {
  const text = CARRIED[callee];
  if (text === undefined) throw new TypeError(`nothing is known of what ${callee} carries`);
  return hits[Object.keys(TEXTS).indexOf(text)] ?? {};
}
