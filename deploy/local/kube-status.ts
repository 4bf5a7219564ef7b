import { messageOf, RunError } from './run-error.ts';

const reasons = {
  400: 'BadRequest',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  500: 'InternalError',
} as const;

/** An answer of the control API that is a failure, by its HTTP code. */
export class StatusError extends Error {
  readonly code: keyof typeof reasons;
  constructor(code: keyof typeof reasons, message: string) {
    super(message);
    this.code = code;
  }
}

/** The Kubernetes `Status` object for whatever was thrown; what a Deployment refuses (a `RunError`) is 422. */
export function statusOf(error: unknown) {
  const code = error instanceof StatusError ? error.code : error instanceof RunError ? 422 : 500;
  const message = messageOf(error);
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason: reasons[code], code };
}
