import type { CreateOrderRequest } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { checkCurrencyCode, checkId, checkRange, checkText } from '../kit/check-fields.ts';
import type { Check } from '../kit/validate.ts';

/** The largest user id, and the largest value of any int32 field. */
export const MAX_INT32 = 2 ** 31 - 1;

const MAX_LINES = 200;

/** Checks an order by the rules of orders.proto; `prefix` is put before the path of each field. */
export function checkOrder(check: Check, order: CreateOrderRequest, prefix = ''): void {
  checkId(check, `${prefix}order_id`, order.orderId);
  checkRange(check, `${prefix}user_id`, order.userId, 1, MAX_INT32);
  const count = order.lines.length;
  check(count >= 1 && count <= MAX_LINES, `${prefix}lines`, `must be 1 to ${MAX_LINES} lines, are ${count}`);
  for (const [index, line] of order.lines.slice(0, MAX_LINES).entries()) {
    const path = `${prefix}lines[${index}]`;
    checkText(check, `${path}.sku`, line.sku, 64);
    checkRange(check, `${path}.quantity`, line.quantity, 1, 1000);
    checkRange(check, `${path}.unit_price_minor`, line.unitPriceMinor, 0n, 1_000_000n);
  }
  checkCurrencyCode(check, `${prefix}currency_code`, order.currencyCode);
}
