import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import type { Handlers } from '../kit/handler.ts';
import { bind } from '../kit/server.ts';
import { startServer } from '../kit/testing.ts';
import { createDirectory } from '../users/directory.ts';
import { users } from '../users/users.ts';
import { check } from './check.ts';

const proto = 'telltale.users.v1.UserService';
const real = users(createDirectory());

/** Checks a server that stands for the edge and for a service, once, and returns what was reported. */
async function checked(handlers: Handlers<typeof UserServiceService>, service = proto) {
  await using server = await startServer([bind(UserServiceService, handlers)]);
  const lines: string[] = [];
  const services = [{ address: server.address, proto: service }];
  const well = await check({ edge: server.address, services, patienceMs: 0, report: line => lines.push(line) });
  return { well, lines };
}

describe('check', () => {
  it('is content with a mesh that serves', async () => {
    const { well, lines } = await checked(real);
    assert.equal(well, true, lines.join('\n'));
    assert.equal(lines.filter(line => line.startsWith('ok ')).length, 3);
  });

  it('finds a service that does not serve', async () => {
    const { well, lines } = await checked(real, 'telltale.orders.v1.OrderService');
    assert.equal(well, false);
    assert.match(lines[0] ?? '', /^wrong telltale\.orders\.v1\.OrderService is SERVING at .*: 5 NOT_FOUND/);
  });

  it('finds an edge that leads to another user', async () => {
    const { well, lines } = await checked({ ...real, getUser: ({ id }) => ({ id, name: 'Bob', age: 31 }) });
    assert.equal(well, false);
    assert.match(lines[1] ?? '', /^wrong the edge .*: it says Bob, 31$/);
  });

  it('tries again while there is time', async () => {
    let calls = 0;
    const lines: string[] = [];
    const getUser: typeof real.getUser = (request, context) => {
      if (calls++ === 0) throw new Error('not yet');
      return real.getUser(request, context);
    };
    await using server = await startServer([bind(UserServiceService, { ...real, getUser })]);
    const services = [{ address: server.address, proto }];
    assert.equal(await check({ edge: server.address, services, patienceMs: 5000, report: line => lines.push(line) }), true);
    assert.equal(calls, 2);
  });
});
