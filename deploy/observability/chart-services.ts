import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { parse } from 'yaml';
import { chart } from '../run-helm.ts';

/** A service of the chart as its metrics name it. */
export interface ChartService {
  /** As in `grpc_method`. */
  readonly methods: readonly string[];
}

/** The services of values.yaml by their short names, with the methods of their contracts. */
export function chartServices(): Map<string, ChartService> {
  const { services } = parse(readFileSync(join(chart, 'values.yaml'), 'utf8')) as {
    services: Record<string, { proto: string }>;
  };
  const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(join(chart, 'files', 'envoy', 'telltale.binpb')));
  const methods = file.flatMap(of =>
    of.service.flatMap(({ name, method }) => method.map(m => `${of.package}.${name}/${m.name}`)),
  );
  return new Map(
    Object.entries(services).map(([name, { proto }]) => [
      name,
      { methods: methods.filter(method => method.startsWith(`${proto}/`)) },
    ]),
  );
}
