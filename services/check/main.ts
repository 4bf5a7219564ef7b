// What `helm test` runs: node services/check/main.ts [--identity=<folder>] <edge> <service>..., the edge as host:port, a service as
// <name>:port/<proto service>. With the folder of an identity it calls the services by mutual TLS, without it in plain text.
import { parseArgs } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { meshCredentials } from '../kit/mesh-credentials.ts';
import { check } from './check.ts';

const USAGE = 'usage: main.ts [--identity=folder] edge:8080 users:50051/telltale.users.v1.UserService ...';

function orExit<Result>(read: () => Result, code: number): Result {
  try {
    return read();
  } catch (error) {
    console.error((error as Error).message);
    process.exit(code);
  }
}

const { values, positionals } = orExit(readArguments, 2);
const [edge, ...services] = positionals;
if (edge === undefined || services.length === 0) {
  console.error(USAGE);
  process.exit(2);
}
const folder = values.identity;
const credentialsOf = folder === undefined ? () => credentials.createInsecure() : orExit(() => meshCredentials(folder), 1);
const targets = services.map(text => {
  const [address = '', proto = ''] = text.split('/');
  const [name = ''] = address.split(':');
  return { address, proto, credentials: credentialsOf(name) };
});
process.exitCode = (await check({ edge, services: targets, report: console.log })) ? 0 : 1;

function readArguments() {
  return parseArgs({ options: { identity: { type: 'string' } }, allowPositionals: true });
}
