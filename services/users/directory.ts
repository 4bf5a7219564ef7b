import type { UserResponse } from '../../proto/gen/telltale/users/v1/user.ts';
import { GIVEN_NAMES } from './given-names.ts';

/** The users, in memory; nothing in it changes. Every answer is a shared, frozen object. */
export interface Directory {
  readonly size: number;
  /** The user with this id; undefined when there is none. */
  find(id: number): UserResponse | undefined;
  /** At most `count` users whose id is greater than `afterId`, in the order of their ids. */
  page(afterId: number, count: number): UserResponse[];
}

/** How many users {@link createDirectory} makes: their ids are 1 to this number. */
export const DIRECTORY_SIZE = 10_000;

/**
 * What the data set, version 1, grows from. It is the same for ever: a change of the seed, of the generator below or of the
 * names makes another data set, which the checksum in the test reveals.
 */
export const DIRECTORY_SEED = 0x7e117a1e;

/** The one user who is not drawn at random. */
const ALICE: UserResponse = { id: 123, name: 'Alice', age: 30 };

/** How many of a hundred users are of an age from `from` to `to`, both included; about the adults of an ageing country. */
const AGES = [
  { share: 11, from: 18, to: 24 },
  { share: 17, from: 25, to: 34 },
  { share: 17, from: 35, to: 44 },
  { share: 16, from: 45, to: 54 },
  { share: 16, from: 55, to: 64 },
  { share: 13, from: 65, to: 74 },
  { share: 7, from: 75, to: 84 },
  { share: 3, from: 85, to: 95 },
] as const;

/** Makes the directory: the same 10,000 users in every process and on every machine. User 123 is Alice, 30. */
export function createDirectory(): Directory {
  const draw = mulberry32(DIRECTORY_SEED);
  const users = Array.from({ length: DIRECTORY_SIZE }, (_, index) => Object.freeze(createUser(index + 1, draw)));
  return {
    size: users.length,
    find: id => users[id - 1],
    page: (afterId, count) => users.slice(afterId, afterId + count),
  };
}

/** Draws a whole number from 0 to `below` - 1. */
type Draw = (below: number) => number;

function createUser(id: number, draw: Draw): UserResponse {
  const name = GIVEN_NAMES[draw(GIVEN_NAMES.length)] ?? '';
  const age = drawAge(draw);
  return id === ALICE.id ? { ...ALICE } : { id, name, age };
}

function drawAge(draw: Draw): number {
  let percentile = draw(100);
  for (const { share, from, to } of AGES) {
    if (percentile < share) return from + draw(to - from + 1);
    percentile -= share;
  }
  throw new Error('the shares of AGES do not add up to 100');
}

/**
 * The pseudo-random generator mulberry32, by Tommy Ettinger: 32-bit integer arithmetic only, so that every machine draws the same.
 *
 * @see https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
 */
function mulberry32(seed: number): Draw {
  let state = seed;
  return below => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
