import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedHandleCall,
} from '@grpc/grpc-js';
import { type Admit, admission } from './admission.ts';
import { answerEncoder, headersOf } from './answer.ts';
import { pad } from './codec.ts';
import type { CallContext } from './context.ts';
import { paddingOf } from './experiment.ts';
import { type ByKind, type MethodDefinition, type MethodName, methodName, type RequestOf, type ResponseOf } from './method.ts';
import { toStatus } from './rpc-status.ts';
import { type Serving, serveCall } from './serve-call.ts';
import { readMessages, writeMessages } from './server-stream.ts';
import { traceIdOf } from './trace-id.ts';

export { checked } from './admission.ts';
export type { CallContext } from './context.ts';

/** Answers a unary call. */
export type UnaryHandler<Request, Response> = (request: Request, context: CallContext) => Promise<Response> | Response;

/** Answers a server-streaming call with what it yields; it is not asked for a message before the last one was taken. */
export type ServerStreamHandler<Request, Response> = (request: Request, context: CallContext) => AsyncIterable<Response>;

/** Answers a client-streaming call after reading as many of the requests as it wants to. */
export type ClientStreamHandler<Request, Response> = UnaryHandler<AsyncIterable<Request>, Response>;

/** Answers a bidirectional call with what it yields. */
export type BidiHandler<Request, Response> = ServerStreamHandler<AsyncIterable<Request>, Response>;

/** The handler of one method. */
export type HandlerOf<Method> = ByKind<
  Method,
  UnaryHandler<RequestOf<Method>, ResponseOf<Method>>,
  ServerStreamHandler<RequestOf<Method>, ResponseOf<Method>>,
  ClientStreamHandler<RequestOf<Method>, ResponseOf<Method>>,
  BidiHandler<RequestOf<Method>, ResponseOf<Method>>
>;

/** A handler for each method of a service; a missing one does not compile. */
export type Handlers<Definition> = { readonly [Name in keyof Definition]: HandlerOf<Definition[Name]> };

type Answering = ServerUnaryCall<object, object> | ServerReadableStream<object, object>;
type Streaming = ServerWritableStream<object, object> | ServerDuplexStream<object, object>;

/**
 * Makes grpc-js's handler of a method from ours.
 *
 * Whatever the handler does, its caller gets exactly one status and the process lives: what it throws becomes a status in
 * one place (rpc-error.ts), and what it returns after the call has ended is dropped. A call that has ended before its
 * handler began, because its deadline passed or because it was cancelled, is not started. Every request obeys the rules of its
 * contract before the handler sees it (admission.ts), each message of a stream as well. What grpc-js is given to send is
 * serialized already, so that an answer that is too long is an error of the call like any other (answer.ts).
 */
export function adapt(method: MethodDefinition, handler: HandlerOf<MethodDefinition>, serving: Serving): UntypedHandleCall {
  const name = methodName(method.path);
  const admit = admission(name, handler);
  // which of the four kinds the handler is stands in the definition; the type Handlers has checked that they agree
  const encode = answerEncoder(method);
  return method.responseStream
    ? adaptStreaming(name, handler as ServerStreamHandler<unknown, object>, admit, encode, serving)
    : adaptAnswering(name, handler as UnaryHandler<unknown, object>, admit, encode, serving, method.requestStream);
}

function adaptAnswering(
  name: MethodName,
  handler: UnaryHandler<unknown, object>,
  admit: Admit,
  encode: (answer: object) => Buffer,
  serving: Serving,
  streaming: boolean,
) {
  return (call: Answering, callback: sendUnaryData<object>): void => {
    call.setMaxListeners(0); // each call made with this one as its parent listens to it
    void serveCall(call, name, serving, {
      streaming,
      work: async context => {
        const response = await handler(requestOf(call, context, admit), context);
        if (typeof response !== 'object' || response === null) throw new TypeError(`${name.full} answered no message`);
        const answer = encode(padded(response, context));
        const headers = headersOf(answer);
        return () => {
          if (headers) call.sendMetadata(headers);
          callback(null, answer);
        };
      },
      fail: error => callback(toStatus(error, traceIdOf(call.metadata))),
    });
  };
}

function adaptStreaming(
  name: MethodName,
  handler: ServerStreamHandler<unknown, object>,
  admit: Admit,
  encode: (answer: object) => Buffer,
  serving: Serving,
) {
  return (call: Streaming): void => {
    call.setMaxListeners(0);
    void serveCall(call, name, serving, {
      streaming: true,
      work: async context => {
        const prepare = (message: object) => encode(padded(message, context));
        await writeMessages(call, handler(requestOf(call, context, admit), context), context, prepare);
        return () => call.end();
      },
      fail: error => call.emit('error', toStatus(error, traceIdOf(call.metadata))),
    });
  };
}

function requestOf(call: Answering | Streaming, context: CallContext, admit: Admit): unknown {
  return 'request' in call ? admit(call.request) : readMessages(call, context, admit);
}

function padded(response: object, context: CallContext): object {
  const bytes = paddingOf(context.experiment.steps);
  if (bytes > 0) pad(response, bytes);
  return response;
}
