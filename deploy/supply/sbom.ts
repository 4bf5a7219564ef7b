// Prints the packages that the image gets, as CycloneDX: the same bytes for the same package.json, package-lock.json and npm. It runs
// in the image's build, too, where there is nothing but Node and these two files in the working folder.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

interface Bom {
  serialNumber?: string;
  metadata: { timestamp?: string; component: { name: string; purl: string; 'bom-ref': string } };
  components: { 'bom-ref': string }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

interface Entry {
  name?: string;
  version: string;
  dev?: boolean;
  optional?: boolean;
  devOptional?: boolean;
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Entry> };
const runtime = Object.entries(packages).filter(([, { dev, optional, devOptional }]) => !dev && !optional && !devOptional);
const kept = new Set(
  runtime.map(([folder, entry]) => `${entry.name ?? folder.replace(/^.*node_modules\//, '')}@${entry.version}`),
);

const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only', '--include=dev'];
const bom: Bom = JSON.parse(execFileSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
const { component } = bom.metadata;
// npm calls it after the folder.
component.name = component.purl.replace(/^pkg:npm\/(.*)@.*$/, '$1');
// Not by npm's own --omit=dev: that leaves out what development and the image have in common.
bom.components = bom.components.filter(each => kept.has(each['bom-ref']));
bom.dependencies = bom.dependencies
  .filter(({ ref }) => ref === component['bom-ref'] || kept.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(each => kept.has(each)) }));
// Another one each time, and both may be left out.
delete bom.serialNumber;
delete bom.metadata.timestamp;
console.log(JSON.stringify(bom, undefined, 2));
