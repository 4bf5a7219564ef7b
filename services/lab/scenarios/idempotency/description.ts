import type { Description } from '../../scenario.ts';

/** What readers are told of this scenario. */
export const description: Description = {
  question: 'The deadline has passed and the caller asks again: how often is the money charged?',
  method:
    'PlaceOrder goes from storefront to orders to payments, which takes longer than the deadline allows. Orders calls payments ' +
    'without the deadline, as a service does that does not hand it on, so the charge is made after the caller has given up. The ' +
    'caller waits until that has happened and places the order again: in one arm by the same order id, which is the key of its ' +
    'charge, in the control by a new one. The ledger is asked before and after.',
  reading:
    '“Charges per order” is what the ledger holds for each order that a customer wanted: 1 is right. “Done all the same” is the ' +
    'share of the calls that ended with DEADLINE_EXCEEDED and were charged.',
  limits: [
    'How rare it is: where deadlines are handed on, only a write that is under way at the last moment outlives its caller.',
    'Attempts that race each other, or a process that dies between write and answer.',
    'Keys that are forgotten after a time: this ledger keeps them for ever.',
  ],
};
