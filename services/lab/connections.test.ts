import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata } from '@grpc/grpc-js';
import { countConnections, followConnections, mostAtOnce } from './connections.ts';
import { picture, record } from './testing-pictures.ts';

const served = (id: string, arrivedAt: number, endedAt: number) => picture([record('GetUser', { arrivedAt, endedAt })], { id });

test('followConnections takes the connection from the lab out of what the sidecar says, and nothing out of nothing', () => {
  const { connections, note } = followConnections();
  const answer = new Metadata();
  note('none')(answer);
  answer.set('telltale-egress-connection', '7/12');
  note('a')(answer);
  assert.deepEqual([...connections], [['a', '7']]);
});

test('mostAtOnce counts calls of one connection that overlap, and not one that begins as another ends', () => {
  const connections = new Map(Object.entries({ a: '7', b: '7', c: '7', d: '8' }));
  const calls = [served('a', 10, 20), served('b', 15, 25), served('c', 20, 30), served('d', 10, 30), served('lost', 10, 30)];
  assert.equal(mostAtOnce(calls, connections, 'GetUser'), 2);
  assert.equal(mostAtOnce(calls, connections, 'Charge'), 0);
  assert.equal(mostAtOnce(calls, new Map(), 'GetUser'), 0);
  assert.equal(countConnections(calls, connections), 2);
});
