import { status } from '@grpc/grpc-js';
import type { ListUsersRequest, UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { checked, type Handlers } from '../kit/handler.ts';
import { RpcError, type Violation } from '../kit/rpc-error.ts';
import { shown } from '../kit/validate-shown.ts';
import type { Directory } from './directory.ts';

const DEFAULT_PAGE_SIZE = 50;

/** Answers UserService from a directory in memory. */
export function users(directory: Directory): Handlers<typeof UserServiceService> {
  function checkPageToken({ pageToken }: ListUsersRequest): Violation[] {
    const afterId = readPageToken(pageToken);
    if (afterId !== undefined && afterId < directory.size) return [];
    const description = `must be empty or a next_page_token of this method, is ${shown(pageToken)}`;
    return [{ field: 'page_token', description }];
  }

  return {
    getUser({ id }) {
      const user = directory.find(id);
      if (!user) throw new RpcError(status.NOT_FOUND, `no user has the id ${id}`, { reason: 'USER_NOT_FOUND' });
      return { ...user }; // each answer is an object of its own: the kit may mark it
    },

    listUsers: checked(checkPageToken, ({ pageSize, pageToken }) => {
      const page = directory.page(readPageToken(pageToken) ?? 0, pageSize || DEFAULT_PAGE_SIZE);
      const lastId = page.at(-1)?.id ?? directory.size;
      return { users: page, nextPageToken: lastId < directory.size ? pageTokenAfter(lastId) : '' };
    }),
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
