import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What was seen: packets by way, "address:port>address:port", and how many of them held the text. */
export interface Capture {
  readonly packets: Readonly<Record<string, number>>;
  readonly hits: Readonly<Record<string, number>>;
}

/**
 * Looks for a text in every TCP packet of where `command` runs capture.pl. Resolves when the command has reported and `during` has
 * settled; throws with what the program said when it cannot capture.
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
  return JSON.parse(report) as Capture;
}

/** How many of the ways have this port at either end. */
export function waysOf(ways: Readonly<Record<string, number>>, port: number): number {
  return Object.keys(ways).filter(way => way.split('>').some(end => end.endsWith(`:${port}`))).length;
}
