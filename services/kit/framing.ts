/** The encodings that grpc-js can read, in the order of its own answers; see gRPC's compression specification. */
export const ENCODINGS: readonly string[] = ['identity', 'gzip', 'deflate'];

/** What is wrong with the compressed flag of a message, by the `grpc-encoding` of its stream; undefined when nothing is. */
export function flagError(flag: number, encoding: string): string | undefined {
  if (flag > 1) return `the compressed flag of a message must be 0 or 1, is ${flag}`;
  return flag === 1 && encoding === 'identity' ? 'a message is compressed without grpc-encoding' : undefined;
}
