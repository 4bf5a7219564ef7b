import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { type ClientDuplexStream, credentials, Client as GrpcClient, status } from '@grpc/grpc-js';
import {
  ServerReflectionRequest as Request,
  ServerReflectionResponse as Response,
} from '../../proto/gen/grpc/reflection/v1/reflection.ts';
import { LabServiceService as Lab } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { PaymentServiceService as Payments } from '../../proto/gen/telltale/payments/v1/payments.ts';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { type ServiceDefinition, serviceName } from './method.ts';
import type { Binding } from './server.ts';
import { startServer, type TestServer } from './testing.ts';

const repo = fileURLToPath(new URL('../..', import.meta.url));
const definitions = [Lab, Orders, Payments, Storefront, Users] as const;

/** What a client asks in one request. */
type Question = NonNullable<Request['messageRequest']>;
type Answer = NonNullable<Response['messageResponse']>;

const bindUnanswered = (definition: ServiceDefinition): Binding => ({
  definition,
  handlers: Object.fromEntries(Object.keys(definition).map(name => [name, () => ({})])) as unknown as Binding['handlers'],
});

/** A reflection stream that asks one question at a time. */
function openStream(address: string, version: string) {
  const client = new GrpcClient(address, credentials.createInsecure());
  const call: ClientDuplexStream<Request, Response> = client.makeBidiStreamRequest(
    `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    request => Buffer.from(Request.encode(request).finish()),
    bytes => Response.decode(bytes),
    { deadline: Date.now() + 10_000 },
  );
  const responses = call[Symbol.asyncIterator]();
  const send = async (messageRequest: Question | undefined): Promise<Response> => {
    call.write({ host: 'pod', messageRequest });
    const { value, done } = await responses.next();
    assert.ok(!done, 'the stream has ended');
    return value;
  };
  return {
    call,
    send,
    ask: async (question: Question): Promise<Answer> => {
      const { validHost, originalRequest, messageResponse } = await send(question);
      assert.equal(validHost, 'pod');
      assert.deepEqual(originalRequest, { host: 'pod', messageRequest: question });
      assert.ok(messageResponse);
      return messageResponse;
    },
    [Symbol.dispose]: () => {
      call.on('error', () => {}).cancel();
      client.close();
    },
  };
}

const fileNamed = (value: string): Question => ({ $case: 'fileByFilename', value });
const fileWith = (value: string): Question => ({ $case: 'fileContainingSymbol', value });
const numbersOf = (value: string): Question => ({ $case: 'allExtensionNumbersOfType', value });
const fileExtending = (containingType: string, extensionNumber: number): Question => ({
  $case: 'fileContainingExtension',
  value: { containingType, extensionNumber },
});
const list: Question = { $case: 'listServices', value: '*' };

function filesOf(answer: Answer): Buffer[] {
  assert.equal(answer.$case, 'fileDescriptorResponse', JSON.stringify(answer));
  return answer.$case === 'fileDescriptorResponse' ? answer.value.fileDescriptorProto : [];
}

/** The names of the files that were sent, in their order. */
const namesOf = (answer: Answer): (string | undefined)[] => decode(filesOf(answer)).file.map(({ name }) => name);

/** Files as the FileDescriptorSet that has them in this order. */
function asSet(files: Uint8Array[]): Buffer {
  const length = (n: number): number[] => (n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...length(n >>> 7)]);
  return Buffer.concat(files.flatMap(file => [Buffer.from([0x0a, ...length(file.length)]), file]));
}

const decode = (files: Uint8Array[]): FileDescriptorSet => fromBinary(FileDescriptorSetSchema, asSet(files));

/** What buf makes of the contracts now. */
async function build(): Promise<Buffer> {
  const args = 'build --as-file-descriptor-set --exclude-source-info --path proto/telltale --path proto/grpc'.split(' ');
  const errors = ['--path', 'node_modules/google-proto-files/google/rpc/error_details.proto', '-o', '-'];
  const { stdout } = await promisify(execFile)('node_modules/.bin/buf', [...args, ...errors], {
    cwd: repo,
    encoding: 'buffer',
  });
  return stdout;
}

describe('reflection', () => {
  let server: TestServer;
  let built: Buffer;
  let set: FileDescriptorSet;
  before(async () => {
    built = await build();
    set = fromBinary(FileDescriptorSetSchema, built);
    server = await startServer(definitions.map(bindUnanswered), { reflection: true });
  });
  after(() => server[Symbol.asyncDispose]());

  /** Every symbol by its full name, with the name of its file. */
  function* symbols(): Generator<[symbol: string, file: string]> {
    for (const type of createFileRegistry(set)) {
      const file = `${type.file.name}.proto`;
      yield [type.typeName, file];
      const scope = type.typeName.slice(0, type.typeName.lastIndexOf('.') + 1);
      if (type.kind === 'enum') for (const { name } of type.values) yield [scope + name, file];
      if (type.kind === 'service') for (const { name } of type.methods) yield [`${type.typeName}.${name}`, file];
      if (type.kind !== 'message') continue;
      for (const { name } of [...type.fields, ...type.oneofs]) yield [`${type.typeName}.${name}`, file];
    }
  }

  for (const version of ['v1', 'v1alpha']) {
    describe(version, () => {
      const open = () => openStream(server.address, version);

      it('lists every service, that of health and its own two, in order', async () => {
        using stream = open();
        const services = [
          'grpc.health.v1.Health',
          'grpc.reflection.v1.ServerReflection',
          'grpc.reflection.v1alpha.ServerReflection',
        ];
        const expected = [...services, ...definitions.map(definition => serviceName(definition).service)];
        const answer = await stream.ask(list);
        assert.equal(answer.$case, 'listServicesResponse');
        if (answer.$case !== 'listServicesResponse') return;
        assert.deepEqual(
          answer.value.service.map(({ name }) => name),
          expected,
        );
      });

      it('serves every file as buf has built it, byte for byte', async () => {
        const served: Buffer[] = [];
        for (const { name } of set.file) {
          using stream = open();
          served.push(filesOf(await stream.ask(fileNamed(name)))[0] ?? Buffer.alloc(0));
        }
        assert.deepEqual(asSet(served), built);
      });

      it('serves a file with everything it imports, and nothing else', async () => {
        const importsOf = new Map(set.file.map(({ name, dependency }) => [name, dependency]));
        const withImports = (name: string): string[] => [name, ...(importsOf.get(name) ?? []).flatMap(withImports)];
        for (const { name } of set.file) {
          using stream = open();
          const names = namesOf(await stream.ask(fileNamed(name)));
          assert.equal(names[0], name);
          assert.deepEqual(names.toSorted(), [...new Set(withImports(name))].toSorted());
        }
      });

      it('finds the file of every symbol: service, method, message, field, oneof, enumeration, its values, extension', async () => {
        using stream = open();
        let count = 0;
        for (const [symbol, file] of symbols()) {
          assert.equal(namesOf(await stream.ask(fileWith(symbol)))[0], file, symbol);
          count++;
        }
        assert.ok(count > 400, `${count} symbols`);
        assert.equal(
          namesOf(await stream.ask(fileWith('grpc.health.v1.HealthListResponse.StatusesEntry')))[0],
          'grpc/health/v1/health.proto',
        );
      });

      it('finds every extension by its number, and lists the numbers', async () => {
        using stream = open();
        const byType = new Map<string, number[]>();
        for (const type of createFileRegistry(set)) {
          if (type.kind !== 'extension') continue;
          const { extendee, number, file } = type;
          byType.set(extendee.typeName, [...(byType.get(extendee.typeName) ?? []), number]);
          const names = namesOf(await stream.ask(fileExtending(extendee.typeName, number)));
          assert.equal(names[0], `${file.name}.proto`);
        }
        for (const [baseTypeName, numbers] of byType) {
          const extensionNumber = numbers.toSorted((a, b) => a - b);
          assert.deepEqual(await stream.ask(numbersOf(baseTypeName)), {
            $case: 'allExtensionNumbersResponse',
            value: { baseTypeName, extensionNumber },
          });
        }
        assert.ok(byType.size >= 3, [...byType.keys()].join());
      });

      it('lists no numbers of a type that nothing extends', async () => {
        using stream = open();
        const baseTypeName = 'telltale.orders.v1.Order';
        assert.deepEqual(await stream.ask(numbersOf(baseTypeName)), {
          $case: 'allExtensionNumbersResponse',
          value: { baseTypeName, extensionNumber: [] },
        });
      });

      it('answers NOT_FOUND for what it does not know, naming it, and goes on', async () => {
        using stream = open();
        for (const name of ['', 'telltale.orders.v1', 'telltale.orders.v1.Orders', '.telltale.orders.v1.Order', 'toString']) {
          for (const question of [fileNamed(name), fileWith(name), numbersOf(name), fileExtending(name, 1)]) {
            const answer = await stream.ask(question);
            assert.equal(answer.$case, 'errorResponse', JSON.stringify(answer));
            if (answer.$case !== 'errorResponse') continue;
            assert.equal(answer.value.errorCode, status.NOT_FOUND);
            assert.ok(answer.value.errorMessage.includes(`"${name}"`), answer.value.errorMessage);
          }
        }
        const known = await stream.ask(fileExtending('google.protobuf.FieldOptions', 1));
        assert.equal(known.$case === 'errorResponse' && known.value.errorCode, status.NOT_FOUND);
        assert.equal((await stream.ask(list)).$case, 'listServicesResponse');
      });

      it('answers UNIMPLEMENTED to a question of a kind that it does not have, and goes on', async () => {
        using stream = open();
        const { messageResponse } = await stream.send(undefined);
        const code = messageResponse?.$case === 'errorResponse' && messageResponse.value.errorCode;
        assert.equal(code, status.UNIMPLEMENTED);
        assert.equal((await stream.ask(list)).$case, 'listServicesResponse');
      });

      it('sends what a file imports once on a stream', async () => {
        using stream = open();
        const question = fileNamed('telltale/orders/v1/orders.proto');
        assert.ok(namesOf(await stream.ask(question)).length > 1);
        assert.deepEqual(namesOf(await stream.ask(question)), ['telltale/orders/v1/orders.proto']);
      });

      it('ends with OK when the client has no more questions', async () => {
        using stream = open();
        await stream.ask(list);
        const ended = new Promise<number>(resolve => stream.call.once('status', ({ code }) => resolve(code)));
        stream.call.end();
        stream.call.resume();
        assert.equal(await ended, status.OK);
      });
    });
  }

  it('is not there unless it is asked for', async () => {
    await using silent = await startServer([bindUnanswered(Users)]);
    using stream = openStream(silent.address, 'v1');
    await assert.rejects(stream.send(list), { code: status.UNIMPLEMENTED });
  });
});
