import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { UserRequest, UserResponse } from '../../../../proto/gen/telltale/users/v1/user.ts';
import { deadlineIn } from '../../../kit/deadline.ts';
import { createHttp1Users } from './http1-users.ts';

const user = { id: 123, name: 'Alice', age: 30 };

describe('createHttp1Users', () => {
  let address: string;
  let answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;
  const server = createServer(async (request, response) => answer(request, response, await buffer(request)));
  before(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  const framed = (message: Uint8Array) => Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
  const whole = framed(UserResponse.encode(user).finish());
  const soon = () => ({ deadline: deadlineIn(5000) });

  it('sends the call as gRPC does, with its metadata and deadline, and reads the answer', async () => {
    using users = createHttp1Users(address, 1);
    const metadata = new Metadata();
    metadata.set('telltale-script-bin', Buffer.from([1, 2]));
    answer = ({ method, url, headers }, response, body) => {
      assert.deepEqual([method, url], ['POST', '/telltale.users.v1.UserService/GetUser']);
      assert.deepEqual([headers.host, headers['content-type']], ['users', 'application/grpc']);
      assert.equal(headers['telltale-script-bin'], Buffer.from([1, 2]).toString('base64'));
      assert.match(headers['grpc-timeout'] as string, /^(5000|4\d{3})m$/);
      assert.deepEqual(UserRequest.decode(body.subarray(5)), { id: 123 });
      response.writeHead(200, { 'telltale-egress-connection': '7/8' }).end(whole);
    };
    let connection: unknown;
    const onMetadata = (its: Metadata) => {
      [connection] = its.get('telltale-egress-connection');
    };
    assert.deepEqual(await users.getUser({ id: 123 }, { ...soon(), metadata, onMetadata }), user);
    assert.equal(connection, '7/8');
  });

  it('has as many calls under way as it may have connections; the others wait', async () => {
    const [peers, waiting] = [new Set<number | undefined>(), [] as (() => void)[]];
    answer = ({ socket }, response) => {
      peers.add(socket.remotePort);
      waiting.push(() => response.end(whole));
      if (waiting.length === 2) for (const go of waiting.splice(0)) go();
    };
    using users = createHttp1Users(address, 2);
    await Promise.all(Array.from({ length: 10 }, () => users.getUser({ id: 1 }, soon())));
    assert.equal(peers.size, 2);
  });

  it('rejects with the status of the answer, and with the codes that gRPC has for everything else', async () => {
    using users = createHttp1Users(address, 1);
    const get = (more = {}) => users.getUser({ id: 1 }, { ...soon(), ...more });
    answer = (_, response) => response.writeHead(200, { 'grpc-status': '5', 'grpc-message': 'no%20user' }).end();
    await assert.rejects(get(), { code: status.NOT_FOUND, message: 'no user' });
    answer = (_, response) => response.writeHead(503).end();
    await assert.rejects(get(), { code: status.UNAVAILABLE });
    answer = (_, response) => response.end(whole.subarray(0, -1));
    await assert.rejects(get(), { code: status.INTERNAL });
    answer = ({ socket }) => socket.destroy();
    await assert.rejects(get(), { code: status.UNAVAILABLE });
    answer = () => {};
    await assert.rejects(get({ deadline: deadlineIn(50) }), { code: status.DEADLINE_EXCEEDED });
    await assert.rejects(get({ signal: AbortSignal.abort() }), { code: status.CANCELLED });
  });
});
