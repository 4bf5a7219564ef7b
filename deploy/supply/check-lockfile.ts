// Checks, without the network, what the project gets from others: the versions and origins of its packages, Node and Envoy.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { chart } from '../run-helm.ts';
import { readFloors } from './floors.ts';
import { readLockfile, readManifest } from './lockfile.ts';
import { supplyProblems } from './supply-problems.ts';

const { envoy } = parse(readFileSync(join(chart, 'values.yaml'), 'utf8')) as { envoy: { image: string } };
const supply = { lockfile: readLockfile(), manifest: readManifest(), envoyImage: envoy.image };
const problems = supplyProblems(supply, readFloors());
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
