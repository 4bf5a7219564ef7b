import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, type MethodDescriptorProto, MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { parse } from 'yaml';
import { parseObjects } from './local/render.ts';
import { chart, renderText } from './run-helm.ts';

interface Values {
  services: Record<string, { proto: string; streams: string[] }>;
}

const text = (...path: string[]) => readFileSync(join(chart, ...path), 'utf8');
const { services } = parse(text('values.yaml')) as Values;
const descriptor = fromBinary(FileDescriptorSetSchema, readFileSync(join(chart, 'files', 'envoy', 'telltale.binpb'))).file;
const methods = methodsByService();

describe('the chart agrees with the rest of the repository', () => {
  it('its version and appVersion are the version of package.json', () => {
    const { version } = JSON.parse(text('..', '..', 'package.json'));
    const about = parse(text('Chart.yaml'));
    assert.deepEqual([about.version, about.appVersion], [version, version]);
  });

  it('its services are the services of the contracts', () => {
    assert.deepEqual(
      Object.values(services)
        .map(({ proto }) => proto)
        .sort(),
      [...methods.keys()].sort(),
    );
  });

  it('the descriptor knows the types of error details, without which a JSON caller would get an error with no body', () => {
    const types = descriptor
      .filter(file => file.package === 'google.rpc')
      .flatMap(file => file.messageType.map(({ name }) => name));
    for (const type of ['BadRequest', 'ErrorInfo', 'RetryInfo', 'RequestInfo']) assert.ok(types.includes(type), type);
  });

  for (const [name, { proto, streams }] of Object.entries(services)) {
    it(`services.${name}.streams are the methods that stream in the contract`, () => {
      const streaming = methods
        .get(proto)
        ?.filter(({ clientStreaming, serverStreaming }) => clientStreaming || serverStreaming);
      assert.deepEqual(streams.toSorted(), streaming?.map(method => method.name).sort());
    });

    it(`${name}: every unary method is idempotent by contract, because every one is retried`, () => {
      const { IDEMPOTENCY_UNKNOWN } = MethodOptions_IdempotencyLevel;
      const unknown = methods
        .get(proto)
        ?.filter(({ name, options }) => !streams.includes(name) && (options?.idempotencyLevel ?? 0) === IDEMPOTENCY_UNKNOWN);
      assert.deepEqual(
        unknown?.map(method => method.name),
        [],
      );
    });
  }
});

describe('helm template refuses values that are wrong and says which', { concurrency: 4 }, () => {
  const storefront =
    '"proto":"telltale.x.v1.X","replicas":1,"upstreams":[],"deadline":{"default":"1s","max":"2s"},"streams":[]';
  const rows: [values: string, says: RegExp][] = [
    // What the schema refuses: unknown, missing, of another type, out of range.
    ['replicas=2', /at '': additional properties 'replicas' not allowed/],
    ['services.users.replcas=1', /at '\/services\/users': additional properties 'replcas'/],
    ['services.users.deadline.defualt="1s"', /at '\/services\/users\/deadline': additional properties 'defualt'/],
    ['edge.replica=1', /at '\/edge': additional properties 'replica'/],
    ['envoy.concurency=1', /at '\/envoy': additional properties 'concurency'/],
    ['services=null', /at '': missing property 'services'/],
    ['services.x={}', /at '\/services\/x': missing properties/],
    [`services.x={${storefront}}`, /at '\/services\/x': missing property 'stores'/],
    [`services.Shop={${storefront},"stores":false}`, /'Shop' does not match pattern/],
    [`services.${'x'.repeat(64)}={${storefront},"stores":false}`, /'x{64}' does not match pattern/],
    [`services.a_b={${storefront},"stores":false}`, /'a_b' does not match pattern/],
    ['services.users.proto="UserService"', /at '\/services\/users\/proto': 'UserService' does not match/],
    ['services.users.replicas=-1', /at '\/services\/users\/replicas': minimum: got -1, want 0/],
    ['services.users.replicas="3"', /at '\/services\/users\/replicas': got string, want integer/],
    ['services.users.replicas=1.5', /at '\/services\/users\/replicas': got number, want integer/],
    ['services.users.upstreams="orders"', /at '\/services\/users\/upstreams': got string, want array/],
    ['services.storefront.upstreams=["users","users"]', /at '\/services\/storefront\/upstreams': items at 0 and 1 are equal/],
    ['services.users.deadline.default=5', /at '\/services\/users\/deadline\/default': got number, want string/],
    ['services.users.deadline.default="5"', /at '\/services\/users\/deadline\/default': '5' does not match/],
    ['services.users.deadline.default="0s"', /at '\/services\/users\/deadline\/default': '0s' does not match/],
    ['services.users.deadline.max="500ms"', /at '\/services\/users\/deadline\/max': '500ms' does not match/],
    ['services.users.deadline.max="301s"', /at '\/services\/users\/deadline\/max': '301s' does not match/],
    ['services.orders.streams=["watchOrder"]', /at '\/services\/orders\/streams\/0': 'watchOrder' does not match/],
    ['services.orders.stores="yes"', /at '\/services\/orders\/stores': got string, want boolean/],
    ['edge.port=0', /at '\/edge\/port': minimum: got 0/],
    ['edge.port=70000', /at '\/edge\/port': maximum: got 70,000/],
    ['edge.port="x"', /at '\/edge\/port': got string, want integer/],
    ['edge.port=15021', /at '\/edge\/port': 'not' failed/],
    ['edge.upstreams=[]', /at '\/edge\/upstreams': minItems: got 0, want 1/],
    ['edge.corsOrigins=["*"]', /at '\/edge\/corsOrigins\/0': '\*' does not match/],
    ['image.tag="latest"', /at '\/image\/tag': 'not' failed/],
    ['image.tag=1.5', /at '\/image\/tag': got number, want string/],
    ['image.pullPolicy="Sometimes"', /at '\/image\/pullPolicy': value must be one of/],
    ['envoy.image="envoyproxy/envoy:latest"', /at '\/envoy\/image': 'not' failed/],
    ['envoy.image="envoyproxy/envoy@sha256:abc"', /at '\/envoy\/image': 'envoyproxy\/envoy@sha256:abc' does not match/],
    ['envoy.concurrency=0', /at '\/envoy\/concurrency': minimum: got 0, want 1/],
    ['limits.jsonBodyBytes="1GB"', /at '\/limits\/jsonBodyBytes': got string, want integer/],
    ['discovery="consul"', /at '\/discovery': value must be one of 'dns', 'file'/],
    ['storage="mysql"', /at '\/storage': value must be one of 'sqlite', 'postgresql'/],
    ['experiments="true"', /at '\/experiments': got string, want boolean/],
    ['logLevel="verbose"', /at '\/logLevel': value must be one of/],
    ['drain.waitMs=-1', /at '\/drain\/waitMs': minimum: got -1, want 0/],
    ['drain.timeoutMs="10s"', /at '\/drain\/timeoutMs': got string, want integer/],
    // What templates/validate.yaml refuses: one value beside another.
    [
      'services.storefront.upstreams=["users","billing"]',
      /services\.storefront\.upstreams: billing is no service; .* remove it here/,
    ],
    ['services.users.upstreams=["users"]', /services\.users\.upstreams: users is the service itself/],
    [
      'services.payments.upstreams=["storefront"]',
      /services\.payments\.upstreams: storefront leads into a cycle \(orders, payments, storefront\)/,
    ],
    ['services.users.deadline.default="11s"', /services\.users\.deadline\.default: 11s is longer than deadline\.max \(10s\)/],
    [
      'services.users.proto="telltale.orders.v1.OrderService"',
      /services\.users\.proto: telltale\.orders\.v1\.OrderService is also that of services\.orders/,
    ],
    [`services.edge={${storefront},"stores":false}`, /services\.edge: the name is taken/],
    ['services.users=null', /edge\.upstreams: users is no service/],
    ['edge.upstreams=["lab"]', /edge\.upstreams: lab is no service/],
    [
      'drain.terminationGracePeriodSeconds=15',
      /drain\.terminationGracePeriodSeconds: 15 s is not longer than drain\.waitMs \+ drain\.timeoutMs \(15000 ms\)/,
    ],
    ['storage="postgresql"', /database\.existingSecret: is empty, but services\.orders stores/],
  ];
  for (const [values, says] of rows) {
    it(values, async () => {
      await assert.rejects(renderText('--set-json', values), says);
    });
  }

  it('says all that is wrong at once', async () => {
    const wrong = renderText('--set-json', 'storage="postgresql",edge.upstreams=["lab"],services.users.deadline.default="11s"');
    await assert.rejects(wrong, ({ message }: Error) =>
      ['services.users.deadline.default: ', 'database.existingSecret: ', 'edge.upstreams: '].every(path =>
        message.includes(path),
      ),
    );
  });
});

describe('helm template accepts', { concurrency: 4 }, () => {
  const accepted = [
    'global={"any":1}',
    'services.users.replicas=0',
    'services.users.deadline={"default":"0.25s","max":"300s"}',
    'services.users={"proto":"telltale.users.v1.UserService","replicas":1,"upstreams":["payments"],"deadline":{"default":"1s","max":"1s"},"streams":[],"stores":true}',
    'edge.port=9000',
    'storage="postgresql",database={"existingSecret":"db","key":"url"}',
  ];
  for (const values of accepted) {
    it(values, async () => {
      const kinds = parseObjects(await renderText('--set-json', values)).map(({ kind }) => kind);
      assert.equal(kinds.filter(kind => kind === 'Deployment').length, 5);
    });
  }
});

/** The methods of each service of Telltale, by the service's full name. */
function methodsByService(): Map<string, MethodDescriptorProto[]> {
  const files = descriptor.filter(file => file.package.startsWith('telltale.'));
  return new Map(files.flatMap(file => file.service.map(({ name, method }) => [`${file.package}.${name}`, method] as const)));
}
