import { setTimeout as wait } from 'node:timers/promises';
import { type ClientReadableStream, credentials, makeGenericClientConstructor, type ServiceError, status } from '@grpc/grpc-js';
import { service as healthDefinition } from 'grpc-health-check';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { createClient } from '../kit/client.ts';
import { deadlineIn } from '../kit/deadline.ts';

/** A service that is checked: where it listens, "host:port", and the full name of its proto service. */
export interface Target {
  readonly address: string;
  readonly proto: string;
}

/** What there is to check. */
export interface CheckOptions {
  /** "host:port" of the edge; "none" leaves it out. */
  readonly edge: string;
  readonly services: readonly Target[];
  /** How long one check is tried again before it counts as failed, in milliseconds: a mesh that has just started. Default 20,000. */
  readonly patienceMs?: number;
  /** Is told how each check ended. */
  readonly report: (line: string) => void;
}

/** How long one attempt may take, in milliseconds. */
const ATTEMPT_MS = 2000;

/** The deadline of the call that is never answered, in milliseconds, and the latest that it may end. */
const SHORT_MS = 300;
const LATE_MS = 1000;

/**
 * Checks that each service says SERVING, that the edge leads to a user, and that a call which is never answered ends with
 * DEADLINE_EXCEEDED, in time. Writes nothing. Returns whether all of it held.
 */
export async function check({ edge, services, patienceMs = 20_000, report }: CheckOptions): Promise<boolean> {
  const checks: [what: string, run: () => Promise<void>][] = [];
  for (const target of services) checks.push([`${target.proto} is SERVING at ${target.address}`, () => serving(target)]);
  if (edge !== 'none') checks.push([`the edge at ${edge} answers for user 123: Alice, 30`, () => alice(edge)]);
  const [first] = services;
  if (first) checks.push([`a call without an answer ends after ${SHORT_MS} ms`, () => expires(first)]);
  let well = true;
  for (const [what, run] of checks) {
    const problem = await tried(run, patienceMs);
    report(problem === undefined ? `ok    ${what}` : `wrong ${what}: ${problem}`);
    well &&= problem === undefined;
  }
  return well;
}

/** Why it failed when it was last tried; undefined as soon as it has succeeded. */
async function tried(run: () => Promise<unknown>, patienceMs: number): Promise<string | undefined> {
  const giveUp = Date.now() + patienceMs;
  for (;;) {
    try {
      await run();
      return undefined;
    } catch (error) {
      if (Date.now() > giveUp) return error instanceof Error ? error.message : String(error);
    }
    await wait(250);
  }
}

const HealthClient = makeGenericClientConstructor(healthDefinition, 'Health');

/** The methods of the health protocol, as grpc-js makes them of a definition that has no types. */
interface HealthMethods {
  check(
    request: { service: string },
    options: { deadline: number },
    callback: (error: ServiceError | null, answer?: { status: string }) => void,
  ): void;
  watch(request: { service: string }, options: { deadline: number }): ClientReadableStream<unknown>;
}

/** Runs `use` with a client of the health protocol, over a connection of its own. */
async function withHealth<Result>(address: string, use: (health: HealthMethods) => Promise<Result>): Promise<Result> {
  const client = new HealthClient(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  try {
    return await use(client as unknown as HealthMethods);
  } finally {
    client.close();
  }
}

async function serving({ address, proto }: Target): Promise<void> {
  const answer = await withHealth(address, health => {
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
    const options = { deadline: deadlineIn(ATTEMPT_MS) };
    health.check({ service: proto }, options, (error, reply) => (error ? reject(error) : resolve(reply?.status)));
    return promise;
  });
  if (answer !== 'SERVING') throw new Error(`it says ${answer}`);
}

async function alice(edge: string): Promise<void> {
  using users = createClient(UserServiceService, { address: edge });
  const { name, age } = await users.getUser({ id: 123 }, { deadline: deadlineIn(ATTEMPT_MS) });
  if (name !== 'Alice' || age !== 30) throw new Error(`it says ${name}, ${age}`);
}

/** Watching a health status goes on for as long as the caller wants. */
async function expires({ address, proto }: Target): Promise<void> {
  const start = performance.now();
  const code = await withHealth(address, health => {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const watch = health.watch({ service: proto }, { deadline: deadlineIn(SHORT_MS) });
    watch.on('data', () => {});
    watch.on('end', () => resolve(status.OK));
    watch.on('error', (error: ServiceError) => resolve(error.code));
    return promise;
  });
  const ms = Math.round(performance.now() - start);
  if (code !== status.DEADLINE_EXCEEDED || ms > LATE_MS) throw new Error(`it ended with status ${code} after ${ms} ms`);
}
