import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { create, createFileRegistry, fromBinary, type MessageInitShape, setExtension, toBinary } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import { FieldOptionsSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createValidator } from '@bufbuild/protovalidate';
import {
  field as annotation,
  FieldRulesSchema,
  Ignore,
  file_buf_validate_validate as wholeOfProtovalidate,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import * as contracts from '../proto/gen/rules.ts';
import { randomMessage, randomNumbers } from '../services/kit/testing-messages.ts';
import { compileValidators } from '../services/kit/validate-compile.ts';
import { readContracts } from './request-rules.ts';
import { madeUpContract } from './testing-contracts.ts';

const DESCRIPTORS = new URL('../charts/telltale/files/envoy/telltale.binpb', import.meta.url);

/** A service with one method, whose request has these fields. */
const serving = (fields: string, limit = 'option (telltale.rules.v1.max_request_bytes) = 100;') => `
  service MadeService { rpc Make(MakeRequest) returns (MakeResponse) { ${limit} } }
  message MakeRequest { ${fields} }
  message MakeResponse {}
  message Part { string id = 1 [(buf.validate.field).string.(telltale.rules.v1.id) = true]; }
  message Inner { string text = 1; Inner inner = 2; }
  enum Colour { COLOUR_UNSPECIFIED = 0; COLOUR_RED = 1; COLOUR_BLUE = 7; }`;

describe('readContracts', () => {
  it('reads from the descriptors what is generated', () => {
    assert.deepEqual(readContracts(readFileSync(DESCRIPTORS)), { ...contracts });
  });

  it('reads the rules of every kind that validate.proto has, so that they mean what protovalidate says', async () => {
    const fields = `
      Colour colour = 1 [(buf.validate.field).enum.defined_only = true];
      repeated Colour colours = 2 [(buf.validate.field).repeated.max_items = 4];
      double share = 3 [(buf.validate.field).double = {gte: -1.5, lte: 2}];
      string name = 4 [(buf.validate.field).string = {min_len: 2, max_len: 3}];
      string word = 5 [(buf.validate.field).string = {max_len: 65, [telltale.rules.v1.name]: true}];
      repeated string words = 6 [(buf.validate.field).repeated = {min_items: 1, max_items: 2}];
      uint32 count = 7 [(buf.validate.field).uint32 = {gte: 3}];
      int64 sum = 8 [(buf.validate.field).int64 = {gte: -9007199254740993, lte: 9007199254740993}];
      int32 free = 9;
      map<string, string> labels = 10 [(buf.validate.field).map = {min_pairs: 1, max_pairs: 2}];
      optional double budget = 11 [(buf.validate.field).double.gte = 0];
      optional string note = 12 [(buf.validate.field).string.min_len = 1];
      map<string, Part> parts = 13 [(buf.validate.field).map.max_pairs = 9];`;
    const descriptors = await madeUpContract(serving(fields));
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
    const desc = registry.getMessage('telltale.made.v1.MakeRequest') ?? assert.fail();
    const oracle = createValidator({ registry });
    const made = readContracts(descriptors);
    const validate = compileValidators(made).get(desc.typeName) ?? assert.fail();
    const random = randomNumbers(7);
    const seen = new Set<string>();
    for (let round = 0; round < 1000; round++) {
      const message = randomMessage(desc, made, random);
      const { violations = [] } = oracle.validate(desc, message);
      const expected = [...new Set(violations.map(({ field }) => pathToString(field)))];
      assert.deepEqual(
        validate(message).map(({ field }) => field),
        expected,
      );
      for (const field of expected) seen.add(field);
    }
    const parts = ['a b', 'c', 'd'].map(key => `parts["${key}"].id`);
    const scalars = ['budget', 'colour', 'colours', 'count', 'labels', 'name', 'note', 'share', 'sum', 'word', 'words'];
    assert.deepEqual([...seen].sort(), [...scalars, ...parts].sort());
    const invalid = { labels: { 'x\ud800': 'y', z: '\ud800' }, parts: {}, colours: [], words: ['', '\ud800'] };
    const rest = { colour: 0, share: 0, name: 'ab', word: 'w', count: 3, sum: 0n };
    assert.deepEqual(
      validate({ ...rest, ...invalid }).map(({ field }) => field),
      ['words[1]', 'labels["x\ufffd"]', 'labels["z"]'],
    );
  });

  it('reads a message that holds one of its own type', async () => {
    const made = readContracts(await madeUpContract(serving('Inner inner = 1;')));
    const validate = compileValidators(made).get('telltale.made.v1.MakeRequest') ?? assert.fail();
    const [violation] = validate({ inner: { text: '', inner: { text: '\ud800', inner: undefined } } });
    assert.equal(violation?.field, 'inner.inner.text');
  });

  it('refuses, all at once, what the validator would not check', async () => {
    const fields = `
      google.protobuf.Timestamp at = 1;
      map<string, string> labels = 2;
      map<int32, string> numbered = 12 [(buf.validate.field).map.max_pairs = 1];
      oneof either { string a = 3; string b = 4; }
      repeated int32 numbers = 6;
      repeated Inner inners = 7 [(buf.validate.field).repeated.min_items = 1];
      string text = 8 [(buf.validate.field).int32.gte = 1];
      int32 needed = 9 [(buf.validate.field).required = true];
      double share = 10 [(buf.validate.field).double = {gte: 2, lte: 1}];
      string short = 11 [(buf.validate.field).string = {min_len: 3, max_len: 2}];`;
    const descriptors = await madeUpContract(serving(fields, ''));
    assert.throws(
      () => readContracts(descriptors),
      (error: Error) => {
        const field = (name: string) => `field telltale.made.v1.MakeRequest.${name}: `;
        assert.deepEqual(error.message.split('\n').slice(1).sort(), [
          `${field('a')}the validator knows no oneof`,
          `${field('at')}the validator does not know google.protobuf.Timestamp`,
          `${field('b')}the validator knows no oneof`,
          `${field('inners')}a list in a request needs repeated.max_items`,
          `${field('labels')}a map in a request needs map.max_pairs`,
          `${field('needed')}only a message can be required`,
          `${field('numbered')}the validator knows no map whose keys are not texts`,
          `${field('numbers')}a list in a request needs repeated.max_items`,
          `${field('share')}gte 2 is more than lte 1`,
          `${field('short')}min_len 3 is more than max_len 2`,
          `${field('text')}the rules of int32 are not for a field of this type`,
          'rpc telltale.made.v1.MadeService.Make: needs the option (telltale.rules.v1.max_request_bytes), more than 0',
        ]);
        return true;
      },
    );
  });

  it('refuses a rule with a name whose condition is any other CEL than a regular expression', async () => {
    const rule = (expression: string) => `extend buf.validate.StringRules {
      optional bool own = 120999 [(buf.validate.predefined).cel = {id: "own", message: "own", expression: "${expression}"}];
    }`;
    const body = serving('string text = 1 [(buf.validate.field).string.(telltale.rules.v1.own) = true];');
    for (const expression of ["this == 'x'", "this.matches('x') || true", 'this.matches(rule)']) {
      const descriptors = await madeUpContract(body, rule(expression));
      assert.throws(() => readContracts(descriptors), /MakeRequest\.text: own: of CEL only this\.matches/, expression);
    }
    const { messages } = readContracts(await madeUpContract(body, rule("this.matches('^x$')")));
    const [text] = messages['telltale.made.v1.MakeRequest'] ?? [];
    assert.deepEqual(text?.kind === 'text' && text.patterns, [{ matches: /^x$/u, says: 'own' }]);
  });

  it('refuses what the whole of protovalidate has and validate.proto does not', async () => {
    const set = fromBinary(FileDescriptorSetSchema, await madeUpContract(serving('int32 number = 1;')));
    const file = set.file.find(({ name }) => name === 'telltale/made/v1/made.proto');
    const number = file?.messageType.find(({ name }) => name === 'MakeRequest')?.field[0] ?? assert.fail();
    number.options ??= create(FieldOptionsSchema);
    const whole = [...wholeOfProtovalidate.dependencies, wholeOfProtovalidate].map(({ proto }) => proto);
    const [descriptor, ...others] = set.file.filter(({ name }) => !/^buf|(duration|timestamp|field_mask)\.proto$/.test(name));
    set.file = [descriptor ?? assert.fail(), ...whole.filter(({ name }) => name !== descriptor?.name), ...others];
    const gt = { case: 'int32', value: { greaterThan: { case: 'gt', value: 5 } } } as const;
    for (const [rules, name] of [
      [{ type: gt }, 'gt'],
      [{ ignore: Ignore.ALWAYS }, 'ignore'],
      [{ cel: [{ id: 'own', expression: 'this > 5' }] }, 'cel'],
    ] as const) {
      setExtension(number.options, annotation, create(FieldRulesSchema, rules as MessageInitShape<typeof FieldRulesSchema>));
      const descriptors = toBinary(FileDescriptorSetSchema, set);
      assert.throws(() => readContracts(descriptors), new RegExp(`number: the validator does not know the rule ${name}$`, 'm'));
    }
  });

  it('is not asked about a rule that validate.proto does not declare: the contract does not compile', async () => {
    await assert.rejects(madeUpContract(serving('string text = 1 [(buf.validate.field).string.email = true];')), /email/);
  });
});
