import { type ApiVersion, accountsPath } from '../../connector/api/addresses.ts';
import { statusFailure } from '../../connector/api/answer.ts';
import type { Api, ApiAnswer } from '../../connector/api/connect.ts';
import { PageFailure } from '../../connector/source.ts';
import { Failure } from '../../destinations/failure.ts';
import type { GoodAccount } from '../check.ts';

/** What the API answered to a batch. */
export type Answered =
  /** It works on the accounts in the background. */
  | { readonly answer: 'accepted' }
  /** Reasons by `accountId`; empty where it named none, and then perhaps a message. */
  | {
      readonly answer: 'refused';
      readonly named: ReadonlyMap<string, readonly string[]>;
      readonly message: string | null;
    }
  | { readonly answer: 'too large' };

/**
 * Sends a batch, once. Both versions take the same body and refuse in the same shape, `errors` by account; v1's bodies have no `message`.
 * That v3's `errors` look like v1's is INFERRED; what is there instead counts as naming no account.
 *
 * @throws {PageFailure} when it is not known whether the batch was accepted, or it may be another time: it is sent again.
 * @throws {Failure} when sending again cannot help. Neither holds the API's own words, which may quote an account.
 */
export async function postAccounts(
  api: Api,
  version: ApiVersion,
  accounts: readonly GoodAccount[],
  signal: AbortSignal,
): Promise<Answered> {
  const body = Buffer.from(`{"accounts":[${accounts.map(({ json }) => json).join(',')}]}`);
  const answer = await api.request('POST', accountsPath(api.lender, version), body, signal);
  if (answer.status === 413) return { answer: 'too large' };
  const said = bodyOf(answer);
  if (answer.status >= 200 && answer.status < 300) return accepted(answer, said);
  if (answer.status === 400) return { answer: 'refused', ...refusalOf(said) };
  throw failureOf(answer, version);
}

type Body = Readonly<Record<string, unknown>>;

function bodyOf({ bytes }: ApiAnswer): Body | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    return typeof value === 'object' && value !== null ? (value as Body) : null;
  } catch {
    return null;
  }
}

/** A page of something in between is no acceptance, whatever its status. */
function accepted({ status, requestId }: ApiAnswer, body: Body | null): Answered {
  if (body !== null && (body.code === undefined || body.code === 200) && body.success !== false)
    return { answer: 'accepted' };
  if (body?.code === 400) return { answer: 'refused', ...refusalOf(body) };
  throw new PageFailure('interrupted', `the accounts were answered with ${status}, but not as the API answers`, {
    status,
    requestId,
  });
}

function refusalOf(body: Body | null) {
  const named = new Map<string, string[]>();
  for (const error of Array.isArray(body?.errors) ? body.errors : []) {
    const { accountId, errors } = Object(error) as { accountId?: unknown; errors?: unknown };
    if (typeof accountId !== 'string' && typeof accountId !== 'number') continue;
    const reasons = (Array.isArray(errors) ? errors : [errors]).filter((reason) => typeof reason === 'string');
    named.set(String(accountId), [...(named.get(String(accountId)) ?? []), ...reasons]);
  }
  return { named, message: typeof body?.message === 'string' ? body.message : null };
}

function failureOf(answer: ApiAnswer, version: ApiVersion): Failure {
  const { status, bytes, requestId, retryAfterMs } = answer;
  if (status === 403 || status === 404) {
    const what = status === 403 ? 'takes this login for one of another lender' : 'has no accounts there';
    return new Failure(
      'config_error',
      `the accounts were answered with ${status}: the API ${what}. Check lender, email, environment or base_url, and accounts_api (${version}).`,
      { requestId },
    );
  }
  return statusFailure(
    'the accounts',
    { status, bytes, header: () => null },
    { message: null, requestId, retryAfterMs },
  );
}
