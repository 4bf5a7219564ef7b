import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createFileRegistry, type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
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
