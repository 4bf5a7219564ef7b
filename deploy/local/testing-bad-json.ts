import { gzipSync } from 'node:zlib';
import { SCRIPT_KEY, scriptMetadata } from '../../services/kit/experiment.ts';
import { bindings } from './testing-bindings.ts';
import type { HttpRequest } from './testing-http.ts';

/** What comes back: a google.rpc.Status in JSON, unless the status is 200. */
export interface JsonOutcome {
  readonly status: number;
  /** The code of the body; absent for 200. */
  readonly code?: number;
  /** What the body's message says; of 200, what the text says. */
  readonly says?: RegExp;
  /** Headers that are there. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The reason in the body's ErrorInfo; there is none when Envoy answered it itself. */
  readonly reason?: RegExp;
}

/** A sentence, what is sent, what comes back. */
export type JsonRow = [title: string, sent: HttpRequest, outcome: JsonOutcome];

/** Who orders in every bad order: when all of them are refused, this user has none. */
export const BUYER = 44;

/** A good order as JSON; `change` makes it a bad one. */
export function order(change: (text: string) => string = text => text, user = BUYER): string {
  const line = '{"sku":"sail","quantity":1,"unit_price_minor":"100"}';
  return change(`{"order_id":"bad-${user}","user_id":${user},"lines":[${line}],"currency_code":"EUR"}`);
}

/** An order, or something instead of one, as it is posted. */
export function post(body: string | Uint8Array, headers: Record<string, string> = {}): HttpRequest {
  return { method: 'POST', path: '/api/orders', headers: { 'content-type': 'application/json', ...headers }, body };
}

const get = (path: string): HttpRequest => ({ path });
const replaced = (from: string, to: string) => post(order(text => text.replace(from, to)));
const ordered = (user: number, change?: (text: string) => string) => post(order(change, user));
/** A text as it is without percent-encoding, where that is well-formed. */
const decoded = (text: string) => text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
const nested = (open: string, close: string) => `${open.repeat(10_000)}1${close.repeat(10_000)}`;

const aliceWith = (headers: Record<string, string>): HttpRequest => ({ path: '/api/users/123', headers });
const lines = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-line-${n}`, 'x']));

const ALICE: JsonOutcome = { status: 200, says: /"Alice"/ };
const BAD: JsonOutcome = { status: 400, code: 3 };
const NOTHING: JsonOutcome = { status: 404, code: 5, says: /nothing here by this method and path/ };
const TOO_LARGE: JsonOutcome = { status: 413, code: 8, says: /too large/i };
const HEADERS: JsonOutcome = {
  status: 431,
  code: 8,
  says: /^The metadata is too large: send at most \d+ headers of \d+ KiB together$/,
};
const VIOLATED: JsonOutcome = { ...BAD, reason: /^INVALID_REQUEST$/ };

const takes = (verbs: string): JsonOutcome => {
  return { status: 405, code: 12, says: new RegExp(`^This path takes ${verbs}$`), headers: { allow: verbs } };
};

/** Rows that Envoy refuses, and that the service does. */
const bad = (title: string, sent: HttpRequest, says: RegExp): JsonRow => [`${title} is 400`, sent, { ...BAD, says }];
const violated = (title: string, sent: HttpRequest, says: RegExp): JsonRow => [
  `${title} is 400 by the service`,
  sent,
  { ...VIOLATED, says },
];
const quantity = (value: string) => replaced('"quantity":1', `"quantity":${value}`);
/** What the edge says of a value whose form is wrong. */
const invalid = (field: string, value: string, rule: string) =>
  new RegExp(`^${RegExp.escape(`${field}: invalid value ${value}: ${rule}`)}`);
const WHOLE = 'must be a whole number from -';
const orderId = (value: string) => replaced(`"bad-${BUYER}"`, value);

/** What the edge says of a text that is no JSON: where, and what ought to be there. */
const notJson = (expected: string) => new RegExp(`^The body must be JSON by RFC 8259: at byte \\d+ [^;]*, where ${expected}`);
const LINES = 'telltale.orders.v1.OrderLine';

const texts: JsonRow[] = [
  bad('half a JSON text', post('{"order_id":'), notJson('a value must be$')),
  bad('no JSON at all', post('hello'), notJson('a value must be$')),
  bad('a second JSON text', post(order() + order()), notJson('it must end$')),
  bad('a comment', post(`/* an order */${order()}`), notJson('a value must be$')),
  bad('a byte order mark', post(`\uFEFF${order()}`), notJson('a value must be$')),
  bad('a comma after the last field', replaced('"EUR"', '"EUR",'), notJson('a name in double quotes must be$')),
  bad('a comma after the last line', replaced('}]', '},]'), notJson('a value must be$')),
  bad('a comma before the first field', replaced('{', '{,'), notJson('a name in double quotes must be$')),
  bad('two commas', replaced(',', ',,'), notJson('a name in double quotes must be$')),
  bad('no comma', replaced(',', ' '), notJson('"," or "}" must be$')),
  bad('no colon', replaced(':', ' '), notJson('":" must be$')),
  bad('a name in single quotes', replaced('"currency_code"', "'currency_code'"), notJson('a name in double quotes must be$')),
  bad('a name without quotes', replaced('"currency_code"', 'currency_code'), notJson('a name in double quotes must be$')),
  bad('a text in single quotes', replaced('"EUR"', "'EUR'"), notJson('a value must be$')),
  bad('a line break in a text', replaced('sail', 'sa\nil'), notJson('a text goes on')),
  bad('an escape that JSON does not have', replaced('sail', 'sa\\x41il'), notJson('a text goes on')),
  bad('a text that does not end', post('{"order_id":"bad'), notJson('a text goes on')),
  bad('a vertical tab between two tokens', replaced(',', ',\v'), notJson('a name in double quotes must be$')),
  ...[[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]].map(bytes =>
    bad(`invalid UTF-8 (${bytes})`, post(Buffer.from([...Buffer.from('{"order_id":"'), ...bytes, 0x22, 0x7d])), /UTF-8/),
  ),
  ...['\\ud83e', '\\ude00', '\\ude00\\ud83e', '\\ud83ex'].map(half =>
    bad(`half a surrogate pair (${half})`, orderId(`"${half}"`), /surrogate|Invalid unicode code point/),
  ),
  bad('a gzip body', post(gzipSync(order()), { 'content-encoding': 'gzip' }), notJson('a value must be$')),
  ...['NaN', 'Infinity', '+1', '01', '1.', '.5', '0x1', '1e', '-', 'True', 'undefined'].map(value =>
    bad(`${value} for a number`, quantity(value), notJson('')),
  ),
];

const fields: JsonRow[] = [
  bad(
    'an unknown field',
    replaced('{', '{"colour":"red",'),
    /^order\.colour: must be left out, it is no field of [\w.]+\.CreateOrderRequest$/,
  ),
  bad(
    'an unknown field of a line',
    replaced('"sku"', '"colour":{"red":1},"sku"'),
    new RegExp(`^order\\.lines\\[0\\]\\.colour: must be left out, it is no field of ${LINES}$`),
  ),
  bad('an unknown field of another method', { ...post('{"runid":"x"}'), path: '/api/lab/stop' }, /^runid: must be left out/),
  bad('a name with a control character', replaced('{', '{"\\u0007":1,'), /^order\.\?: must be left out/),
  bad('a name of a megabyte', replaced('{', `{"${'x'.repeat(1_000_000)}":1,`), /^order\.x{64}\.\.\.: must be left out/),
  bad('an unknown field that is null', replaced('{', '{"colour":null,'), /^order\.colour: must be left out/),
  bad('a field twice', replaced('{', '{"user_id":1,'), /^order\.user_id: must be given once, it is given again$/),
  bad('a field by both of its names', replaced('{', '{"userId":1,'), /^order\.user_id: must be given once/),
  bad('a field twice, once with an escape', replaced('{', '{"\\u0075ser_id":1,'), /^order\.user_id: must be given once/),
  bad('a field twice, once as null', replaced('{', '{"user_id":null,'), /^order\.user_id: must be given once/),
  bad(
    'all of it at once',
    post('{"lines":{},"colour":1,"order_id":[],"lines":[{"sku":"x","sku":"y","price":1}]}'),
    /^order\.lines: must be a list[^;]*; order\.colour: [^;]*; order\.order_id: [^;]*; order\.lines: [^;]*; order\.lines\[0\]\.sku: [^;]*; order\.lines\[0\]\.price: [^;]*$/,
  ),
  bad(
    'more that is wrong than an answer holds',
    post(`{${Array.from({ length: 1000 }, (_, n) => `"x${n}":1`)}}`),
    /^(order\.x\d+: [^;]*(; |$)){20}$/,
  ),
  [
    'a field by its other name is 200',
    post('{"orderId":"other-name","userId":57,"lines":[{"sku":"x","quantity":1,"unitPriceMinor":"1"}],"currencyCode":"EUR"}'),
    { status: 200 },
  ],
  ['a name with escapes is 200', ordered(58, text => text.replace('user_id', '\\u0075ser\\u005Fid')), { status: 200 }],
];

const values: JsonRow[] = [
  ...[
    ...[
      '2147483648',
      '-2147483649',
      '99999999999999999999',
      '1.5',
      '1.0',
      '1e2',
      '1E0',
      '-0.0',
      '1e400',
      '-1e999999999',
      'true',
      'false',
    ],
    ...[
      '"many"',
      '""',
      '"+1"',
      '"01"',
      '" 1"',
      '"1 "',
      '"1.0"',
      '"1e2"',
      '"0x1"',
      '"true"',
      '"null"',
      '"2147483648"',
      '"-"',
      '"--1"',
    ],
  ].map(value => bad(`${value} for an int32`, quantity(value), invalid('order.lines[0].quantity', value, WHOLE))),
  ...[
    '9223372036854775808',
    '-9223372036854775809',
    '"9223372036854775808"',
    '1e2',
    '"1e2"',
    '1.0',
    '"+100"',
    'true',
    '""',
  ].map(value =>
    bad(`${value} for an int64`, replaced('"100"', value), invalid('order.lines[0].unit_price_minor', value, WHOLE)),
  ),
  ...['9223372036854775807', '"9223372036854775807"', '"-9223372036854775808"', '-9223372036854775808', '"\\u002d1"'].map(
    value =>
      violated(
        `${value} for a price`,
        replaced('"100"', value),
        /^order\.lines\[0\]\.unit_price_minor: must be from 0 to 1000000/,
      ),
  ),
  ...['2147483647', '-2147483648', '"2147483647"', '-0', '"-0"', '0'].map(value =>
    violated(`${value} for a quantity`, quantity(value), /^order\.lines\[0\]\.quantity: must be from 1 to 1000/),
  ),
  [
    'whole numbers in quotes, or not, are 200',
    ordered(59, text => text.replace(':1,', ':"1",').replace('"100"', '100')),
    { status: 200 },
  ],
  ['a field that is null is one that is left out, 200', ordered(61, text => text.replace('"100"', 'null')), { status: 200 }],
  bad('null after the lines', replaced('}]', '},null]'), /^order\.lines\[1\]: must not be null: leave the element out$/),
  bad('null before the lines', replaced('[{', '[null,{'), /^order\.lines\[0\]: must not be null: leave the element out$/),
  bad(
    'nothing but null for the lines',
    post(order(text => text.replace(/\[.*\]/, '[null]'))),
    /^order\.lines\[0\]: must not be null/,
  ),
  violated(
    'null for the list of lines',
    post(order(text => text.replace(/\[.*\]/, 'null'))),
    /^order\.lines: must have from 1/,
  ),
  bad('an object for a number', quantity('{}'), /^order\.lines\[0\]\.quantity: must be a single value, and begins with \{$/),
  ...['5', '-1.5e3', 'true', 'false'].map(value =>
    bad(`${value} for a text`, orderId(value), invalid('order.order_id', value, 'must be a text in double quotes')),
  ),
  bad('an array for a text', orderId('["x"]'), /^order\.order_id: must be a single value, and begins with \[$/),
  bad('an array for the order', post('[1]'), /^order: must be an object, and begins with \[$/),
  bad(
    'an object for a list',
    post(order(text => text.replace(/[[\]]/g, ''))),
    /^order\.lines: must be a list, and begins with \{$/,
  ),
  bad(
    'a text for a list',
    post(order(text => text.replace(/\[.*\]/, '"x"'))),
    /^order\.lines: must be a list, and begins with "$/,
  ),
  bad('a number for an element', post(order(text => text.replace(/\[.*\]/, '[5]'))), /^order\.lines\[0\]: must be an object/),
  bad('a text for the order', post('"x"'), /^order: must be an object, and begins with "$/),
  violated('no body, an empty order', post(''), /order\.order_id: .*order\.lines: .*order\.currency_code: /),
  violated('null', post('null'), /^order: must be given, with order_id, user_id, lines, currency_code; it is missing$/),
  bad('an order with 10,000 nested arrays', post(order(text => text.replace(/\[.*\]/, nested('[', ']')))), /too deep/),
  bad('an unknown field with 10,000 nested arrays', replaced('{', `{"x":${nested('[', ']')},`), /too deep/),
  bad('an unknown field with 10,000 nested objects', replaced('{', `{"x":${nested('{"x":', '}')},`), /too deep/),
  ['a text of 2 MB is 413', replaced('sail', 'x'.repeat(2_000_000)), TOO_LARGE],
  ['a text of 5 MB is 413', replaced('sail', 'x'.repeat(5_000_000)), TOO_LARGE],
  ['white space of 5 MB after the order is 413', post(order() + ' '.repeat(5_000_000)), TOO_LARGE],
  ['5 MB without a length are 413', post(order() + ' '.repeat(5_000_000), { 'transfer-encoding': 'chunked' }), TOO_LARGE],
];

/** What the edge says of a key that the query cannot have. */
const noField = (key: string, of: string) =>
  new RegExp(`^${RegExp.escape(`${key}: must be left out, it is no field of the query of ${of}`)}$`);

/** A body that the edge must look at, whatever the path to its method looks like. */
const spelled = (path: string): HttpRequest => ({ ...replaced('{', '{"colour":"red",'), path });

const ways: JsonRow[] = [
  bad(
    'an unknown field in a body without a length',
    { ...spelled('/api/orders'), headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' } },
    /colour/,
  ),
  ...['order.user_id', 'order', 'user_id', 'x'].map(key =>
    bad(
      `${key} in the query beside a body`,
      { ...post(order()), path: `/api/orders?${key}=8` },
      noField(key, 'POST /api/orders: it takes nothing'),
    ),
  ),
  ...['/api/orders/', '/api//orders', '/api/./orders', '/api/x/../orders', '//api/orders', '/api/orders?', '/api/orders/?'].map(
    path => bad(`an unknown field to ${path}`, spelled(path), /colour/),
  ),
  ...['/API/orders', '/api/orders:x', '/api/orders;x', '/api/orders.'].map(
    (path): JsonRow => [`an unknown field to ${path}, which is another path, is 404`, spelled(path), NOTHING],
  ),
  ['a body to /api/orders/x, which takes GET, is 405', spelled('/api/orders/x'), takes('GET, HEAD')],
  ...['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map(
    (method): JsonRow => [`${method} of an order is 405`, { ...spelled('/api/orders'), method }, takes('POST')],
  ),
  bad(
    'a GET whose body says otherwise than its path',
    { path: '/api/users/7', headers: { 'content-type': 'application/json', 'content-length': '8' }, body: '{"id":8}' },
    /^A GET must have no body/,
  ),
  ['a GET with a body of no length is 200', { path: '/api/users/123', headers: { 'content-length': '0' } }, ALICE],
];

const METHOD = '/telltale.users.v1.UserService/GetUser';

const paths: JsonRow[] = [
  ...['/', '/api', '/api/nothing', '/API/users/123', '/api/users/123/orders'].map(
    (path): JsonRow => [`GET ${path} is 404`, get(path), NOTHING],
  ),
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method): JsonRow => {
    return [`${method} /api/users/123 is 405`, { ...post('{}'), method, path: '/api/users/123' }, takes('GET, HEAD')];
  }),
  [`GET ${METHOD} is 405`, get(METHOD), { status: 405, code: 12, says: /by POST/, headers: { allow: 'POST' } }],
  [`JSON to ${METHOD} is 415`, { ...post('{"id":123}'), path: METHOD }, { status: 415, code: 3, says: /content type/ }],
  ...['/api/users/%00', '/api/users/123%00', '/api/orders/a%2Fb', '/api/orders/a%5Cb'].map(path =>
    bad(`GET ${path}`, get(path), /must not contain %2F, %5C, %00 or #/),
  ),
  ['GET /api/users/%2e%2e is the folder above, 404', get('/api/users/%2e%2e'), NOTHING],
  ['GET /api/users/%2e%2e/users/123 is /api/users/123', get('/api/users/%2e%2e/users/123'), ALICE],
  ['GET /api//users//123 is /api/users/123', get('/api//users//123'), ALICE],
  ...[
    'abc',
    '1e2',
    '1.5',
    '0x10',
    '+123',
    '0123',
    '%2B123',
    '123%20',
    '%20123',
    '%zz',
    '123;a=b',
    '2147483648',
    '9'.repeat(20),
  ].map(id => bad(`GET /api/users/${id}`, get(`/api/users/${id}`), invalid('id', `"${decoded(id)}"`, 'must '))),
  ['GET /api/users/%31%32%33 is /api/users/123', get('/api/users/%31%32%33'), ALICE],
  ['GET /api/users/123/, with a slash at the end, is /api/users/123', get('/api/users/123/'), ALICE],
  bad(
    'GET of an order by half of a percent-encoding',
    get('/api/orders/a%2'),
    invalid('order_id', '"a%2"', 'must have two hex'),
  ),
  bad('a # in a path', get('/api/users/123#top'), /must not contain %2F, %5C, %00 or #$/),
  ...['0', '-1'].map(id => violated(`GET /api/users/${id}`, get(`/api/users/${id}`), /^id: must be at least 1/)),
  ['GET of the last id is 404', get('/api/users/2147483647'), { status: 404, code: 5, reason: /^USER_NOT_FOUND$/ }],
  violated('GET /api/orders/%ff, invalid UTF-8,', get('/api/orders/%ff'), /UTF-8/),
  violated('an order id of 300 letters', get(`/api/orders/${'x'.repeat(300)}`), /^order_id: must be 1 to 128/),
  [
    'an order id of 5,000 letters, more than the method takes, is 429',
    get(`/api/orders/${'x'.repeat(5000)}`),
    { status: 429, code: 8, reason: /^REQUEST_TOO_LARGE$/, says: /WatchOrder takes at most 4096; send less at once$/ },
  ],
  ['a path of 70 KB is 431', get(`/api/users/${'1'.repeat(70_000)}`), HEADERS],
];

const again = (key: string) => new RegExp(`^${RegExp.escape(key)}: must be left out of the query, the path names it$`);
const listUsers = (query: string) => get(`/api/users?${query}`);
const TAKES = 'GET /api/users: it takes page_size, page_token';

const queries: JsonRow[] = [
  ...['colour', 'utm_source', 'users.id', 'page_size.x', '__proto__', 'PAGE_SIZE', 'page_size[]', ' page_size'].map(key =>
    bad(`the unknown key "${key}"`, listUsers(`${encodeURIComponent(key)}=1`), noField(encodeURIComponent(key), TAKES)),
  ),
  bad('an unknown key without a value', listUsers('colour'), noField('colour', TAKES)),
  bad(
    'an unknown key after a path that names one thing',
    get('/api/users/123?utm_source=y'),
    noField('utm_source', 'GET /api/users/{id}: it takes nothing'),
  ),
  bad(
    'an unknown key of a profile',
    get('/api/users/123/profile?colour=red'),
    noField('colour', 'GET /api/users/{user_id}/profile: it takes order_limit'),
  ),
  ...bindings.flatMap(({ template, held, others }) => {
    const path = template.replace(/\{\w+\}/, '7');
    return [
      ...held.map(name => bad(`${path}?${name}=8`, get(`${path}?${name}=8`), again(name))),
      ...others.map((name): JsonRow => [`${path}?${name}=1 is 200, the control`, get(`${path}?${name}=1`), { status: 200 }]),
    ];
  }),
  ...Object.entries({
    '7?%69d=8': '%69d',
    '/7?id=8': 'id',
    '7/?id=8': 'id',
    './7?id=8': 'id',
    '7?id': 'id',
    '7/profile?order_limit=1&userId=8': 'userId',
    '7/profile/?user_id=8': 'user_id',
    '7/profile?%75ser_id=8': '%75ser_id',
    '7/profile?order_limit=1&user%5fid=8': 'user%5fid',
  }).map(([path, key]) => bad(`/api/users/${path}`, get(`/api/users/${path}`), again(key))),
  ...Object.entries({
    'page_size=9&page_size=1': 'page_size',
    'page_size=1&page_size=1': 'page_size',
    'page_size=9&pageSize=1': 'pageSize',
    'pageSize=9&page_token=&page_size=1': 'page_size',
    'page_token=&page_token=': 'page_token',
  }).map(([query, key]) => bad(query, listUsers(query), new RegExp(`^${key}: must be given once, it is given again$`))),
  ...['page%5fsize=1', 'p%61geSize=1'].map(query =>
    bad(query, listUsers(query), /^p[\w%]+: must be written without %, as page_?[sS]ize$/),
  ),
  ...['&', '&page_size=1', 'page_size=1&', 'page_size=1&&page_token=', '=', '=1', 'page_size=1&=2'].map(query =>
    bad(
      `a part without a name (${query})`,
      listUsers(query),
      /^the query: must have a name before each value, and has "(|=\d?)"/,
    ),
  ),
  ...['page_size', 'page_token', 'page_token&page_size=1'].map(query =>
    bad(`a key without = (${query})`, listUsers(query), /^page_\w+: must be followed by = and its value$/),
  ),
  ...[
    'abc',
    '',
    '+1',
    '%2B1',
    '01',
    '1.0',
    '1e2',
    '0x1',
    '%201',
    '1%20',
    '1+',
    '1,2',
    '[1]',
    'null',
    '"1"',
    '1=1',
    '1;x=2',
    '2147483648',
  ].map(value =>
    bad(`page_size=${value}`, listUsers(`page_size=${value}`), invalid('page_size', `"${decoded(value)}"`, WHOLE)),
  ),
  ...['%', '%2', '%zz', 'x%4'].map(value =>
    bad(`page_token=${value}`, listUsers(`page_token=${value}`), invalid('page_token', `"${value}"`, 'must have two hex')),
  ),
  bad(
    'all of it at once',
    get('/api/users/x/profile?utm_source=y&order_limit=+1&userId=1&&orderLimit=2'),
    /^user_id: invalid [^;]*; utm_source: [^;]*; order_limit: invalid [^;]*; userId: [^;]*; the query: [^;]*; orderLimit: must be given once[^;]*$/,
  ),
  bad(
    'more that is wrong than an answer holds',
    listUsers(Array.from({ length: 1000 }, (_, n) => `x${n}=1`).join('&')),
    /^(x\d+: [^;]*(; |$)){20}$/,
  ),
  [
    'a text that is empty, the default, is 200',
    listUsers('page_token=&pageSize=1'),
    { status: 200, says: /^\{"users":\[\{[^{]*\],/ },
  ],
  ['a number with an escape is 200', listUsers('page_size=%31'), { status: 200, says: /^\{"users":\[\{[^{]*\],/ }],
  ['/api/users/123? is /api/users/123', get('/api/users/123?'), ALICE],
  violated('a value out of range', get('/api/users?page_size=1001'), /^page_size: must be from 0 to 1000/),
  violated('%00 in a value', get('/api/users?page_token=x%00'), /\\u0000/),
  violated(
    'a text that the answer cuts within a character',
    get(`/api/users?page_token=x${encodeURIComponent('🧵'.repeat(64))}`),
    /x🧵+/,
  ),
];

const slow = (scriptMetadata([{ service: 'users', waitMs: 1000 }]).get(SCRIPT_KEY)[0] as Buffer).toString('base64');

const headers: JsonRow[] = [
  ['a header of 70 KB is 431', aliceWith({ 'x-large': 'x'.repeat(70 * 1024) }), HEADERS],
  ['200 header lines are 431', aliceWith(lines(200)), HEADERS],
  ['90 header lines, which with those of the edge are too many for a service, are 431', aliceWith(lines(90)), HEADERS],
  ['a malformed grpc-timeout is 400', aliceWith({ 'grpc-timeout': 'abc' }), { ...BAD, says: /Invalid grpc-timeout/ }],
  ['a name with an underscore is 200', aliceWith({ with_underscore: 'x' }), ALICE],
  ['a header of 1,000 KB is 431', aliceWith({ 'x-large': 'x'.repeat(1000 * 1024) }), HEADERS],
  ['an unknown verb is 400', { method: 'FOO', path: '/api/users/123' }, BAD],
  [
    'a grpc-timeout that passes is 504',
    aliceWith({ 'grpc-timeout': '50m', [SCRIPT_KEY]: slow }),
    { status: 504, code: 4, reason: /^(DEADLINE_EXCEEDED)?$/ }, // of Envoy or of the service, who is first
  ],
];

const typed = (type: string, user = BUYER): HttpRequest => ({
  ...ordered(user),
  headers: type ? { 'content-type': type } : {},
});
const NOT_JSON: JsonOutcome = { status: 415, code: 3, says: /content type must be application\/json/ };

const types: JsonRow[] = [
  ...['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'text/application/json', ''].map(
    (type): JsonRow => [`an order as ${type || 'no content type'} is 415`, typed(type), NOT_JSON],
  ),
  ['an order as application/json; charset=utf-8 is 200', typed('application/json; charset=utf-8', 55), { status: 200 }],
  ['an order as Application/JSON is 200', typed('Application/JSON', 56), { status: 200 }],
];

/** The rows by what is bad about them. */
export const badJson: Record<string, JsonRow[]> = { texts, fields, values, ways, paths, queries, headers, types };
