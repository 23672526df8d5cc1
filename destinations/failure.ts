/** Who must act on a failure, in Airbyte's words: the user, nobody (try later), or we. */
export type FailureKind = 'config_error' | 'transient_error' | 'system_error';

/**
 * A failure whose message says what happened, where, and what to do next; it never holds a secret or a value of a row.
 * Whatever is thrown and is not a `Failure` is a `system_error`.
 */
export class Failure extends Error {
  readonly kind: FailureKind;
  /** The API's `requestId`, where its answer had one. */
  readonly requestId: string | null;

  constructor(kind: FailureKind, message: string, options: { cause?: unknown; requestId?: string | null } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.kind = kind;
    this.requestId = options.requestId ?? null;
  }
}

/** Another run holds a lock that this one needs: nothing was done. The message names that run and its start. */
export class LockedFailure extends Failure {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('transient_error', message, options);
    this.name = 'LockedFailure';
  }
}

/** What keeps one stream from being read or written, and no other. */
export class StreamFailure extends Failure {
  readonly stream: string;

  constructor(kind: FailureKind, stream: string, message: string, options: { cause?: unknown } = {}) {
    super(kind, message, options);
    this.name = 'StreamFailure';
    this.stream = stream;
  }
}

/** The message, and the request id that support asks for: where there is no field of its own for that. */
export const withRequestId = ({ message, requestId }: { message: string; requestId: string | null }): string =>
  requestId === null ? message : `${message} (request id ${requestId})`;

export const configError = (message: string, cause?: unknown) => new Failure('config_error', message, { cause });
export const transientError = (message: string, cause?: unknown) => new Failure('transient_error', message, { cause });
export const systemError = (message: string, cause?: unknown) => new Failure('system_error', message, { cause });

/** Any thrown value as a `Failure`. What nobody foresaw is a `system_error`. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return systemError(thrown instanceof Error ? thrown.message : String(thrown), thrown);
}
