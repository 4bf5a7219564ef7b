// What `helm test` runs: node services/check/main.ts <edge> <service>..., the edge as host:port, a service as host:port/<proto service>.
import { check } from './check.ts';

const [edge, ...services] = process.argv.slice(2);
if (edge === undefined || services.length === 0) {
  console.error('usage: main.ts edge:8080 users:50051/telltale.users.v1.UserService ...');
  process.exit(2);
}
const targets = services.map(text => {
  const [address = '', proto = ''] = text.split('/');
  return { address, proto };
});
process.exitCode = (await check({ edge, services: targets, report: console.log })) ? 0 : 1;
