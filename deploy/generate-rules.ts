import { readFileSync, writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import type { Contracts } from '../services/kit/validate-rules.ts';
import { readContracts } from './request-rules.ts';

// generate-rules.ts DESCRIPTORS FILE    writes the rules of all requests as code that services/kit/validate.ts reads
const [descriptors = '', file = ''] = process.argv.slice(2);
const { methods, messages } = read(descriptors);
const literal = (value: object) => inspect(value, { depth: Infinity, breakLength: 128, maxArrayLength: Infinity });
writeFileSync(
  file,
  `// Code generated from the contracts by deploy/generate-rules.ts. DO NOT EDIT.

/** What each method takes, by its path. */
export const methods = ${literal(methods)} as const;

/** The rules of each message that a request can hold, by its full name. */
export const messages = ${literal(messages)} as const;
`,
);

function read(file: string): Contracts {
  try {
    return readContracts(readFileSync(file));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
