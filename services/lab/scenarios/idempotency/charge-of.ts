import { status } from '@grpc/grpc-js';
import type { CallOptions } from '../../../kit/client.ts';
import { hasCode } from '../../../kit/rpc-error.ts';
import type { Mesh } from '../../mesh.ts';

/** The charge of a key in the ledger, by its id; undefined when there is none. */
export async function chargeOf({ payments }: Mesh, idempotencyKey: string, options: CallOptions): Promise<string | undefined> {
  try {
    const { charge } = await payments.getCharge({ idempotencyKey }, options);
    return charge?.chargeId;
  } catch (error) {
    if (hasCode(error, status.NOT_FOUND)) return undefined;
    throw error;
  }
}
