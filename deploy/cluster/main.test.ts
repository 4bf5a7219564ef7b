import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

const programs = mkdtempSync(join(tmpdir(), 'telltale-programs-'));
after(() => rmSync(programs, { recursive: true }));

/** Puts a program onto the path of {@link main} that does what these lines of sh say. */
function program(name: string, lines: string): void {
  writeFileSync(join(programs, name), `#!/bin/sh\n${lines}\n`);
  chmodSync(join(programs, name), 0o755);
}

/** A kubectl whose context is this one. */
const kubectl = (context: string, server = 'https://127.0.0.1:6443') =>
  program('kubectl', `echo '${JSON.stringify({ 'current-context': context, clusters: [{ cluster: { server } }] })}'`);

function main(args: string[], env: Record<string, string> = {}) {
  const options = { env: { PATH: programs, ...env }, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], options);
  return { status, said: `${stdout}${stderr}` };
}

describe('main.ts', () => {
  it('says where to get a program that is missing', () => {
    const { status, said } = main(['need', 'helm']);
    assert.equal(status, 1);
    assert.equal(said, 'helm is missing: Helm 3.19 or later: https://helm.sh/docs/intro/install/\n');
  });

  it('passes on what a program says that does not work', () => {
    program('docker', 'echo "Cannot connect to the Docker daemon" >&2; exit 1');
    const { status, said } = main(['need', 'docker']);
    assert.equal(status, 1);
    assert.match(said, /Cannot connect to the Docker daemon/);
  });

  it('is silent about a local cluster and refuses another until it is named', () => {
    kubectl('kind-telltale');
    assert.deepEqual(main(['need', 'kubectl']), { status: 0, said: '' });
    kubectl('staging', 'https://k8s.example.com');
    const { status, said } = main(['need', 'kubectl']);
    assert.equal(status, 1);
    assert.match(said, /kubectl points at "staging".* CLUSTER=staging\n$/);
    assert.deepEqual(main(['need', 'kubectl'], { CLUSTER: 'staging' }), { status: 0, said: '' });
  });

  it('says what to do when kubectl points at no cluster', () => {
    program('kubectl', '[ "$1" = version ] || { echo "error: current-context must exist" >&2; exit 1; }');
    const { status, said } = main(['need', 'kubectl']);
    assert.equal(status, 1);
    assert.match(said, /^kubectl points at no cluster: make one with `make cluster`/);
  });

  it('loads an image under a tag of its own, takes that tag from Docker again, and prints it', () => {
    kubectl('kind-telltale');
    const log = join(programs, 'log');
    program('docker', `[ "$2" = inspect ] && echo sha256:0123456789abcdef || echo docker "$@" >>${log}`);
    program('kind', `echo kind "$@" >>${log}`);
    assert.deepEqual(main(['load', 'telltale:0.1.0']), { status: 0, said: '0.1.0-0123456789ab\n' });
    const lines = spawnSync('cat', [log], { encoding: 'utf8' }).stdout.split('\n');
    assert.deepEqual(lines, [
      'docker tag telltale:0.1.0 telltale:0.1.0-0123456789ab',
      'kind load docker-image telltale:0.1.0-0123456789ab --name telltale',
      'docker image rm --no-prune telltale:0.1.0-0123456789ab',
      '',
    ]);
  });

  it('refuses what it does not know with exit code 2', () => {
    for (const args of [[], ['need'], ['need', 'podman'], ['load'], ['load', 'a', 'b'], ['leave', 'a']]) {
      assert.equal(main(args).status, 2, args.join(' '));
    }
  });
});
