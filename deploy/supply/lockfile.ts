import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repo } from '../local/paths.ts';

/** An entry of `packages` in package-lock.json, as far as it is looked into. */
export interface LockedPackage {
  /** The package's own name, where it is installed under another. */
  readonly name?: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  /** Only for the development of the project. */
  readonly dev?: boolean;
  /** May be missing where its platform is another. */
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

/**
 * package-lock.json of version 3.
 *
 * @see https://docs.npmjs.com/cli/configuring-npm/package-lock-json
 */
export interface Lockfile {
  readonly lockfileVersion: number;
  /** By the folder that each is installed into; the project itself is the entry "". */
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** What package.json says of other packages. */
export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A copy of a package that is installed. */
export interface Copy extends LockedPackage {
  /** The package's own name. */
  readonly name: string;
  /** The folder that it is installed into. */
  readonly folder: string;
}

/** The project's own package-lock.json. */
export function readLockfile(): Lockfile {
  return JSON.parse(readFileSync(join(repo, 'package-lock.json'), 'utf8'));
}

/** The project's own package.json. */
export function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(repo, 'package.json'), 'utf8'));
}

/** Every copy of every package, also those within other packages. */
export function copiesOf({ packages }: Lockfile): Copy[] {
  return Object.entries(packages).flatMap(([folder, entry]) =>
    folder === '' ? [] : [{ ...entry, folder, name: entry.name ?? folder.slice(folder.lastIndexOf('node_modules/') + 13) }],
  );
}

/** The copies that the image gets: what is installed without what is optional or for development only. */
export function runtimeCopies(lockfile: Lockfile): Copy[] {
  return copiesOf(lockfile).filter(({ dev, optional, devOptional }) => !dev && !optional && !devOptional);
}

/** What package.json asks for: names, and versions or whatever else npm takes. */
export function specsOf({ dependencies, devDependencies, optionalDependencies }: Manifest): [name: string, spec: string][] {
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
}
