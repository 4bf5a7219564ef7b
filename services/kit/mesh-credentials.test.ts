import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { type Authority, createAuthority, issueLeaf } from '../issuer/authority.ts';
import { identityOf } from './identity.ts';
import { meshCredentials } from './mesh-credentials.ts';
import { checkHealth } from './testing.ts';

describe('meshCredentials', () => {
  let folder: string;
  let authority: Authority;
  let server: Server;
  let address: string;
  const leafOf = (name: string) => issueLeaf(authority, { identity: identityOf('mesh', name), now: new Date(), hours: 1 });

  before(async () => {
    authority = await createAuthority({ now: new Date(), days: 1 });
    folder = await mkdtemp(join(tmpdir(), 'telltale-identity-'));
    const own = await leafOf('check');
    await writeFile(join(folder, 'tls.crt'), own.certificate);
    await writeFile(join(folder, 'tls.key'), own.key);
    await writeFile(join(folder, 'ca.crt'), authority.certificate);
    const { certificate, key } = await leafOf('users');
    server = new Server();
    new HealthImplementation({ '': 'SERVING' }).addToServer(server);
    const pair = { cert_chain: Buffer.from(certificate), private_key: Buffer.from(key) };
    const byTls = ServerCredentials.createSsl(Buffer.from(authority.certificate), [pair], true);
    address = `127.0.0.1:${await promisify(server.bindAsync.bind(server))('127.0.0.1:0', byTls)}`;
  });
  after(async () => {
    server.forceShutdown();
    await rm(folder, { recursive: true });
  });

  it('reach the service of that name, which asks for a certificate', async () => {
    assert.equal(await checkHealth(address, '', meshCredentials(folder)('users')), 'SERVING');
    await assert.rejects(checkHealth(address, ''), /UNAVAILABLE/); // the control
  });

  it('do not take one service for another', async () => {
    const call = checkHealth(address, '', meshCredentials(folder)('orders'));
    await assert.rejects(
      call,
      /it is "URI:spiffe:\/\/telltale\/ns\/mesh\/sa\/users", not spiffe:\/\/telltale\/ns\/mesh\/sa\/orders/,
    );
  });

  it('are none for a certificate without an identity, or without a file', async () => {
    await writeFile(join(folder, 'tls.crt'), authority.certificate);
    assert.throws(() => meshCredentials(folder), /tls\.crt has no identity of this mesh, but "URI:spiffe:\/\/telltale"/);
    await rm(join(folder, 'tls.key'));
    assert.throws(() => meshCredentials(folder), { code: 'ENOENT' });
  });
});
