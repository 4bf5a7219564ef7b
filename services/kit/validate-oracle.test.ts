import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { createFileRegistry, type FileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createValidator, type Validator } from '@bufbuild/protovalidate';
import * as contracts from '../../proto/gen/rules.ts';
import { LabServiceService } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { OrderServiceService } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { PaymentServiceService } from '../../proto/gen/telltale/payments/v1/payments.ts';
import { Script } from '../../proto/gen/telltale/script/v1/script.ts';
import { StorefrontServiceService } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { strictDecoder } from './codec.ts';
import { brokenRules } from './testing-broken-rules.ts';
import { randomMessage, randomNumbers } from './testing-messages.ts';
import { compileValidators } from './validate-compile.ts';
import type { Contracts } from './validate-rules.ts';

const DESCRIPTORS = new URL('../../charts/telltale/files/envoy/telltale.binpb', import.meta.url);
const SERVICES = [LabServiceService, OrderServiceService, PaymentServiceService, StorefrontServiceService, UserServiceService];
const MESSAGES = 10_000;
const SEED = 20_261;

/** A message as the services decode it, and the fields that protovalidate finds violated in the same bytes. */
interface Sample {
  readonly type: string;
  readonly decoded: object;
  readonly violated: string[];
}

/** The decoder of each type of request, and of the script that a request carries. */
function decoders(): Map<string, (bytes: Buffer) => object> {
  const methods: Contracts['methods'] = contracts.methods;
  const found = new Map<string, (bytes: Buffer) => object>([['telltale.script.v1.Script', bytes => Script.decode(bytes)]]);
  for (const { path, requestDeserialize } of SERVICES.flatMap(service => Object.values(service))) {
    found.set(methods[path]?.request ?? assert.fail(path), requestDeserialize);
  }
  return found;
}

/** The paths that violate something, without those of elements after the most that their list may have: they are not looked at. */
function fieldsOf(violations: readonly { field: string }[]): string[] {
  const fields = new Set(violations.map(({ field }) => field));
  const most: Record<string, number> = { lines: 200, records: 1000, steps: 32 };
  const inLists = (field: string) =>
    [...field.matchAll(/(\w+)\[(\d+)\]/g)].every(([, list = '', index]) => Number(index) < (most[list] ?? assert.fail(list)));
  return [...fields].filter(inLists).sort();
}

describe('the validator and protovalidate', () => {
  let samples: Sample[];
  before(() => {
    const registry: FileRegistry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(DESCRIPTORS)));
    const oracle: Validator = createValidator({ registry });
    const random = randomNumbers(SEED);
    const types = [...decoders()];
    samples = Array.from({ length: MESSAGES }, (_, index) => {
      const [type, decode] = types[index % types.length] ?? assert.fail();
      const desc = registry.getMessage(type) ?? assert.fail(type);
      const bytes = toBinary(desc, randomMessage(desc, contracts, random));
      const { kind, error, violations = [] } = oracle.validate(desc, fromBinary(desc, bytes));
      assert.notEqual(kind, 'error', error);
      const violated = fieldsOf(violations.map(({ field }) => ({ field: pathToString(field) })));
      return { type, decoded: strictDecoder(decode)(Buffer.from(bytes)), violated };
    });
  });

  const disagreements = ({ messages }: Pick<Contracts, 'messages'>): Sample[] => {
    const validators = compileValidators({ messages });
    return samples.filter(({ type, decoded, violated }) => {
      const found = fieldsOf(validators.get(type)?.(decoded) ?? assert.fail(type));
      return found.join() !== violated.join();
    });
  };

  it(`find the same fields violated in ${MESSAGES} messages of all types`, t => {
    const bad = samples.filter(({ violated }) => violated.length > 0).length;
    t.diagnostic(`${bad} of them violate something, ${samples.flatMap(({ violated }) => violated).length} fields in all`);
    assert.ok(bad > MESSAGES / 10 && bad < MESSAGES * 0.95);
    const [first, ...more] = disagreements(contracts);
    assert.deepEqual(first, undefined, `and ${more.length} more`);
  });

  for (const [what, broken] of brokenRules(contracts)) {
    it(`disagree when ${what}, the control`, () => assert.ok(disagreements(broken).length > 0));
  }
});
