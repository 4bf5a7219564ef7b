import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { bind } from './server.ts';
import { emptyOrders, testService } from './testing.ts';

testService(() => bind(Orders, emptyOrders()));
