/** Options of node's tls.connect that say who a caller is and what it speaks. */
export interface TlsOptions {
  readonly cert?: string;
  readonly key?: string;
  readonly ca: string;
  readonly minVersion?: string;
  readonly maxVersion?: string;
  readonly ciphers?: string;
}

/** A connection to be made to a port of an address: by TLS, or in plain text when there are no options for it. */
export interface Dial {
  readonly host: string;
  /** The mesh port unless given. */
  readonly port?: number;
  readonly tls?: TlsOptions | undefined;
}

/** What came of one. */
export interface Dialled {
  readonly host: string;
  /** Whether one byte of the protocol behind the handshake came back. */
  readonly answered: boolean;
  /** Whether it has shown a certificate by the authority that it was asked for. */
  readonly trusted: boolean;
  /** How it ended when it was not answered: what the connection said, "alert", "closed", or "silent" after five seconds. */
  readonly end: string;
}

/** gRPC calls to be made to a port, each with an empty message and over a connection of its own. */
export interface Calls extends Dial {
  readonly paths: readonly string[];
}

/** What came of one call; NaN is null, as JSON has it. */
export interface Called {
  readonly httpStatus: number;
  readonly grpcStatus: number;
  readonly grpcMessage: string;
}

/** An HTTP request to be made, its path as it is given. */
export interface Ask {
  readonly host: string;
  readonly port: number;
  /** GET unless given. */
  readonly method?: string;
  readonly path: string;
}

/** A program for `node -e` that reads what it is to do from standard input, as JSON, and prints what came of it. */
const program = (functions: string, doing: string) => `${functions}
  let text = '';
  process.stdin.on('data', part => { text += part; }).on('end', async () => {
    const asked = JSON.parse(text);
    console.log(JSON.stringify(await (${doing})(asked)));
  });`;

const ONE_BY_ONE = '(async all => { const done = []; for (const each of all) done.push(await ask(each)); return done; })';
const AT_ONCE = '(all => Promise.all(all.map(ask)))';

/**
 * Makes each {@link Dial}, one after the other. What it says first is what either protocol answers to whoever may say it: HTTP/2's
 * preface with empty SETTINGS, or PostgreSQL's question whether it speaks TLS.
 */
export const DIAL = program(
  `
  const net = require('node:net'), tls = require('node:tls');
  const http2 = Buffer.concat([Buffer.from('PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n'), Buffer.from('000000040000000000', 'hex')]);
  const sslRequest = Buffer.from('0000000804d2162f', 'hex');
  const lenient = { rejectUnauthorized: false, checkServerIdentity: () => undefined }; // who answers has no host name
  const ask = ({ host, port = 50051, tls: options }) => new Promise(resolve => {
    const to = { host, port };
    const socket = options
      ? tls.connect({ ...options, ...to, ALPNProtocols: ['h2', 'postgresql'], ...lenient })
      : net.connect(to);
    const end = (answered, end) => { socket.destroy(); clearTimeout(timer); resolve({ host, answered, trusted: socket.authorized === true, end }); };
    const timer = setTimeout(() => end(false, 'silent'), 5000);
    socket.once(options ? 'secureConnect' : 'connect', () => socket.write(socket.alpnProtocol === 'postgresql' ? sslRequest : http2));
    const ALERT = 21; // a record of TLS in answer to plain text, which is a refusal (RFC 8446, section 6)
    socket.once('data', ([type]) => (options || type !== ALERT ? end(true, 'answered') : end(false, 'alert')));
    socket.once('error', error => end(false, error.code ?? error.message));
    socket.once('close', () => end(false, 'closed'));
  });`,
  ONE_BY_ONE,
);

/** Makes all {@link Calls}, those of one to a port after one another. */
export const CALL = program(
  `
  const { connect } = require('node:http2');
  const call = ({ host, port = 50051, tls }, path) => new Promise(resolve => {
    const session = connect((tls ? 'https://' : 'http://') + host + ':' + port, { ...tls, rejectUnauthorized: false });
    const received = {};
    const end = () => {
      session.destroy();
      const [httpStatus, grpcStatus] = [Number(received[':status']), Number(received['grpc-status'])];
      resolve({ httpStatus, grpcStatus, grpcMessage: decodeURIComponent(received['grpc-message'] ?? '') });
    };
    session.on('error', end);
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
    const collect = part => Object.assign(received, part);
    stream.once('response', collect).once('trailers', collect).once('close', end).on('error', () => {}).resume();
    stream.setTimeout(5000, end);
    stream.end(Buffer.alloc(5));
  });
  const ask = async calls => {
    const answers = [];
    for (const path of calls.paths) answers.push(await call(calls, path));
    return answers;
  };`,
  AT_ONCE,
);

/** Makes each request of {@link Ask} and prints its status; 0 for no answer. */
export const ASK = program(
  `
  const { request } = require('node:http');
  const ask = asked => new Promise(resolve => {
    const sent = request({ ...asked, agent: false }, answer => resolve(answer.resume().statusCode));
    sent.setTimeout(5000, () => sent.destroy());
    sent.on('error', () => resolve(0)).on('close', () => resolve(0)).end();
  });`,
  AT_ONCE,
);
