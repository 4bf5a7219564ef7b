import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { answerEncoder, HELD_BYTES, headersOf, MAX_ANSWER_BYTES } from './answer.ts';

const sized = (bytes: number) => answerEncoder({ ...Users.getUser, responseSerialize: () => Buffer.alloc(bytes) })({});

describe('answerEncoder', () => {
  it('gives the longest answer', () => {
    assert.equal(sized(MAX_ANSWER_BYTES).length, MAX_ANSWER_BYTES);
  });

  it('refuses one byte more, and names method, length and limit', () => {
    assert.throws(() => sized(MAX_ANSWER_BYTES + 1), {
      code: status.RESOURCE_EXHAUSTED,
      reason: 'ANSWER_TOO_LARGE',
      message: 'an answer of 4194305 bytes is too long: GetUser sends at most 4194304; ask for less at once',
    });
  });
});

describe('headersOf', () => {
  it('says nothing of an answer that the sidecar holds, with the five bytes before it', () => {
    assert.equal(headersOf(sized(HELD_BYTES - 5)), undefined);
  });

  it('has a longer one passed on', () => {
    assert.deepEqual(headersOf(sized(HELD_BYTES - 4))?.getMap(), { 'telltale-pass-on': 'true' });
  });
});
