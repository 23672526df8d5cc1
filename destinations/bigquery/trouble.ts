import { configError, Failure, systemError, transientError } from '../failure.ts';

/** What BigQuery says when something fails, sorted by what helps. */

/** One failure of a request or a job, in BigQuery's terms. */
export interface Trouble {
  /** BigQuery's word for it (`rateLimitExceeded`), or a network error's code; empty where it gave none. */
  readonly reason: string;
  /** The HTTP status, or null: no answer, or the failure of a job. */
  readonly status: number | null;
  /** BigQuery's own words: they may hold values, so they are never told as they are. */
  readonly message: string;
  readonly retryAfterMs: number | null;
  readonly cause: unknown;
}

/** https://cloud.google.com/bigquery/docs/error-messages */
const TRANSIENT = new Set([
  'backendError',
  'internalError',
  'jobBackendError',
  'jobInternalError',
  'jobRateLimitExceeded',
  'rateLimitExceeded',
  'tableUnavailable',
  'userRateLimitExceeded',
]);

/** No answer came. */
const NETWORK = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ETIMEDOUT',
]);

export function isTransient(trouble: Trouble): boolean {
  const { reason, status } = trouble;
  if (reason === 'quotaExceeded') return false;
  if (TRANSIENT.has(reason) || isConflict(trouble)) return true;
  return isUnreached(trouble) || status === 408 || status === 429 || (status !== null && status >= 500);
}

function isUnreached({ reason, status }: Trouble): boolean {
  return status === null && NETWORK.has(reason);
}

/** Two transactions that change one table cancel each other. https://cloud.google.com/bigquery/docs/transactions#transaction_concurrency */
export function isConflict({ message }: Trouble): boolean {
  return /aborted due to concurrent|concurrent update|transaction conflict|write-write conflict/i.test(message);
}

export function isNotFound({ reason, status }: Trouble): boolean {
  return reason === 'notFound' || status === 404;
}

/** There is a job, or a table, of that name. */
export function isDuplicate({ reason, status }: Trouble): boolean {
  return reason === 'duplicate' || status === 409;
}

/** A failure that keeps its trouble, for whoever knows what to make of it. */
export class BigqueryFailure extends Failure {
  readonly trouble: Trouble;

  constructor(failure: Failure, trouble: Trouble) {
    super(failure.kind, failure.message, { cause: trouble.cause });
    this.name = 'BigqueryFailure';
    this.trouble = trouble;
  }
}

/** Any thrown value of the client, as trouble. */
export function troubleOf(error: unknown): Trouble {
  const { code, errors, message, response, type, name } = (error ?? {}) as {
    code?: unknown;
    errors?: readonly { reason?: string }[];
    message?: string;
    response?: { headers?: Record<string, string>; statusCode?: number; status?: number };
    type?: string;
    name?: string;
  };
  const status = [code, response?.statusCode, response?.status].find((value) => typeof value === 'number') ?? null;
  const network =
    typeof code === 'string' ? code : type === 'request-timeout' || name === 'AbortError' ? 'ETIMEDOUT' : '';
  return {
    reason: errors?.[0]?.reason ?? network,
    status: status as number | null,
    message: message ?? '',
    retryAfterMs: retryAfter(response?.headers?.['retry-after']),
    cause: error,
  };
}

function retryAfter(header: string | undefined): number | null {
  if (header === undefined) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return seconds * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

/**
 * @param what what was being done, put so that `cannot ...` reads well.
 */
export function failureOf(trouble: Trouble, what: string): BigqueryFailure {
  return new BigqueryFailure(told(trouble, what), trouble);
}

function told(trouble: Trouble, what: string): Failure {
  const { reason, status } = trouble;
  const cannot = `BigQuery: cannot ${what}`;
  if (reason === 'quotaExceeded') {
    return transientError(
      `${cannot}: a daily quota of the project or table is used up. BigQuery gives more within minutes to hours, all of it at ` +
        `${nextMidnightPacific(new Date())} at the latest; run again then, or less often (see Quotas in docs/bigquery.md)`,
    );
  }
  if (isTransient(trouble)) {
    const why = isConflict(trouble) ? 'another job was changing the same table' : reason || `HTTP ${status}`;
    return transientError(`${cannot}: ${why}, and trying again did not help; run again later`);
  }
  if (status === 401 || /invalid_grant|invalid_client|could not refresh|default credentials/i.test(trouble.message)) {
    return configError(
      `${cannot}: the credentials were not accepted. Check credentials_json, credentials_file or the environment's default ` +
        'credentials, and impersonate',
    );
  }
  if (reason === 'accessDenied' || status === 403) {
    return configError(
      `${cannot}: the service account lacks a right. It needs roles/bigquery.jobUser on the project and ` +
        'roles/bigquery.dataEditor on the dataset (on the project, where the dataset is to be made)',
    );
  }
  if (reason === 'bytesBilledLimitExceeded') {
    return configError(
      `${cannot}: it would be billed more bytes than maximum_bytes_billed allows; raise it, or leave it out`,
    );
  }
  if (isNotFound(trouble)) return configError(`${cannot}: a project, dataset or table is missing`);
  return systemError(`${cannot}: ${reason || `HTTP ${status ?? 'failed'}`}${safely(trouble.message)}`);
}

/** What BigQuery says of a statement's text or a schema helps; what it may say of values is left out. */
export function safely(message: string): string {
  const first = message.split('\n')[0]!;
  const known =
    /^(Syntax error|Unrecognized name|Not found|No matching signature|Column |Provided Schema|Name |Function not found|Invalid project|Table )/;
  return known.test(first) && !/['"]/.test(first) ? ` (${first})` : '';
}

/** Daily quotas end with the day in California. */
export function nextMidnightPacific(now: Date): string {
  const hour = 3_600_000;
  const dayIn = (at: number) => new Date(at).toLocaleDateString('en-CA', { timeZone: 'America/Los_Angeles' });
  let at = Math.ceil(now.getTime() / hour) * hour;
  while (dayIn(at) === dayIn(now.getTime())) at += hour;
  return new Date(at).toISOString();
}
