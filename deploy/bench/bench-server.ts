// A server of users for telemetry-bench.ts, alone in its process; the argument says what it is made of: bare, kit or telemetry.
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { type UserRequest, type UserResponse, UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { createLogger } from '../../services/kit/log.ts';
import { measureRuntime, stopMeasuring } from '../../services/kit/metrics.ts';
import { bind, createServer } from '../../services/kit/server.ts';
import { createDirectory } from '../../services/users/directory.ts';
import { users } from '../../services/users/users.ts';

const directory = createDirectory();
const [, , made] = process.argv;

async function listenBare(): Promise<number> {
  const server = new Server();
  const none: UserResponse = { id: 0, name: '', age: 0 };
  server.addService(UserServiceService, {
    getUser: (call: ServerUnaryCall<UserRequest, UserResponse>, callback: sendUnaryData<UserResponse>) =>
      callback(null, directory.find(call.request.id) ?? none),
    listUsers: () => {},
  });
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

function listenKit(): Promise<number> {
  if (made === 'kit') stopMeasuring();
  else measureRuntime();
  const server = createServer({
    bindings: [bind(UserServiceService, users(directory))],
    pod: 'bench',
    logger: createLogger({ service: 'users', pod: 'bench', level: 'info' }),
    record: () => {},
    experiments: false,
    requireDeadline: false,
    reflection: false,
    resetLimit: { burst: 100_000, rate: 10_000 },
  });
  server.setServing(true);
  return server.listen({ host: '127.0.0.1', port: 0 });
}

const port = await (made === 'bare' ? listenBare() : listenKit());
process.on('message', () => process.send?.(process.cpuUsage()));
process.send?.(port);
