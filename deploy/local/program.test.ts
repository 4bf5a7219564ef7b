import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Container } from './manifest.ts';
import { repo } from './paths.ts';
import { type ProgramPod, programOf } from './program.ts';
import { podRewrite } from './rewrite.ts';

const pod = { name: 'users-1', address: '127.0.3.7' };
const rewrite = podRewrite(pod.address, new Map([['/etc/envoy', '/run/envoy']]));
const program = (container: Omit<Container, 'name'>) =>
  programOf({ name: 'c', ...container }, pod, rewrite, { envoy: '/bin/envoy' });

describe('programOf', () => {
  it("runs the repository's image with this Node in the repository, with the pod's name and address", () => {
    const env = [
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'LISTEN', value: '0.0.0.0:1' },
      { name: 'BOTH', value: '$(POD)@$(IP)' },
    ];
    const {
      file,
      args,
      cwd,
      env: found,
    } = program({ image: 'registry/telltale:1', command: ['node', 'main.ts'], args: ['$(POD)'], env });
    assert.deepEqual({ file, args, cwd }, { file: process.execPath, args: ['main.ts', 'users-1'], cwd: repo });
    assert.deepEqual(
      [found.POD, found.IP, found.LISTEN, found.BOTH],
      ['users-1', '127.0.3.7', '127.0.3.7:1', 'users-1@127.0.3.7'],
    );
    assert.ok(found.NODE_COMPILE_CACHE);
  });

  it("runs Envoy's image with the Envoy tool, without hot restart", () => {
    const image = 'envoyproxy/envoy:distroless-v1.40.0';
    const { file, args } = program({ image, command: ['envoy'], args: ['-c', '/etc/envoy/envoy.yaml'] });
    assert.deepEqual([file, ...args], ['/bin/envoy', '-c', '/run/envoy/envoy.yaml', '--disable-hot-restart']);
    assert.deepEqual(program({ image, args: ['--disable-hot-restart'] }).args, ['--disable-hot-restart']);
  });

  it('gives a container only what it needs of the environment of this process', () => {
    process.env.TELLTALE_LEAK = '1';
    const { env } = program({ image: 'telltale', command: ['node'] });
    delete process.env.TELLTALE_LEAK;
    assert.equal(env.TELLTALE_LEAK, undefined);
    assert.equal(env.PATH, process.env.PATH);
  });

  it('tells only a pod that may call the Kubernetes API where it is answered', () => {
    const node = { name: 'c', image: 'telltale', command: ['node'] };
    const socketOf = (of: ProgramPod) => programOf(node, of, rewrite, { envoy: '' }).env.KUBERNETES_API_SOCKET;
    assert.equal(socketOf({ ...pod, control: '/run/control.sock' }), '/run/control.sock');
    assert.equal(socketOf(pod), undefined);
  });

  it('refuses what a process cannot stand for', () => {
    const secret = [{ name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } as object }];
    const node = { image: 'telltale', command: ['node'] };
    assert.throws(() => program({ image: 'postgres:18' }), /no program for image postgres:18/);
    assert.throws(() => program({ ...node, env: secret }), /variable S: .*secretKeyRef/);
    assert.throws(() => program({ ...node, envFrom: [] }), /no envFrom/);
    assert.throws(() => program({ ...node, lifecycle: { postStart: {} } }), /no lifecycle hook/);
  });
});
