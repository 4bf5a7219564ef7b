/** What went wrong, for the person at the terminal: says what to do about it and is printed without a stack trace. Exit code 1. */
export class RunError extends Error {
  override name = 'RunError';
}

/** A command that cannot be meant as it was written (an unknown service, a bad number). Exit code 2. */
export class UsageError extends RunError {
  override name = 'UsageError';
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
