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
      'post: "/api/made" body: "*" additional_bindings { post: "/api/part" body: "part" } additional_bindings { get: "/api/{tags}" }';
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
    const ways = [
      'put: "/api/made" body: "*"',
      'post: "/api/made/{name}" body: "*"',
      'post: "/api/made:make" body: "*"',
      'post: "/api/none"',
      'get: "/api/got" body: "*"',
      'post: "/made" body: "*"',
      'custom { kind: "MAKE" path: "/api/custom" } body: "*"',
      'post: "/api/name" body: "name"',
    ];
    const http = ways.map((way, n) => (n === 0 ? way : `additional_bindings { ${way} }`)).join(' ');
    const fields = `string name = 1; map<string, Part> parts = 2; google.protobuf.Timestamp time = 3;
      oneof at { string left = 4; string right = 5; } optional string note = 6;`;
    const descriptors = await contract(http, fields);
    assert.throws(
      () => readJsonBodies(descriptors),
      ({ message }: Error) => {
        const named = message
          .split('\n')
          .slice(1)
          .map(line => /^(.*?): /.exec(line)?.[1]);
        const places = ['PUT /api/made', 'POST /api/made/{name}', 'POST /api/made:make', 'POST /api/none', 'GET /api/got'];
        const fields = ['parts', 'time', 'left', 'right'].map(name => `field telltale.made.v1.MakeRequest.${name}`);
        assert.deepEqual(named.sort(), [...places, 'POST /made', 'MAKE /api/custom', '/api/name', ...fields].sort());
        return true;
      },
    );
  });
});
