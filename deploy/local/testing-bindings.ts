import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DescField } from '@bufbuild/protobuf';
import { readHttpBindings } from '../http-bindings.ts';
import { repo } from './paths.ts';

/** A JSON path that holds fields of its request. */
export interface Binding {
  /** "/api/users/{id}". */
  readonly template: string;
  /** The names of those fields, as in the `.proto` and as protobuf's JSON has them. */
  readonly held: readonly string[];
  /** The names of the others in the `.proto`, which come in the query. */
  readonly others: readonly string[];
}

/** Every JSON path that holds fields of its request. */
export const bindings: readonly Binding[] = readHttpBindings(
  readFileSync(join(repo, 'charts/telltale/files/envoy/telltale.binpb')),
).flatMap(({ template, method }) => {
  const isHeld = ({ name }: DescField) => template.includes(`{${name}}`);
  const { fields } = method.input;
  const held = fields.filter(isHeld).flatMap(({ name, jsonName }) => [...new Set([name, jsonName])]);
  return held.length === 0 ? [] : [{ template, held, others: fields.filter(field => !isHeld(field)).map(({ name }) => name) }];
});
