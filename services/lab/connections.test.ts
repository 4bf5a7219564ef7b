import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata } from '@grpc/grpc-js';
import { countConnections, followConnections, mostAtOnce } from './connections.ts';
import { picture, record } from './testing-pictures.ts';

const served = (id: string, arrivedAt: number, endedAt: number) => picture([record('GetUser', { arrivedAt, endedAt })], { id });

test('followConnections takes the connections of a call out of what both proxies say, and nothing out of nothing', () => {
  const { connections, onward, arrived, note } = followConnections();
  const answer = new Metadata();
  note('none')(answer);
  answer.set('telltale-egress-connection', '7/12');
  note('a')(answer);
  answer.set('telltale-ingress-connection', '3/4');
  answer.set('telltale-egress-upstream', '10.0.0.1:50051');
  note('b')(answer);
  const all = [connections, onward, arrived].map(each => Object.fromEntries(each));
  assert.deepEqual(all, [{ a: '7', b: '7' }, { a: '12', b: '12' }, { b: '10.0.0.1 3' }]);
});

test('mostAtOnce counts calls of one connection that overlap, and not one that begins as another ends', () => {
  const connections = new Map(Object.entries({ a: '7', b: '7', c: '7', d: '8' }));
  const calls = [served('a', 10, 20), served('b', 15, 25), served('c', 20, 30), served('d', 10, 30), served('lost', 10, 30)];
  assert.equal(mostAtOnce(calls, connections, 'GetUser'), 2);
  assert.equal(mostAtOnce(calls, connections, 'Charge'), 0);
  assert.equal(mostAtOnce(calls, new Map(), 'GetUser'), 0);
  assert.equal(countConnections(calls, connections), 2);
});
