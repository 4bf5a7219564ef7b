import { readFileSync, writeFileSync } from 'node:fs';
import { readJsonBodies } from './json-bodies.ts';

// generate-json-bodies.ts DESCRIPTORS FILE    writes what JSON bodies may hold as tables that json.lua reads
const [descriptors = '', file = ''] = process.argv.slice(2);
try {
  const { bodies, messages } = readJsonBodies(readFileSync(descriptors));
  writeFileSync(
    file,
    `-- Code generated from the contracts by deploy/generate-json-bodies.ts. DO NOT EDIT.

-- By the path that a body is posted to: which field of the request it is ("" for the whole), and which message.
local bodies = ${table(bodies, 2)}

-- By the full name of a message: its fields by each name that protobuf's JSON has for them.
local messages = ${table(messages, 3)}
`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** A Lua table; so many of its levels have a line for each entry, those below stand in one. */
function table(value: object, levels: number, indent = ''): string {
  const inner = `${indent}  `;
  const entries = Object.entries(value).map(([key, held]) => {
    const text = typeof held === 'object' ? table(held, levels - 1, inner) : JSON.stringify(held);
    return levels > 1 ? `${inner}[${JSON.stringify(key)}] = ${text},\n` : `${key} = ${text}`;
  });
  return levels > 1 ? `{\n${entries.join('')}${indent}}` : `{ ${entries.join(', ')} }`;
}
