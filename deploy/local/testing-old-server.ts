// A server as its first users wrote it, with a grpc-js that malformed requests end: what shows that the fuzzing can fail.
import { Server, ServerCredentials } from 'grpc-js-1-14-3';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';

const server = new Server();
const answer = (_call: unknown, reply: (error: null, value: unknown) => void) =>
  reply(null, { id: 123, name: 'Alice', age: 30 });
server.addService({ getUser: Users.getUser } as never, { getUser: answer } as never);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});
