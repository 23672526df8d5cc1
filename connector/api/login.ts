import { Failure } from '../../destinations/failure.ts';
import { advised, PageFailure } from '../source.ts';
import type { Timing } from '../timing.ts';
import { type ApiVersion, loginPath, refreshPath } from './addresses.ts';
import { readSaid, smallJson, statusFailure } from './answer.ts';
import { LOGIN_REFUSED_STATUS } from './assumptions.ts';
import type { ServerClock } from './clock.ts';
import type { Http, HttpAnswer } from './http.ts';
import { type RetryBounds, withRetries } from './retry.ts';
import type { Secrets } from './secrets.ts';

export interface Account {
  /** The lender's subdomain identifier. */
  readonly lender: string;
  readonly email: string;
  readonly password: string;
}

export interface Tokens {
  /** The lender's UUID. */
  readonly lender: string;
  readonly access: string;
  readonly refresh: string | null;
}

export interface LoginContext {
  /** To the host of the logins. */
  readonly http: Http;
  readonly version: ApiVersion;
  readonly clock: ServerClock;
  readonly timing: Timing;
  readonly signal: AbortSignal;
  readonly secrets: Secrets;
}

/** A run that cannot log in ends within 60 s; the catalog has its share of them too. */
const LOGIN_BOUNDS: RetryBounds = { tries: 5, budgetMs: 40_000 };
const LOGIN_TRY_MS = 15_000;

const WHAT_TO_CHECK =
  'Check lender (the subdomain identifier given at onboarding), email, password, and whether environment or base_url is the one ' +
  'that this login belongs to.';

/** A wrong login and a fault of the API are answered alike (`LOGIN_REFUSED_STATUS`). */
const OR_LATER = 'If all of that is right, ClearGrid has a fault of its own: try later.';

/**
 * Logs in, trying again what may pass.
 *
 * @throws {Failure} `config_error` when the login is refused, also by a 500 that stays: the API is not known to answer wrong
 *   credentials in any other way. `transient_error` when it cannot be reached.
 */
export async function login(account: Account, context: LoginContext): Promise<Tokens> {
  const { http, version, clock, timing, signal, secrets } = context;
  try {
    return await withRetries(LOGIN_BOUNDS, timing, signal, async (leftMs) => {
      const { email, password } = account;
      const answer = await http.send(
        {
          method: 'POST',
          path: loginPath(account.lender, version),
          body: { email, password },
          withinMs: Math.min(leftMs, LOGIN_TRY_MS),
        },
        signal,
      );
      if (answer.status !== 200) throw refusal(answer, secrets);
      const tokens = readTokens(answer);
      secrets.keep(tokens.access, tokens.refresh);
      clock.observe(answer.header('date'));
      return tokens;
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw error instanceof PageFailure && error.status === LOGIN_REFUSED_STATUS
      ? loginRefused(`${error.message} ${WHAT_TO_CHECK} ${OR_LATER}`, error.requestId)
      : new Failure(error.kind, `could not log in: ${advised(error, 'Try again later.').message}`, {
          cause: error,
          requestId: error.requestId,
        });
  }
}

/**
 * Asks for a new access token, once. A new refresh token is not documented to come with it, but is taken when it does.
 *
 * @returns null when no token came, whatever the reason: a login is the cure for all of them.
 */
export async function refreshed(
  account: Account,
  refreshToken: string,
  { http, version, signal, secrets }: LoginContext,
): Promise<Omit<Tokens, 'lender'> | null> {
  try {
    const answer = await http.send(
      {
        method: 'POST',
        path: refreshPath(account.lender, version),
        body: { refreshToken },
        withinMs: LOGIN_TRY_MS,
      },
      signal,
    );
    if (answer.status !== 200) return null;
    const access = textOf(answer, 'token');
    const refresh = textOf(answer, 'refreshToken');
    secrets.keep(access, refresh);
    return access === null ? null : { access, refresh };
  } catch (error) {
    if (error instanceof PageFailure) return null;
    throw error;
  }
}

function refusal(answer: HttpAnswer, secrets: Secrets): Failure {
  const { status } = answer;
  const said = readSaid(answer, secrets);
  const told = `it was answered with ${status}${said.message === null ? '.' : ` ${said.message}.`}`;
  if (status === LOGIN_REFUSED_STATUS) return new PageFailure('refused', told, { ...said, status });
  const failure = statusFailure('the login', answer, said);
  return failure.kind === 'system_error' ? loginRefused(`${told} ${WHAT_TO_CHECK}`, said.requestId) : failure;
}

function loginRefused(told: string, requestId: string | null): Failure {
  return new Failure('config_error', `the login is refused: ${told}`, { requestId });
}

function readTokens(answer: HttpAnswer): Tokens {
  const lender = textOf(answer, 'lenderPublicId');
  const access = textOf(answer, 'token');
  if (lender === null || access === null) {
    throw new PageFailure(
      'interrupted',
      "the login's answer holds no lenderPublicId and token. Check that base_url leads to ClearGrid's API (and not to its dashboard).",
      { kind: 'config_error', status: answer.status, advises: true },
    );
  }
  return { lender, access, refresh: textOf(answer, 'refreshToken') };
}

/** A text of the flat, unwrapped body that login and refresh answer; null where it is missing or empty. */
function textOf(answer: HttpAnswer, key: string): string | null {
  const value = smallJson(answer.bytes)?.[key];
  return typeof value === 'string' && value !== '' ? value : null;
}
