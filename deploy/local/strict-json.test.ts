import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  createFileRegistry,
  type DescField,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  ScalarType,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { isMap, isScalar, isSeq, type Node, type Pair, parseDocument, type Scalar } from 'yaml';
import { chart } from '../run-helm.ts';
import { type KubeObject, ofKind } from './manifest.ts';
import { order, post } from './testing-bad-json.ts';
import { mutate, randomFrom } from './testing-fuzz.ts';
import { type HttpAnswer, sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

const SEED = 20_261_129;
const COUNT = 6000;
const AT_ONCE = 20;

interface ConfigMap extends KubeObject {
  data: Record<string, string>;
}

/** What takes the place of a token, or comes beside it. */
const TOKENS = [
  ...['{', '}', '[', ']', ',', ':', ',,', '//x\n', ' ', '\uFEFF', '\v', '"', "'", '\\'],
  ...['"user_id"', '"userId"', '"\\u0075ser_id"', '"lines"', '"sku"', '"colour"', "'sku'", 'sku', '"", '],
  ...[
    'null',
    'true',
    '1',
    '"1"',
    '-0',
    '1.',
    '01',
    '1e',
    '1.0',
    '1e400',
    '"+1"',
    '"1 "',
    '"1e2"',
    '"1.0"',
    '"9223372036854775807"',
    '9223372036854775808',
    ',null',
    'null,',
    '1e2',
    'NaN',
    '{}',
    '[]',
    '[{}]',
    '"EUR",',
    '"colour":1,',
    '"user_id":1,',
  ],
];

const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(join(chart, 'files/envoy/telltale.binpb'))),
);
const schema = registry.getMessage('telltale.orders.v1.CreateOrderRequest') ?? assert.fail();

/** Whether three libraries take a body for an order: as JSON, without a name that is there twice, and by the contract. */
function isStrict(body: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    const value = JSON.parse(text) as JsonValue;
    const document = parseDocument(text, { uniqueKeys: true, version: '1.2', schema: 'json' });
    if (document.errors.length > 0 || !hasDigitsForNumbers(document.contents, schema)) return false;
    if (value !== null) fromJson(schema, value, { registry, ignoreUnknownFields: false });
    return true;
  } catch {
    return false;
  }
}

/** Whether each number is written in digits only, in quotes or not: protobuf-es takes " 1", 1.0 and 1e2, too. */
function hasDigitsForNumbers(node: Node | null, { fields }: DescMessage): boolean {
  if (!isMap(node)) return true; // null, or what protobuf-es refuses
  return (node.items as Pair<Scalar<string>, Node>[]).every(({ key, value }) => {
    const field = fields.find(({ name, jsonName }) => key.value === name || key.value === jsonName);
    if (field === undefined) return false;
    const values = isSeq<Node>(value) ? value.items : [value];
    return values.every(each => (field.message ? hasDigitsForNumbers(each, field.message) : hasDigits(each, field)));
  });
}

function hasDigits(node: Node | null, { scalar }: DescField): boolean {
  if (scalar === ScalarType.STRING || !isScalar(node) || node.value === null) return true;
  return /^-?(0|[1-9]\d*)$/.test(String(node.source));
}

/** An order with one to three of its tokens gone, doubled, replaced, or with white space beside them. */
function mutateTokens(text: string, random: (below: number) => number): Buffer {
  const tokens = text.match(/"[^"]*"|\d+|./g) ?? [];
  for (let left = 1 + random(3); left > 0; left--) {
    const at = random(tokens.length);
    const token = tokens[at] ?? '';
    const made = TOKENS[random(TOKENS.length)] ?? '';
    const kinds = [[], [token, token], [made], [token, made], [made, token], [' ', token], [token, '\n\t']];
    tokens.splice(at, 1, ...(kinds[random(kinds.length)] ?? []));
  }
  return Buffer.from(tokens.join(''));
}

describe('the edge takes a JSON body exactly when strict readers do', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh();
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  it(`of ${COUNT} mutated orders from the seed ${SEED}`, { timeout: 120_000 }, async t => {
    const random = randomFrom(SEED);
    const [differ, counts] = [[] as string[], { taken: 0, refused: 0 }];
    let left = COUNT;
    const worker = async () => {
      while (left-- > 0) {
        const text = order(text => text, 60);
        const body = random(4) ? mutateTokens(text, random) : mutate(Buffer.from(text), random);
        const answer = await sendHttp(mesh.edge, post(body));
        const strict = isStrict(body);
        counts[strict ? 'taken' : 'refused']++;
        if (strict !== isTaken(answer)) differ.push(`${body} ${answer.status} ${answer.text}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    t.diagnostic(JSON.stringify(counts));
    assert.deepEqual(differ, []);
    assert.ok(Math.min(...Object.values(counts)) > COUNT / 20, 'one kind is too rare to tell');
  });
});

describe('a check of JSON that fails itself', () => {
  const broken = (objects: KubeObject[]) => {
    const config = ofKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name === 'edge-envoy') as ConfigMap;
    const code = config.data['json.lua'] ?? '';
    config.data['json.lua'] = code.replace('local function problems_of(text, body)', '$&\n  error("broken")');
    assert.notEqual(config.data['json.lua'], code);
    return objects;
  };
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh({ transform: broken });
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  it('lets nothing pass, and harms only bodies', async () => {
    const refused = await sendHttp(mesh.edge, post(order()));
    assert.equal(refused.status, 500);
    assert.deepEqual(refused.json(), { code: 13, details: [], message: 'The request could not be checked' });
    assert.equal((await sendHttp(mesh.edge, { path: '/api/users/123' })).status, 200);
  });
});

/** Whether the edge has taken a body: then the service has answered, which gives a reason when it refuses. */
function isTaken(answer: HttpAnswer): boolean {
  if (answer.status === 200) return true;
  const { details } = answer.json() as { details: { reason?: string }[] };
  assert.ok(answer.status < 500, answer.text);
  return details.some(({ reason }) => reason !== undefined);
}
