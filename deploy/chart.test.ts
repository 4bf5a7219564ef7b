import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, type MethodDescriptorProto, MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { parse } from 'yaml';
import { chart } from './run-helm.ts';

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
    for (const folder of ['', join('charts', 'observability')]) {
      const about = parse(text(folder, 'Chart.yaml'));
      assert.deepEqual([about.version, about.appVersion], [version, version]);
    }
    assert.deepEqual(parse(text('Chart.yaml')).dependencies, [
      { name: 'observability', version, condition: 'observability.enabled' },
    ]);
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

/** The methods of each service of Telltale, by the service's full name. */
function methodsByService(): Map<string, MethodDescriptorProto[]> {
  const files = descriptor.filter(file => file.package.startsWith('telltale.'));
  return new Map(files.flatMap(file => file.service.map(({ name, method }) => [`${file.package}.${name}`, method] as const)));
}
