import { setTimeout as wait } from 'node:timers/promises';
import {
  type ChannelCredentials,
  credentials,
  Client as GrpcClient,
  makeGenericClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { service as healthDefinition } from 'grpc-health-check';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { createClient } from '../kit/client.ts';
import { DIRECT_CHANNEL } from '../kit/connect-directly.ts';
import { deadlineIn } from '../kit/deadline.ts';

/** A service that is checked: where it listens, "host:port", and the full name of its proto service. */
export interface Target {
  readonly address: string;
  readonly proto: string;
  /** How it is called; in plain text unless given. */
  readonly credentials?: ChannelCredentials;
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
  if (edge !== 'none') {
    checks.push([`the edge at ${edge} answers for user 123: Alice, 30`, () => alice(edge)]);
    checks.push([`a call without an answer ends after ${SHORT_MS} ms`, () => expires(edge)]);
  }
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

/** Each client has a connection of its own, whatever others have been made before it. By TLS any address will do: who answers is known by its identity. */
const OWN_CONNECTION = {
  'grpc.use_local_subchannel_pool': 1,
  ...DIRECT_CHANNEL,
  'grpc.ssl_target_name_override': 'mesh',
};

/** The method of the health protocol, as grpc-js makes it of a definition that has no types. */
interface HealthMethods {
  check(
    request: { service: string },
    options: { deadline: number },
    callback: (error: ServiceError | null, answer?: { status: string }) => void,
  ): void;
}

async function serving({ address, proto, credentials: by = credentials.createInsecure() }: Target): Promise<void> {
  const client = new HealthClient(address, by, OWN_CONNECTION);
  const health = client as unknown as HealthMethods;
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const options = { deadline: deadlineIn(ATTEMPT_MS) };
  health.check({ service: proto }, options, (error, reply) => (error ? reject(error) : resolve(reply?.status)));
  const answer = await promise.finally(() => client.close());
  if (answer !== 'SERVING') throw new Error(`it says ${answer}`);
}

async function alice(edge: string): Promise<void> {
  using users = createClient(UserServiceService, { address: edge });
  const { name, age } = await users.getUser({ id: 123 }, { deadline: deadlineIn(ATTEMPT_MS) });
  if (name !== 'Alice' || age !== 30) throw new Error(`it says ${name}, ${age}`);
}

/** A service waits for the message of a call for as long as its caller wants, and this caller sends none. */
async function expires(edge: string): Promise<void> {
  const client = new GrpcClient(edge, credentials.createInsecure(), OWN_CONNECTION);
  const { path, requestSerialize, responseDeserialize } = UserServiceService.getUser;
  const { promise, resolve } = Promise.withResolvers<number>();
  const start = performance.now();
  const options = { deadline: deadlineIn(SHORT_MS) };
  const answered = (error: ServiceError | null) => resolve(error?.code ?? status.OK);
  client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, options, answered);
  const code = await promise.finally(() => client.close());
  const ms = Math.round(performance.now() - start);
  if (code !== status.DEADLINE_EXCEEDED || ms > LATE_MS) throw new Error(`it ended with status ${code} after ${ms} ms`);
}
