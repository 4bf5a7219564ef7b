import { status } from '@grpc/grpc-js';
import type { CreateOrderRequest, OrderLine } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { Script } from '../../proto/gen/telltale/script/v1/script.ts';
import {
  PlaceOrderRequest,
  StorefrontServiceService as Storefront,
} from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserRequest } from '../../proto/gen/telltale/users/v1/user.ts';
import { SCRIPT_KEY } from '../../services/kit/experiment.ts';
import { ORDER } from '../../services/kit/testing.ts';
import { frame } from '../../services/kit/testing-raw-call.ts';
import type { BadCall, Outcome, Row } from './testing-bad-calls.ts';

const { OK, INVALID_ARGUMENT, RESOURCE_EXHAUSTED } = status;

const placeOrder = (order: CreateOrderRequest): BadCall => ({
  path: Storefront.placeOrder.path,
  body: frame(PlaceOrderRequest.encode({ order }).finish()),
});
const line = (changes: Partial<OrderLine>): OrderLine => ({ sku: 'sail', quantity: 1, unitPriceMinor: 1n, ...changes });
const withLine = (changes: Partial<OrderLine>) => placeOrder({ ...ORDER, lines: [line(changes)] });
const scripted = (steps: object[]): BadCall => ({
  headers: { [SCRIPT_KEY]: Buffer.from(Script.encode(Script.fromPartial({ steps })).finish()).toString('base64') },
});
const getUser = (bytes: number): BadCall => {
  const request = UserRequest.encode({ id: 123 }).finish();
  return { body: frame(Buffer.concat([request, Buffer.alloc(bytes - request.length, '7800', 'hex')])) }; // a field it has not
};
const bad = (says: RegExp): Outcome => ({ grpc: INVALID_ARGUMENT, says });
const tooLong = (says: RegExp): Outcome => ({ grpc: RESOURCE_EXHAUSTED, says });

const rows: Row[] = [
  ['int32 and its end', withLine({ quantity: 2 ** 31 - 1 }), bad(/quantity: must be from 1 to 1000, is 2147483647$/)],
  ['a negative quantity', withLine({ quantity: -1 }), bad(/^order\.lines\[0\]\.quantity: must be from 1 to 1000, is -1$/)],
  ['the least int64', withLine({ unitPriceMinor: -(2n ** 63n) }), bad(/unit_price_minor: .*, is -9223372036854775808$/)],
  ['the most int64', withLine({ unitPriceMinor: 2n ** 63n - 1n }), bad(/unit_price_minor: .*, is 9223372036854775807$/)],
  ['an int64 over 2^53', withLine({ unitPriceMinor: 2n ** 53n + 1n }), bad(/unit_price_minor: .*, is 9007199254740993$/)],
  ['a text of a megabyte', withLine({ sku: 'x'.repeat(1_000_000) }), bad(/sku: must be 1 to 64 characters, .*, is "x{38}…$/)],
  [
    '10,000 lines',
    placeOrder({ ...ORDER, lines: Array.from({ length: 10_000 }, () => line({ quantity: 0 })) }),
    bad(/^order\.lines: must have from 1 to 200 elements, has 10000; .*lines\[18\]\.quantity: .*; and 181 more$/),
  ],
  [
    'no order',
    { path: Storefront.placeOrder.path, body: frame(Buffer.alloc(0)) },
    bad(/^order: must be given, with order_id, /),
  ],
  ['a rate of NaN', scripted([{ service: 'users', fail: { code: 1, rate: Number.NaN } }]), bad(/fail\.rate: .*, is NaN$/)],
  ['a rate that is infinite', scripted([{ service: 'users', fail: { code: 1, rate: Infinity } }]), bad(/, is Infinity$/)],
  [
    'the code of a script over 16',
    scripted([{ service: 'users', fail: { code: 17 } }]),
    bad(/code: must be from 1 to 16, is 17$/),
  ],
  [
    'two bad steps of a script',
    scripted([{ waitMs: 60_001 }, { service: 'users', padBytes: 2 ** 32 - 1 }]),
    bad(/^steps\[0\]\.service: .*; steps\[0\]\.wait_ms: .*; steps\[1\]\.pad_bytes: must be at most 3145728, is 4294967295$/),
  ],
  ['the longest request of GetUser succeeds, the control,', getUser(1024), { grpc: OK }],
  [
    'a longer one',
    getUser(1026),
    tooLong(/^a request of 1026 bytes is too long: GetUser takes at most 1024; send less at once$/),
  ],
  ['an order of 2 MB', withLine({ sku: 'x'.repeat(2_000_000) }), tooLong(/PlaceOrder takes at most 1048576/)],
];

/** What the rules of the contracts say of single fields, and how long a request may be. */
export const badFields = rows.map(([what, sent, outcome]): Row => [`${what} is ${status[outcome.grpc ?? OK]}`, sent, outcome]);
