import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readJsonBodies } from './json-bodies.ts';
import { madeUpContract } from './testing-contracts.ts';

const contract = (http: string, fields: string) =>
  madeUpContract(
    `service MadeService { rpc Make(MakeRequest) returns (MakeResponse) { option (google.api.http) = { ${http} }; } }
    message MakeRequest { ${fields} }
    message MakeResponse {}
    message Part { string part_id = 1; Part inner = 2; }`,
  );

describe('readJsonBodies', () => {
  it('reads the body of every binding, and every message in it by each name of its fields, to the last', async () => {
    const http =
      'post: "/api/made" body: "*" additional_bindings { post: "/api/part" body: "part" } additional_bindings { get: "/api/made" }';
    const part = { name: 'part_id' };
    const inner = { name: 'inner', message: 'telltale.made.v1.Part' };
    assert.deepEqual(readJsonBodies(await contract(http, 'Part part = 1; repeated string tags = 2; repeated Part more = 3;')), {
      bodies: {
        '/api/made': { name: '', message: 'telltale.made.v1.MakeRequest' },
        '/api/part': { name: 'part', message: 'telltale.made.v1.Part' },
      },
      messages: {
        'telltale.made.v1.MakeRequest': {
          part: { name: 'part', message: 'telltale.made.v1.Part' },
          tags: { name: 'tags', list: true },
          more: { name: 'more', list: true, message: 'telltale.made.v1.Part' },
        },
        'telltale.made.v1.Part': { part_id: part, partId: part, inner },
      },
    });
  });

  it('refuses what json.lua could not compare a body with, and names all of it', async () => {
    const http = 'put: "/api/made/{name}" body: "*" additional_bindings { post: "/api/name" body: "name" }';
    const fields = 'string name = 1; map<string, Part> parts = 2; google.protobuf.Timestamp time = 3;';
    const descriptors = await contract(http, fields);
    assert.throws(
      () => readJsonBodies(descriptors),
      ({ message }: Error) => {
        for (const named of ['PUT /api/made/{name}: ', 'MakeRequest.parts: ', 'MakeRequest.time: ', '/api/name: ']) {
          assert.ok(message.includes(named), message);
        }
        return true;
      },
    );
  });
});
