import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { service as healthDefinition } from 'grpc-health-check';
import { parse } from 'yaml';
import type { RawAnswer } from '../../services/kit/testing-raw-call.ts';
import { repo } from './paths.ts';
import { HEALTH_CHECK } from './testing-caller.ts';

const chart = join(repo, 'charts', 'telltale');

/** What is declared: who may call whom, and who keeps a database. */
export const values: {
  services: Record<string, { proto: string; upstreams: string[]; stores: boolean; runsExperiments?: boolean }>;
  edge: { upstreams: string[] };
} = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));

/** The services. */
export const CALLEES = Object.keys(values.services);

/** Every path that a pod may be asked for: the methods of all contracts, and those that tools ask for. */
export const PATHS = [
  ...fromBinary(FileDescriptorSetSchema, readFileSync(join(chart, 'files', 'envoy', 'telltale.binpb')))
    .file.filter(file => file.package.startsWith('telltale.'))
    .flatMap(file => file.service.flatMap(({ name, method }) => method.map(each => `/${file.package}.${name}/${each.name}`))),
  ...Object.values(healthDefinition).map(({ path }) => path),
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
];

/** Every identity that there is, and one that the authority has given to somebody whom no value names. */
export const CALLERS = ['edge', ...CALLEES, 'check', 'stranger'];

/** How a call that is allowed is written down. */
export const sentence = (caller: string, callee: string, path: string) => `${caller} may call ${path} of ${callee}`;

/** What callers may do by what values.yaml says, sorted; where experiments are on, as everywhere that tests run. */
export function declared(callees: readonly string[]): string[] {
  const may = callees.flatMap(callee => {
    const { proto, runsExperiments = false } = values.services[callee] ?? {};
    const callers = CALLERS.filter(caller => {
      if (runsExperiments && caller !== callee) return caller === 'edge' || CALLEES.includes(caller);
      const { upstreams } = values.services[caller] ?? (caller === 'edge' ? values.edge : { upstreams: [] });
      return upstreams.includes(callee);
    });
    const own = PATHS.filter(path => path.startsWith(`/${proto}/`));
    return [
      ...callers.flatMap(caller => own.map(path => sentence(caller, callee, path))),
      ...[...callers, 'check'].map(caller => sentence(caller, callee, HEALTH_CHECK)),
    ];
  });
  return may.sort();
}

/** Whether an answer at a mesh port is not the denial of its Envoy. Throws when it is no answer, or says more than it should. */
export function isAllowed({ httpStatus, grpcStatus, grpcMessage }: Omit<RawAnswer, 'headers' | 'body' | 'resetCode'>): boolean {
  if (httpStatus !== 200) throw new Error(`the answer has the HTTP status ${httpStatus}`);
  if (grpcStatus !== status.PERMISSION_DENIED) return true;
  if (grpcMessage !== 'RBAC: access denied') throw new Error(`the denial says: ${grpcMessage}`);
  return false;
}
