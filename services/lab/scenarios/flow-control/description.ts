import type { Description } from '../../scenario.ts';

/** What readers are told of this scenario. */
export const description: Description = {
  question: 'Who holds the items of a stream when its reader is slow?',
  method:
    'A reader takes a long ListOrders of large orders and works on each of them for some time. In one arm it takes the next order when ' +
    'it is done with the one before. In the control it takes what comes into a queue.',
  reading:
    'The figures say how many items the reader itself held at most, how much its live heap had grown half way (which includes the 16 ' +
    'messages that grpc-js reads ahead of any reader), and how much was still on its way when the server had written the last item. ' +
    'That is how far the server can be ahead: so much fits into the buffers and the flow-control windows of the connections and of two ' +
    'proxies. The stream is longer, so its server had to wait for the reader. A stream of a tenth of its length would have been ' +
    'written to its end at once.',
  limits: [
    'Servers that write without waiting for the stream: these hold in memory what their reader does not take.',
    'How long other calls on the same connections wait meanwhile.',
    'Streams that stay open for hours.',
  ],
};
