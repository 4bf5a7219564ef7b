import { readFileSync } from 'node:fs';
import { Transform, type Writable } from 'node:stream';
import { type ServiceDefinition as GrpcDefinition, type Server, type ServerDuplexStream, status } from '@grpc/grpc-js';
import {
  ServerReflectionService as ReflectionV1,
  type ServerReflectionRequest as Request,
  type ServerReflectionResponse as Response,
} from '../../proto/gen/grpc/reflection/v1/reflection.ts';
import { type DescribedFile, type Descriptors, readDescriptors } from './descriptors.ts';
import { endAtDrain } from './drain-streams.ts';

/** The descriptors of all our services, the same file that the edge transcodes JSON with. */
const DESCRIPTORS = new URL('../../charts/telltale/files/envoy/telltale.binpb', import.meta.url);

const NAMES = ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'];

type Stream = ServerDuplexStream<Request, Response>;
type Question = NonNullable<Request['messageRequest']>;
type Answer = NonNullable<Response['messageResponse']>;

/**
 * Adds gRPC server reflection, so that tools such as grpcurl need no `.proto` files. Both versions are served, whose messages are
 * the same on the wire. They describe every file of the descriptor set, byte for byte as buf has built it.
 *
 * @param services the full names of those that the server has besides reflection
 * @param draining ends the streams that are open
 * @see https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export function addReflection(server: Server, services: readonly string[], draining: AbortSignal): void {
  const descriptors = readDescriptors(readFileSync(DESCRIPTORS));
  const listed = [...services, ...NAMES].sort();
  const serverReflectionInfo = endAtDrain(draining, (stream: Stream) => {
    const sent = new Set<DescribedFile>();
    const answers = new Transform({
      objectMode: true,
      transform: (request: Request, _encoding, done) => done(null, respond(request, answer(request.messageRequest, sent))),
    });
    stream.pipe(answers).pipe(stream as unknown as Writable);
  });
  const answer = (question: Question | undefined, sent: Set<DescribedFile>): Answer => {
    if (question?.$case === 'listServices') return list(listed);
    return question
      ? describe(descriptors, question, sent)
      : failure(status.UNIMPLEMENTED, 'the request asks nothing known here');
  };
  for (const name of NAMES) {
    const method = { ...ReflectionV1.serverReflectionInfo, path: `/${name}/ServerReflectionInfo` };
    server.addService({ serverReflectionInfo: method } as GrpcDefinition, { serverReflectionInfo });
  }
}

function respond(request: Request, messageResponse: Answer): Response {
  return { validHost: request.host, originalRequest: request, messageResponse };
}

function describe({ files, bySymbol, byExtension }: Descriptors, question: Question, sent: Set<DescribedFile>): Answer {
  const found = (file: DescribedFile | undefined, what: string) => (file ? describeFile(file, files, sent) : notFound(what));
  switch (question.$case) {
    case 'fileByFilename':
      return found(files.get(question.value), `file "${question.value}"`);
    case 'fileContainingSymbol':
      return found(bySymbol.get(question.value), `symbol "${question.value}"`);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = question.value;
      return found(
        byExtension.get(containingType)?.get(extensionNumber),
        `extension ${extensionNumber} of "${containingType}"`,
      );
    }
    case 'allExtensionNumbersOfType': {
      const numbers = byExtension.get(question.value)?.keys() ?? [];
      if (!bySymbol.has(question.value)) return notFound(`type "${question.value}"`);
      const extensionNumber = [...numbers].sort((a, b) => a - b);
      return { $case: 'allExtensionNumbersResponse', value: { baseTypeName: question.value, extensionNumber } };
    }
    case 'listServices':
      throw new TypeError('services are in no descriptor set');
  }
}

/** The file and, after it, everything that it imports and that was not sent on this stream before. */
function describeFile(file: DescribedFile, files: Descriptors['files'], sent: Set<DescribedFile>): Answer {
  const fileDescriptorProto = [file.bytes];
  sent.add(file);
  const walk = ({ imports }: DescribedFile) => {
    for (const name of imports) {
      const imported = files.get(name);
      if (!imported || sent.has(imported)) continue;
      sent.add(imported);
      fileDescriptorProto.push(imported.bytes);
      walk(imported);
    }
  };
  walk(file);
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function list(names: readonly string[]): Answer {
  return { $case: 'listServicesResponse', value: { service: names.map(name => ({ name })) } };
}

function notFound(what: string): Answer {
  return failure(status.NOT_FOUND, `there is no ${what}; list the services to see what there is`);
}

function failure(errorCode: status, errorMessage: string): Answer {
  return { $case: 'errorResponse', value: { errorCode, errorMessage } };
}
