import { readFileSync, writeFileSync } from 'node:fs';
import { readJsonRequests } from './json-requests.ts';

// generate-json-requests.ts DESCRIPTORS FILE    writes what JSON requests may hold as tables that json.lua reads
const [descriptors = '', file = ''] = process.argv.slice(2);
try {
  const { bindings, messages } = readJsonRequests(readFileSync(descriptors));
  writeFileSync(
    file,
    `-- Code generated from the contracts by deploy/generate-json-requests.ts. DO NOT EDIT.

-- Every HTTP request that calls a method: the message that it becomes, and the field that its body is ("*" for the whole).
local bindings = ${table(bindings, 2)}

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
    if (Array.isArray(value)) return `${inner}${text},\n`;
    return levels > 1 ? `${inner}[${JSON.stringify(key)}] = ${text},\n` : `${key} = ${text}`;
  });
  return levels > 1 ? `{\n${entries.join('')}${indent}}` : `{ ${entries.join(', ')} }`;
}
