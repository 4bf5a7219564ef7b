import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readJsonPaths } from './json-paths.ts';
import { madeUpContract } from './testing-contracts.ts';

const contract = (...https: string[]) =>
  madeUpContract(
    https
      .map(
        (http, n) =>
          `service Made${n}Service { rpc Make(Make${n}Request) returns (Make${n}Response) { option (google.api.http) = { ${http} }; } }
          message Make${n}Request { string id = 1; string part = 2; }
          message Make${n}Response {}`,
      )
      .join('\n'),
  );

describe('readJsonPaths', () => {
  it('reads the verbs of every path of a service', async () => {
    const http = `get: "/api/made/{id}" additional_bindings { post: "/api/made" body: "*" }
      additional_bindings { get: "/api/made" } additional_bindings { get: "/api/made/{id}/{part}" }`;
    assert.deepEqual(readJsonPaths(await contract(http)), {
      'telltale.made.v1.Made0Service': {
        '/api/made/[^/]+/?': ['GET'],
        '/api/made/?': ['GET', 'POST'],
        '/api/made/[^/]+/[^/]+/?': ['GET'],
      },
    });
  });

  it('refuses a path that two services share, and names both', async () => {
    const descriptors = await contract('get: "/api/made/{id}"', 'post: "/api/made/{part}" body: "*"');
    assert.throws(() => readJsonPaths(descriptors), /^Error: \/api\/made\/\{part\}: \S+Made0Service and \S+Made1Service share/);
  });
});
