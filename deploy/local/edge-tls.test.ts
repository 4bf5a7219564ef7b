import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type ConnectionOptions, connect } from 'node:tls';
import { promisify } from 'node:util';
import type { KubeObject } from './manifest.ts';
import { type Mesh, startMesh } from './mesh.ts';

/** A folder laid out like a mounted Secret: files that are links through the link ..data. */
async function putCertificate(folder: string, name: string): Promise<void> {
  const data = join(folder, `..${name}`);
  await mkdir(data);
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-keyout', join(data, 'tls.key'), '-out', join(data, 'tls.crt')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await promisify(execFile)('openssl', ['req', '-x509', '-days', '1', ...key, ...subject, ...files]);
  await symlink(`..${name}`, join(folder, '..new'));
  await rename(join(folder, '..new'), join(folder, '..data'));
}

/** The pods with a folder of this machine in the place of the Secret, which the local run does not mount. */
const mounting = (folder: string) => (objects: KubeObject[]) => {
  const text = JSON.stringify(objects);
  const volume = ',{"name":"certificate","secret":{"secretName":"edge-certificate"}}';
  const mount = ',{"name":"certificate","mountPath":"/etc/edge-certificate","readOnly":true}';
  for (const part of [volume, mount]) assert.ok(text.includes(part), part);
  return JSON.parse(
    text
      .replace(volume, '')
      .replace(mount, '')
      .replaceAll('/etc/edge-certificate/', `${folder}/`)
      .replaceAll('path: /etc/edge-certificate}', `path: ${folder}}`),
  );
};

describe('the edge with a certificate', () => {
  let folder: string;
  let mesh: Mesh;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'telltale-tls-'));
    const secret = join(folder, 'secret');
    await mkdir(secret);
    for (const file of ['tls.crt', 'tls.key']) await symlink(join('..data', file), join(secret, file));
    await putCertificate(secret, 'first');
    const values = ['--set', 'edge.tls.secretName=edge-certificate'];
    mesh = await startMesh({ runDir: join(folder, 'run'), values, transform: mounting(secret) });
    await mesh.whenReady();
  });
  after(async () => {
    await mesh?.stop(0);
    await rm(folder, { recursive: true, force: true });
  });

  /** The protocols and the certificate's name of a connection; rejects when there is none. */
  const handshake = async (options: ConnectionOptions) => {
    const [host = '', port] = mesh.edge.split(':');
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false, ciphers: 'DEFAULT:@SECLEVEL=0', ...options });
    try {
      await once(socket, 'secureConnect');
      const { subject } = socket.getPeerCertificate();
      return { version: socket.getProtocol(), alpn: socket.alpnProtocol, name: subject.CN };
    } finally {
      socket.destroy();
    }
  };

  it('speaks TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      for (const alpn of ['h2', 'http/1.1']) {
        const spoken = await handshake({ minVersion: version, maxVersion: version, ALPNProtocols: [alpn] });
        assert.deepEqual(spoken, { version, alpn, name: 'first' });
      }
    }
  });

  it('speaks neither older versions nor plaintext', async () => {
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      await assert.rejects(handshake({ minVersion: version, maxVersion: version }), /protocol version|unsupported protocol/);
    }
    const [host = '', port] = mesh.edge.split(':');
    const socket = connectPlain(Number(port), host)
      .on('error', () => {})
      .resume();
    socket.write('GET /api/users/123 HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'close');
    assert.equal(socket.bytesRead, 0);
  });

  it('ends a handshake that does not come within 5 s', async () => {
    const [host = '', port] = mesh.edge.split(':');
    const start = performance.now();
    const socket = connectPlain(Number(port), host)
      .on('error', () => {})
      .resume();
    await once(socket, 'close');
    assert.ok(performance.now() - start < 8000);
  });

  it('takes a renewed certificate without a restart, and keeps the connections that it has', async () => {
    const [host = '', port] = mesh.edge.split(':');
    const old = connect({ host, port: Number(port), rejectUnauthorized: false });
    await once(old, 'secureConnect');
    const pids = mesh.pods('edge').map(pod => pod.containers[0]?.pid);
    await putCertificate(join(folder, 'secret'), 'second');
    const giveUp = Date.now() + 5000;
    while ((await handshake({})).name !== 'second' && Date.now() < giveUp) await wait(50);
    assert.equal((await handshake({})).name, 'second');
    old.write('GET /api/users/123 HTTP/1.1\r\nhost: x\r\n\r\n');
    const [answer] = await once(old, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 200 OK/);
    assert.deepEqual(
      mesh.pods('edge').map(pod => pod.containers[0]?.pid),
      pids,
    );
    old.destroy();
  });
});
