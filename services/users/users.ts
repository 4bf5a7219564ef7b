import { status } from '@grpc/grpc-js';
import type { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { checkRange } from '../kit/check-fields.ts';
import type { Handlers } from '../kit/handler.ts';
import { RpcError } from '../kit/rpc-error.ts';
import { shown, validate } from '../kit/validate.ts';
import type { Directory } from './directory.ts';

const MAX_PAGE_SIZE = 1000;
const DEFAULT_PAGE_SIZE = 50;

/** Answers UserService from a directory in memory. */
export function users(directory: Directory): Handlers<typeof UserServiceService> {
  return {
    getUser({ id }) {
      validate(check => check(id >= 1, 'id', `must be at least 1, is ${id}`));
      const user = directory.find(id);
      if (!user) throw new RpcError(status.NOT_FOUND, `no user has the id ${id}`, { reason: 'USER_NOT_FOUND' });
      return { ...user }; // each answer is an object of its own: the kit may mark it
    },

    listUsers({ pageSize, pageToken }) {
      const afterId = readPageToken(pageToken);
      validate(check => {
        checkRange(check, 'page_size', pageSize, 0, MAX_PAGE_SIZE);
        const valid = afterId !== undefined && afterId < directory.size;
        check(valid, 'page_token', `must be empty or a next_page_token of this method, is ${shown(pageToken)}`);
      });
      const page = directory.page(afterId ?? 0, pageSize || DEFAULT_PAGE_SIZE);
      const lastId = page.at(-1)?.id ?? directory.size;
      return { users: page, nextPageToken: lastId < directory.size ? pageTokenAfter(lastId) : '' };
    },
  };
}

/** Encoded, so that nobody builds tokens by hand and their form can change. */
function pageTokenAfter(id: number): string {
  return Buffer.from(`after ${id}`).toString('base64url');
}

/** The id that the page before ended with, 0 for the first page; undefined for a token that {@link pageTokenAfter} did not make. */
function readPageToken(token: string): number | undefined {
  if (token === '') return 0;
  const [, digits] = /^after ([1-9]\d{0,8})$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  const id = Number(digits);
  return digits !== undefined && pageTokenAfter(id) === token ? id : undefined;
}
