import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createFileRegistry, type DescMessage, fromBinary, ScalarType } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { Contracts, TextRules } from '../services/kit/validate-rules.ts';
import { readHttpBindings } from './http-bindings.ts';
import { readContracts } from './request-rules.ts';
import { chart } from './run-helm.ts';
import { madeUpContract } from './testing-contracts.ts';

/**
 * The fields of all requests whose bad values have no row in deploy/local/testing-bad-fields.ts and testing-bad-json.ts, because no
 * request has such a field: an enumeration, whose number can be one that it does not have, and a type of google.protobuf, such
 * as a Timestamp, which can be out of its range.
 */
function withoutRow(descriptors: Uint8Array): string[] {
  const services = [...createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors))].filter(
    type => type.kind === 'service' && type.typeName.startsWith('telltale.'),
  );
  const seen = new Set<DescMessage>();
  const walk = (message: DescMessage): string[] => {
    if (seen.has(message)) return [];
    seen.add(message);
    return message.fields.flatMap(field => {
      const isOfGoogle = field.message?.typeName.startsWith('google.protobuf.') ?? false;
      const below = field.message && !isOfGoogle ? walk(field.message) : [];
      return field.enum !== undefined || isOfGoogle ? [`${message.typeName}.${field.name}`] : below;
    });
  };
  return services.flatMap(service => (service.kind === 'service' ? service.methods.flatMap(({ input }) => walk(input)) : []));
}

/** The fields of all requests that are ids, by their names or because a path holds them, and do not obey the rule of ids. */
function idsWithoutRule(descriptors: Uint8Array): string[] {
  const { messages } = readContracts(descriptors) as Pick<Contracts, 'messages'>;
  const inPaths = new Set(
    readHttpBindings(descriptors).flatMap(({ method, template }) =>
      [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => `${method.input.typeName}.${name}`),
    ),
  );
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  return Object.entries(messages).flatMap(([type, rules]) => {
    const fields = registry.getMessage(type)?.fields ?? assert.fail(type);
    const ids = fields.filter(({ scalar, name }) => {
      return scalar === ScalarType.STRING && (/(^|_)(id|key)$/.test(name) || inPaths.has(`${type}.${name}`));
    });
    const obeys = (name: string) => rules.some(rule => rule.field === name && rule.kind === 'text' && isRuleOfIds(rule));
    return ids.flatMap(({ name }) => (obeys(name) ? [] : [`${type}.${name}`]));
  });
}

function isRuleOfIds({ patterns = [] }: TextRules): boolean {
  const takes = (text: string) => patterns.length > 0 && patterns.every(({ matches }) => matches.test(text));
  return ['a', '~', '..x', 'x'.repeat(128)].every(takes) && !['', '.', '..', 'a/b', 'a b', 'x'.repeat(129)].some(takes);
}

describe('the ids in the requests of the contracts', () => {
  it('obey the rule of ids, but those of LookupOrders, which answers any text as an id without an order', async () => {
    const descriptors = await readFile(join(chart, 'files/envoy/telltale.binpb'));
    assert.deepEqual(idsWithoutRule(descriptors), ['telltale.orders.v1.LookupOrdersRequest.order_id']);
  });

  it('are found by their names and by the paths: a contract that is made up has both', async () => {
    const made = await madeUpContract(`
      message Made { string made_id = 1; string name = 2; string note = 3; int32 user_id = 4; }
      message Answer {}
      service MadeService { rpc Make(Made) returns (Answer) {
        option (telltale.rules.v1.max_request_bytes) = 100;
        option (google.api.http) = {get: "/api/made/{name}"};
      } }
    `);
    assert.deepEqual(idsWithoutRule(made), ['telltale.made.v1.Made.made_id', 'telltale.made.v1.Made.name']);
  });
});

describe('the requests of the contracts', () => {
  it('hold no enumeration and no type of google.protobuf; who adds one adds rows of bad values', async () => {
    assert.deepEqual(withoutRow(await readFile(join(chart, 'files/envoy/telltale.binpb'))), []);
  });

  it('are looked through to the last field: a contract that is made up has both', async () => {
    const made = await madeUpContract(`
      enum Colour { COLOUR_UNSPECIFIED = 0; }
      message Line { Colour colour = 1; Line next = 2; }
      message Made { repeated Line lines = 1; map<string, Line> by_name = 2; oneof at { google.protobuf.Timestamp time = 3; } }
      message Answer { Colour colour = 1; }
      service MadeService { rpc Make(stream Made) returns (Answer); }
    `);
    assert.deepEqual(withoutRow(made), ['telltale.made.v1.Line.colour', 'telltale.made.v1.Made.time']);
  });
});
