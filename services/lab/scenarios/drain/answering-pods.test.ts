import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata } from '@grpc/grpc-js';
import type { PodSummary } from '../../control.ts';
import { answeringPods } from './answering-pods.ts';

const pod = (address: string): PodSummary => ({ name: address, address, ready: true, terminating: false });
const answerOf = (address: string) => {
  const answer = new Metadata();
  answer.set('telltale-egress-upstream', `${address}:50051`);
  return answer;
};
const { signal } = new AbortController();

test('known forgets who has answered, and waits until each of these pods has again', async () => {
  const { note, known, addresses } = answeringPods();
  note(answerOf('10.0.0.1'));
  const waiting = known([pod('10.0.0.1'), pod('10.0.0.2')], signal);
  assert.deepEqual([...addresses()], []);
  for (const address of ['10.0.0.2', '10.0.0.3', '10.0.0.1']) note(answerOf(address));
  await waiting;
  assert.deepEqual([...addresses()], ['10.0.0.2', '10.0.0.3', '10.0.0.1']);
});

test('known ends with the run', async () => {
  const stopped = AbortSignal.abort(new Error('enough'));
  await assert.rejects(answeringPods().known([pod('10.0.0.1')], stopped), /enough/);
});
