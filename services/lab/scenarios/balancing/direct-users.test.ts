import assert from 'node:assert/strict';
import dns from 'node:dns';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { UserResponse } from '../../../../proto/gen/telltale/users/v1/user.ts';
import { UserServiceService } from '../../../../proto/gen/telltale/users/v1/user.ts';
import { type Authority, createAuthority, issueLeaf } from '../../../issuer/authority.ts';
import type { Client } from '../../../kit/client.ts';
import { deadlineIn } from '../../../kit/deadline.ts';
import { identityOf } from '../../../kit/identity.ts';
import type { PodSummary } from '../../control.ts';
import { directUsers } from './direct-users.ts';

describe('directUsers', () => {
  const { signal } = new AbortController();
  const servers: Server[] = [];
  let folder: string;
  let authority: Authority;
  let port = 0;
  before(async () => {
    authority = await createAuthority({ now: new Date(), days: 1 });
    folder = await mkdtemp(join(tmpdir(), 'telltale-direct-'));
    const { certificate, key } = await leafOf('lab');
    const files = { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': authority.certificate };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    for (const address of ['127.0.0.2', '127.0.0.3', '127.0.0.4']) port = await listen(address, await tlsOf('users'));
  });
  after(async () => {
    for (const server of servers) server.forceShutdown();
    await rm(folder, { recursive: true });
  });

  const leafOf = (name: string) => issueLeaf(authority, { identity: identityOf('mesh', name), now: new Date(), hours: 1 });
  async function tlsOf(name: string): Promise<ServerCredentials> {
    const { certificate, key } = await leafOf(name);
    const pair = { cert_chain: Buffer.from(certificate), private_key: Buffer.from(key) };
    return ServerCredentials.createSsl(Buffer.from(authority.certificate), [pair], true);
  }
  /** Starts a pod of users that says its own address. */
  async function listen(address: string, by: ServerCredentials): Promise<number> {
    const server = new Server();
    server.addService(UserServiceService, {
      getUser: (_: unknown, answer: (error: null, user: UserResponse) => void) =>
        answer(null, { id: 1, name: address, age: 18 }),
      listUsers: () => {},
    });
    servers.push(server);
    return promisify(server.bindAsync.bind(server))(`${address}:${port}`, by);
  }
  const pod = (address: string, more: Partial<PodSummary> = {}) => ({
    name: address,
    address,
    ready: true,
    terminating: false,
    ...more,
  });
  const options = (...pods: PodSummary[]) => ({
    mode: 'local' as const,
    identity: folder,
    control: { pods: async () => pods },
    port,
  });
  /** Who answers 30 calls, and how many, once all connections are open. */
  async function answering(users: Client<typeof UserServiceService>): Promise<number[]> {
    const ask = async () => (await users.getUser({ id: 1 }, { deadline: deadlineIn(5000) })).name;
    for (let n = 0; n < 30; n++) await ask();
    const answers = Object.groupBy(await Promise.all(Array.from({ length: 30 }, ask)), name => name);
    return Object.values(answers).map((names = []) => names.length);
  }

  it('toPods spreads calls over the pods that are ready, and sends all to one as grpc-js does by itself', async () => {
    const gone = [pod('127.0.0.3', { ready: false }), pod('127.0.0.5', { terminating: true })];
    const direct = directUsers(options(pod('127.0.0.2'), ...gone, pod('127.0.0.4')));
    using spread = await direct.toPods('round_robin', signal);
    assert.deepEqual(await answering(spread), [15, 15]);
    using pinned = await direct.toPods('pick_first', signal);
    assert.deepEqual(await answering(pinned), [30]);
  });

  it('in a cluster asks DNS for the pods, or for the L4 Service', async t => {
    const asked: string[] = [];
    const answer = ['127.0.0.2', '127.0.0.3', '127.0.0.4'].map(address => ({ address, family: 4 }));
    const lookup = async (host: string) => {
      asked.push(host);
      return host === 'users' ? answer : answer.slice(0, 1);
    };
    t.mock.method(dns.promises, 'lookup', lookup as unknown as typeof dns.promises.lookup);
    const direct = directUsers({ ...options(), mode: 'cluster' });
    using spread = await direct.toPods('round_robin', signal);
    assert.deepEqual(await answering(spread), [10, 10, 10]);
    using pinned = direct.toL4Service();
    assert.deepEqual(await answering(pinned), [30]);
    assert.deepEqual(asked, ['users', 'users-l4']);
  });

  it('takes nobody else for users, and without an identity speaks in plain text', async () => {
    await listen('127.0.0.6', await tlsOf('orders'));
    await listen('127.0.0.7', ServerCredentials.createInsecure());
    const call = async (address: string, more = {}) => {
      using users = await directUsers({ ...options(pod(address)), ...more }).toPods('pick_first', signal);
      return await users.getUser({ id: 1 }, { deadline: deadlineIn(5000) });
    };
    await assert.rejects(call('127.0.0.6'), { code: status.UNAVAILABLE });
    await assert.rejects(call('127.0.0.7'), { code: status.UNAVAILABLE });
    assert.equal((await call('127.0.0.7', { identity: '' })).name, '127.0.0.7');
    await assert.rejects(call('127.0.0.2', { identity: '' }), { code: status.UNAVAILABLE });
  });
});
