import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { PaymentServiceService as Payments } from '../../proto/gen/telltale/payments/v1/payments.ts';
import { Script } from '../../proto/gen/telltale/script/v1/script.ts';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserRequest, UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { SCRIPT_KEY } from '../../services/kit/experiment.ts';
import { frame } from '../../services/kit/testing-raw-call.ts';

/** What is sent, over an ordinary call of GetUser(123) to the edge. */
export interface BadCall {
  readonly to?: 'app';
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
}

/** What comes back: HTTP 200, a gRPC status, no reset, unless it says otherwise. */
export interface Outcome {
  readonly http?: number;
  readonly grpc?: status;
  readonly reset?: number;
  /** What the message, or the body when there is none, says. */
  readonly says?: RegExp;
  /** Headers or trailers that are there. */
  readonly headers?: Record<string, string>;
}

/** A sentence, what is sent, what comes back. */
export type Row = [title: string, sent: BadCall, outcome: Outcome];

const { OK, INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL } = status;
const REFUSED: Outcome = { http: 415, grpc: Number.NaN, says: /content type must be application\/grpc/ };
const TOO_LARGE: Outcome = { grpc: RESOURCE_EXHAUSTED, says: /^The metadata is too large: send at most \d+ headers/ };

const FRAMED: Outcome = { grpc: INTERNAL, says: /compressed/ };
const CUT: Outcome = { grpc: INTERNAL, says: /ends within a message/ };
const NO_SCRIPT: Outcome = { grpc: INVALID_ARGUMENT, says: /^telltale-script-bin is not a Script$/ };

/** The message of GetUser(123). */
export const request = Buffer.from(UserRequest.encode({ id: 123 }).finish());
const zipped = gzipSync(request);
const gzip = { 'grpc-encoding': 'gzip' };
/** A message of 200 KB that unpacks to 200 MB. */
export const bomb: BadCall = { headers: gzip, body: frame(gzipSync(Buffer.alloc(200_000_000)), 1) };
/** A message of nothing but beginnings of groups. */
export const groups = Buffer.alloc(1_000_000, 0x13);
const placeOrder = (bytes: Uint8Array): BadCall => ({ path: Storefront.placeOrder.path, body: frame(bytes) });
const timeout = (value: string): BadCall => ({ headers: { 'grpc-timeout': value } });
const type = (value: string): BadCall => ({ headers: { 'content-type': value } });
/** So many header lines beside those of every call. */
export const lines = (count: number): BadCall => ({
  headers: Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-line-${n}`, 'x'])),
});
const script = (value: Uint8Array | string): BadCall => ({
  headers: { [SCRIPT_KEY]: typeof value === 'string' ? value : Buffer.from(value).toString('base64') },
});

/** A call that takes a second. */
const slow = script(Script.encode(Script.fromPartial({ steps: [{ service: 'users', waitMs: 1000 }] })).finish());

/** Values of grpc-timeout that are not 1 to 8 digits and a unit. */
export const MALFORMED = ['abc', '5s', 'S', '', '-5S', '+5S', '1.5S', '5 S', '5S5S', '123456789m', '1S, 2S'];
/** The header twice, as two lines. */
export const TWO_LINES = { 'grpc-timeout': '1S', 'Grpc-Timeout': '2S' };
/** Values of grpc-timeout that are longer than any route allows. */
export const TOO_LONG = ['597H', '99999999M', '99999999H'];

/** The rows by the surface that they meet. */
export const badCalls: Record<string, Row[]> = {
  deadline: [
    ...MALFORMED.flatMap((value): Row[] => {
      const outcome = { grpc: INTERNAL, says: /Invalid grpc-timeout/ };
      return [
        [`grpc-timeout "${value}" is INTERNAL`, timeout(value), outcome],
        [`grpc-timeout "${value}" at an app is INTERNAL`, { ...timeout(value), to: 'app' }, outcome],
      ];
    }),
    ['grpc-timeout in two lines is INTERNAL', { headers: TWO_LINES }, { grpc: INTERNAL, says: /Invalid grpc-timeout/ }],
    [
      'grpc-timeout in two lines at an app is INTERNAL',
      { headers: TWO_LINES, to: 'app' },
      { grpc: INTERNAL, says: /Invalid grpc-timeout/ },
    ],
    ...['0S', '1n', '50m'].flatMap((value): Row[] => {
      const sent = { headers: { 'grpc-timeout': value, ...slow.headers } };
      return [
        [`grpc-timeout ${value} that passes is DEADLINE_EXCEEDED`, sent, { grpc: DEADLINE_EXCEEDED }],
        [
          `grpc-timeout ${value} that passes at an app is DEADLINE_EXCEEDED`,
          { ...sent, to: 'app' },
          { grpc: DEADLINE_EXCEEDED },
        ],
      ];
    }),
    ...TOO_LONG.flatMap((value): Row[] => [
      [`grpc-timeout ${value} succeeds`, timeout(value), { grpc: OK }],
      [`grpc-timeout ${value} at an app succeeds`, { ...timeout(value), to: 'app' }, { grpc: OK }],
    ]),
  ],
  framing: [
    ['no message is UNIMPLEMENTED', { body: Buffer.alloc(0) }, { grpc: UNIMPLEMENTED, says: /no request message/ }],
    [
      'two messages are UNIMPLEMENTED',
      { body: Buffer.concat([frame(request), frame(request)]) },
      { grpc: UNIMPLEMENTED, says: /second request message/ },
    ],
    [
      'a length of 4 GiB is RESOURCE_EXHAUSTED',
      { body: Buffer.from([0, 0xff, 0xff, 0xff, 0xff]) },
      { grpc: RESOURCE_EXHAUSTED, says: /4294967295/ },
    ],
    ['a message of 5 MB is RESOURCE_EXHAUSTED', { body: frame(Buffer.alloc(5_000_000)) }, { grpc: RESOURCE_EXHAUSTED }],
    ['gzip is read, the control', { headers: gzip, body: frame(zipped, 1) }, { grpc: OK }],
    ['corrupt gzip is INTERNAL', { headers: gzip, body: frame(request, 1) }, { grpc: INTERNAL, says: /decompress/ }],
    ['gzip without its end is INTERNAL', { headers: gzip, body: frame(zipped.subarray(0, -6), 1) }, { grpc: INTERNAL }],
    ['200 KB of gzip that become 200 MB are RESOURCE_EXHAUSTED', bomb, { grpc: RESOURCE_EXHAUSTED, says: /4194304/ }],
    [
      'the encoding br is UNIMPLEMENTED, with those that are read',
      { headers: { 'grpc-encoding': 'br' }, body: frame(request, 1) },
      { grpc: UNIMPLEMENTED, says: /"br"/, headers: { 'grpc-accept-encoding': 'identity,gzip,deflate' } },
    ],
    ['the compressed flag without an encoding is INTERNAL', { body: frame(request, 1) }, FRAMED],
    [
      'the compressed flag with the encoding identity is INTERNAL',
      { headers: { 'grpc-encoding': 'identity' }, body: frame(request, 1) },
      FRAMED,
    ],
    ['a compressed flag of 2 is INTERNAL', { body: frame(request, 2) }, FRAMED],
    ['a compressed flag of 255 with an encoding is INTERNAL', { headers: gzip, body: frame(zipped, 255) }, FRAMED],
    ['a plain message among compressed ones is read, the control', { headers: gzip, body: frame(request) }, { grpc: OK }],
    ['a message shorter than its length is INTERNAL', { body: frame(request).subarray(0, 6) }, CUT],
    ['two bytes of a frame are INTERNAL', { body: Buffer.from([0, 0]) }, CUT],
    ['one byte of a frame is INTERNAL', { body: Buffer.from([0]) }, CUT],
    ['two bytes after the message are INTERNAL', { body: Buffer.concat([frame(request), Buffer.from([0, 0])]) }, CUT],
  ],
  protobuf: [
    ['bytes that are no message are INTERNAL', { body: frame(Buffer.from([0x0f, 0xff])) }, { grpc: INTERNAL }],
    [
      'a string longer than its message is INTERNAL',
      placeOrder(Buffer.from([0x0a, 0x03, 0x0a, 0x7f, 0x41])),
      { grpc: INTERNAL },
    ],
    ['a varint of eleven bytes is INTERNAL', { body: frame(Buffer.from([8, ...Array(11).fill(0xff)])) }, { grpc: INTERNAL }],
    ['a million nested groups are INTERNAL', placeOrder(groups), { grpc: INTERNAL }],
    [
      'invalid UTF-8 is INVALID_ARGUMENT',
      placeOrder(Buffer.from([0x0a, 0x03, 0x0a, 0x01, 0xff])),
      { grpc: INVALID_ARGUMENT, says: /^order\.order_id: must be valid UTF-8, is "\ufffd+"; order\.user_id: / },
    ],
    ['a field that the contract does not have is skipped', { body: frame(Buffer.from([...request, 0x78, 1])) }, { grpc: OK }],
  ],
  metadata: [
    ...(['edge', 'app'] as const).flatMap(place => {
      const to = place === 'app' ? { to: 'app' as const } : {};
      return [
        ...[200, 1000].map((count): Row => {
          return [`${count} header lines to the ${place} are RESOURCE_EXHAUSTED`, { ...lines(count), ...to }, TOO_LARGE];
        }),
        ...[66, 100].map((size): Row => {
          const headers = Object.fromEntries(Array.from({ length: size }, (_, n) => [`x-${n}`, 'x'.repeat(1024)]));
          return [`${size} KB of headers to the ${place} are RESOURCE_EXHAUSTED`, { headers, ...to }, TOO_LARGE];
        }),
        [`a name with an underscore to the ${place} passes`, { headers: { with_underscore: 'x' }, ...to }, { grpc: OK }] as Row,
        [`60 header lines to the ${place} pass`, { ...lines(60), ...to }, { grpc: OK }] as Row,
      ];
    }),
    ['90 header lines, which a service would take, are RESOURCE_EXHAUSTED at the edge', lines(90), TOO_LARGE],
    ['a value of 58 KB is RESOURCE_EXHAUSTED at the edge', { headers: { 'x-large': 'x'.repeat(58 * 1024) } }, TOO_LARGE],
    ['a value of 1,000 KB is RESOURCE_EXHAUSTED at the edge', { headers: { 'x-large': 'x'.repeat(1000 * 1024) } }, TOO_LARGE],
    ['9,000 header lines are RESOURCE_EXHAUSTED at the edge', lines(9000), TOO_LARGE],
    ['a script that is none is INVALID_ARGUMENT', script(Buffer.from([0x0f])), NO_SCRIPT],
    ...['!!!!', 'CgdbdXNlcnNd!', 'Cg', 'A', 'AA=', 'CgV1c2Vycw=='.repeat(2)].map(
      (value): Row => [`the script "${value}", bad base64 or cut, is INVALID_ARGUMENT`, script(value), NO_SCRIPT],
    ),
    [
      'a script of 33 steps is INVALID_ARGUMENT',
      script(Script.encode(Script.fromPartial({ steps: Array(33).fill({ service: 'users' }) })).finish()),
      { grpc: INVALID_ARGUMENT, says: /^steps: must have at most 32 elements, has 33$/ },
    ],
  ],
  routing: [
    ...['/telltale.users.v1.UserService/NoSuch', '/telltale.users.v1.UserService/getuser', `${Users.getUser.path}/`].map(
      (path): Row => [`the method ${path} is UNIMPLEMENTED`, { path }, { grpc: UNIMPLEMENTED, says: /does not implement/ }],
    ),
    ...['/telltale.users.v1.NoService/GetUser', '/no.such.Service/Get', Orders.getOrder.path, Payments.charge.path].map(
      (path): Row => [`the service of ${path} is UNIMPLEMENTED`, { path }, { grpc: UNIMPLEMENTED, says: /nothing here/ }],
    ),
    ...['text/plain', 'application/json', 'application/grpcfoo', ''].map(
      (value): Row => [`the content type "${value}" is HTTP 415`, type(value), REFUSED],
    ),
    ...['application/grpc+proto', 'application/grpc;charset=utf-8'].map(
      (value): Row => [`the content type ${value} succeeds, the control`, type(value), { grpc: OK }],
    ),
    ...['application/grpc+json', 'application/grpc-web'].map((value): Row => {
      return [
        `the content type ${value} at an app is HTTP 415`,
        { ...type(value), to: 'app' },
        { http: 415, grpc: Number.NaN },
      ];
    }),
    ['PUT at an app is HTTP 415', { headers: { ':method': 'PUT' }, to: 'app' }, { http: 415, grpc: Number.NaN }],
    [
      'PUT with a gRPC content type is UNIMPLEMENTED, with the method to use',
      { headers: { ':method': 'PUT' } },
      { grpc: UNIMPLEMENTED, says: /by POST/, headers: { allow: 'POST' } },
    ],
    [
      'application/grpc+json is UNIMPLEMENTED',
      type('application/grpc+json'),
      { grpc: UNIMPLEMENTED, says: /^The content type must be application\/grpc or/ },
    ],
    [
      'PUT without a gRPC content type is HTTP 405',
      { headers: { ':method': 'PUT', 'content-type': 'text/plain' } },
      { http: 405, grpc: Number.NaN, says: /by POST/ },
    ],
  ],
  'known gaps: what the specification, or we, would have otherwise': [
    [
      'the field number 0 ends the message unseen',
      { body: frame(Buffer.from([0, 1, ...request])) },
      { grpc: INVALID_ARGUMENT, says: /is 0/ },
    ],
  ],
};
