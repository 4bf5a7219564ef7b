import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readJsonRequests } from './json-requests.ts';
import { madeUpContract } from './testing-contracts.ts';

const contract = (http: string, fields: string) =>
  madeUpContract(
    `service MadeService { rpc Make(MakeRequest) returns (MakeResponse) { option (google.api.http) = { ${http} }; } }
    message MakeRequest { ${fields} }
    message MakeResponse {}
    message Part { string part_id = 1; Part inner = 2; }`,
  );
const bound = (ways: string[]) => ways.map((way, n) => (n === 0 ? way : `additional_bindings { ${way} }`)).join(' ');

/** What stands before the colon in each line that says what could not be compared. */
async function refusedOf(descriptors: Uint8Array): Promise<string[]> {
  let names: string[] = [];
  assert.throws(
    () => readJsonRequests(descriptors),
    ({ message }: Error) => {
      names = message
        .split('\n')
        .slice(1)
        .map(line => /^(.*?): /.exec(line)?.[1] ?? line);
      return true;
    },
  );
  return names.sort();
}

describe('readJsonRequests', () => {
  it('reads every binding, and every message of a request by each name of its fields, to the last', async () => {
    const http = bound([
      'post: "/api/made" body: "*"',
      'post: "/api/made/part" body: "made_part"',
      'get: "/api/made/{made_at}/of/{tag}"',
    ]);
    const fields = 'Part made_part = 1; repeated string tags = 2; repeated Part more = 3; int64 made_at = 4; int32 tag = 5;';
    const message = 'telltale.made.v1.MakeRequest';
    const onlyScalars = await contract(bound(['get: "/api/made/{tag}"']), 'int32 tag = 1; int64 made_at = 2; string note = 3;');
    assert.deepEqual(readJsonRequests(onlyScalars), {
      bindings: [{ verb: 'GET', template: '/api/made/{tag}', message }],
      messages: {
        [message]: {
          tag: { name: 'tag', scalar: 'int32' },
          made_at: { name: 'made_at', scalar: 'int64' },
          madeAt: { name: 'made_at', scalar: 'int64' },
          note: { name: 'note', scalar: 'string' },
        },
      },
    });
    const part = 'telltale.made.v1.Part';
    const withBodies = await contract(bound(['post: "/api/made" body: "*"', 'post: "/api/made/part" body: "*"']), fields);
    assert.deepEqual(readJsonRequests(withBodies), {
      bindings: [
        { verb: 'POST', template: '/api/made', message, body: '*' },
        { verb: 'POST', template: '/api/made/part', message, body: '*' },
      ],
      messages: {
        [message]: {
          made_part: { name: 'made_part', message: part },
          madePart: { name: 'made_part', message: part },
          tags: { name: 'tags', list: true, scalar: 'string' },
          more: { name: 'more', list: true, message: part },
          made_at: { name: 'made_at', scalar: 'int64' },
          madeAt: { name: 'made_at', scalar: 'int64' },
          tag: { name: 'tag', scalar: 'int32' },
        },
        [part]: {
          part_id: { name: 'part_id', scalar: 'string' },
          partId: { name: 'part_id', scalar: 'string' },
          inner: { name: 'inner', message: part },
        },
      },
    });
    assert.deepEqual(await refusedOf(await contract(http, fields)), [
      'GET /api/made/{made_at}/of/{tag}', // its query would hold lists and messages
      'POST /api/made/part',
    ]);
  });

  it('refuses what json.lua could not compare a request with, and names all of it', async () => {
    const http = bound([
      'put: "/api/made" body: "*"',
      'post: "/api/made/{name}" body: "*"',
      'post: "/api/made:make" body: "*"',
      'post: "/api/none"',
      'get: "/api/got" body: "*"',
      'post: "/made" body: "*"',
      'get: "/api/made/{name=**}"',
      'get: "/api/made.of/{name}"',
      'custom { kind: "MAKE" path: "/api/custom" } body: "*"',
      'post: "/api/name" body: "name"',
    ]);
    const fields = `string name = 1; map<string, Part> parts = 2; google.protobuf.Timestamp time = 3;
      oneof at { string left = 4; string right = 5; } optional string note = 6; bool flag = 7; double share = 8; bytes raw = 9;`;
    const names = new Set(await refusedOf(await contract(http, fields)));
    const places = ['PUT /api/made', 'POST /api/made/{name}', 'POST /api/made:make', 'POST /api/none', 'GET /api/got'];
    const others = ['POST /made', 'GET /api/made/{name=**}', 'GET /api/made.of/{name}', 'MAKE /api/custom', 'POST /api/name'];
    const refused = ['parts', 'time', 'left', 'right', 'flag', 'share', 'raw'];
    assert.deepEqual(
      [...names],
      [...places, ...others, ...refused.map(name => `field telltale.made.v1.MakeRequest.${name}`)].sort(),
    );
  });

  it('refuses two bindings that one path fits', async () => {
    const ways = ['get: "/api/{name}/of"', 'get: "/api/made/{name}"', 'post: "/api/made/of" body: "*"', 'get: "/api/made"'];
    assert.deepEqual(await refusedOf(await contract(bound(ways), 'string name = 1;')), ['GET /api/made/{name}']);
  });
});
