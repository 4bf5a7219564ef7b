import { readFileSync } from 'node:fs';
import type { Server } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

/** The descriptors of all our services, the same file that the edge transcodes JSON with. */
const DESCRIPTORS = new URL('../../charts/telltale/files/envoy/telltale.binpb', import.meta.url);

/**
 * Adds gRPC server reflection for the named services (full names), so that tools such as grpcurl need no `.proto` files.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export function addReflection(server: Server, services: string[]): void {
  const definitions = loadFileDescriptorSetFromBuffer(readFileSync(DESCRIPTORS));
  new ReflectionService(definitions, { services }).addToServer(server);
}
