import { status } from '@grpc/grpc-js';
import type { PaymentServiceService } from '../../proto/gen/telltale/payments/v1/payments.ts';
import type { Handlers } from '../kit/handler.ts';
import { RpcError } from '../kit/rpc-error.ts';
import type { Ledger } from './ledger.ts';

/** The most that one charge can be, in the currency's minor unit. */
export const LIMIT_MINOR = 1_000_000n;

/** Answers PaymentService from a ledger. */
export function payments(ledger: Ledger): Handlers<typeof PaymentServiceService> {
  return {
    async charge(request, context) {
      if (request.amountMinor > LIMIT_MINOR) throw limitExceeded(request.amountMinor);
      // the timer that aborts the signal fires late when something kept the event loop busy
      if (context.remainingMs() === 0) throw expired();
      return ledger.charge(request, context.signal);
    },

    async getCharge({ idempotencyKey }, { signal }) {
      const charge = await ledger.find(idempotencyKey, signal);
      if (!charge) throw new RpcError(status.NOT_FOUND, 'nothing was charged for this key', { reason: 'CHARGE_NOT_FOUND' });
      return { charge };
    },
  };
}

function limitExceeded(amountMinor: bigint): RpcError {
  const message = `amount_minor: one charge can be at most ${LIMIT_MINOR}, is ${amountMinor}`;
  return new RpcError(status.FAILED_PRECONDITION, message, { reason: 'LIMIT_EXCEEDED' });
}

function expired(): RpcError {
  return new RpcError(status.DEADLINE_EXCEEDED, 'the deadline has passed; nothing was charged', {
    reason: 'DEADLINE_EXCEEDED',
  });
}
