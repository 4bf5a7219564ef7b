import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ConfigMap, Container, PodSpec, Volume } from './manifest.ts';
import { testFolder } from './testing-chart.ts';
import { mountVolumes } from './volumes.ts';

const pod = { name: 'users-1', address: '127.0.3.7' };
const config: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'config' },
  data: { 'envoy.yaml': 'address: 0.0.0.0\npath: /data/x, other: /etc/config/blob' },
  binaryData: { blob: Buffer.from([0, 255, 1]).toString('base64') },
};

function mount(
  volume: Omit<Volume, 'name'>,
  mountPath: string,
  dir: ReturnType<typeof testFolder>,
  live = new Map<string, string>(),
  secrets = new Map<string, string>(),
) {
  const mounts = [
    { name: 'first', mountPath },
    { name: 'data', mountPath: '/data' },
  ];
  const container: Container = { name: 'app', image: 'telltale', volumeMounts: mounts };
  const spec: PodSpec = {
    containers: [container],
    volumes: [
      { name: 'first', ...volume },
      { name: 'data', emptyDir: {} },
    ],
  };
  return mountVolumes(spec, container, pod, { paths: dir.paths, configMaps: new Map([['config', config]]), live, secrets });
}

describe('mountVolumes', () => {
  it('writes the texts of a ConfigMap rewritten for the pod, and its binary data as they are', () => {
    using folder = testFolder();
    const mounted = mount({ configMap: { name: 'config' } }, '/etc/config', folder)('/etc/config');
    const data = join(folder.paths.pods, pod.name, 'volumes', 'data');
    assert.equal(
      readFileSync(join(mounted, 'envoy.yaml'), 'utf8'),
      `address: 127.0.3.7\npath: ${data}/x, other: ${mounted}/blob`,
    );
    assert.deepEqual([...readFileSync(join(mounted, 'blob'))], [0, 255, 1]);
    assert.equal(statSync(mounted).mode & 0o777, 0o700);
  });

  it('writes only the items of a ConfigMap, under their paths', () => {
    using folder = testFolder();
    const configMap = { name: 'config', items: [{ key: 'blob', path: 'deep/file' }] };
    const mounted = mount({ configMap }, '/etc/config', folder)('/etc/config');
    assert.ok(existsSync(join(mounted, 'deep', 'file')));
    assert.ok(!existsSync(join(mounted, 'envoy.yaml')));
  });

  it('accepts an absent ConfigMap only when it is optional', () => {
    using folder = testFolder();
    assert.ok(existsSync(mount({ configMap: { name: 'none', optional: true } }, '/etc/none', folder)('/etc/none')));
    assert.throws(() => mount({ configMap: { name: 'none' } }, '/etc/none', folder), /no ConfigMap none/);
  });

  it('mounts a live ConfigMap and a claim as folders that pods share', () => {
    using folder = testFolder();
    const live = new Map([['endpoints', folder.paths.endpoints]]);
    assert.equal(mount({ configMap: { name: 'endpoints' } }, '/e', folder, live)('/e'), folder.paths.endpoints);
    const claim = mount({ persistentVolumeClaim: { claimName: 'users-data' } }, '/var/lib', folder)('/var/lib/db');
    assert.equal(claim, join(folder.paths.volumes, 'users-data', 'db'));
  });

  it('mounts a Secret as the folder that is kept for it, if it has what the pod asks for', () => {
    using folder = testFolder();
    const kept = join(folder.dir, 'users-identity');
    mkdirSync(kept);
    writeFileSync(join(kept, 'tls.key'), '');
    const secrets = new Map([['users-identity', kept]]);
    const mountKeys = (secretName: string, ...keys: string[]) =>
      mount({ secret: { secretName, items: keys.map(key => ({ key, path: key })) } }, '/etc/id', folder, new Map(), secrets);
    assert.equal(mountKeys('users-identity', 'tls.key')('/etc/id/tls.key'), join(kept, 'tls.key'));
    assert.throws(() => mountKeys('orders-identity'), /no Secret orders-identity, which a pod mounts/);
    assert.throws(() => mountKeys('users-identity', 'ca.crt'), /Secret users-identity has no key ca\.crt/);
    const renamed = { secret: { secretName: 'users-identity', items: [{ key: 'tls.key', path: 'key.pem' }] } };
    assert.throws(() => mount(renamed, '/etc/id', folder, new Map(), secrets), /cannot mount its key tls\.key as key\.pem/);
  });

  it('refuses a kind of volume that it does not know, by name', () => {
    using folder = testFolder();
    const hostPath = { hostPath: { path: '/' } } as Omit<Volume, 'name'>;
    assert.throws(() => mount(hostPath, '/x', folder), /volume first: the local run has no volumes of kind hostPath/);
  });
});
