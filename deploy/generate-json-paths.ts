import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { readJsonPaths } from './json-paths.ts';

// generate-json-paths.ts DESCRIPTORS FILE    writes the paths that take JSON, and their verbs, as YAML that the chart reads
const [descriptors = '', file = ''] = process.argv.slice(2);
try {
  const paths = stringify(readJsonPaths(readFileSync(descriptors)));
  writeFileSync(file, `# Generated from the contracts by deploy/generate-json-paths.ts. DO NOT EDIT.\n${paths}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
