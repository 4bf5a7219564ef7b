import type { Description } from '../../scenario.ts';

/** What readers are told of this scenario. */
export const description: Description = {
  question: 'How many bytes does an order take on the wire, and how much of the difference is left once both are compressed?',
  method:
    'Orders of 1, 20 and 200 lines are stored at orders, by ImportOrders, and then sent over a connection of their own on loopback: ' +
    'as JSON in the body of an HTTP/1.1 POST and as the request of a gRPC call, each plain and with gzip. The sockets of a relay ' +
    'count all bytes of both directions, headers, frames and the short answer included; the connection itself is set up before. ' +
    'The time of the codec is that of encoding and decoding alone, with gzip where it is used.',
  reading:
    'Of a small order most bytes are headers, which HPACK keeps short on a connection that is used again; of a large one most are ' +
    'lines, whose names JSON repeats and gzip takes out again. So gzip gains far more for JSON than for Protocol Buffers: compare ' +
    'JSON with gzip with plain Protocol Buffers before one is chosen for its size. Gzip is paid for with CPU: several times ' +
    'what either codec takes.',
  limits: [
    'Which is faster by the call: for small unary calls in Node REST is several times faster than gRPC, whatever their bytes.',
    'Answers with gzip: grpc-js compresses what a client sends, and its server compresses nothing.',
    'Texts without structure, pictures, and numbers alone: those compress, and are encoded, otherwise.',
    'TLS, TCP and IP, which add to both; JSON over HTTP/2, whose headers would be as short as those of gRPC.',
  ],
};
