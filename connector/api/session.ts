import { Failure, systemError } from '../../destinations/failure.ts';
import { readSaid } from './answer.ts';
import type { Http, HttpAnswer, HttpRequest } from './http.ts';
import { type Account, type LoginContext, login, refreshed } from './login.ts';

/** A login and its tokens, renewed while it is used. */
export interface Session {
  /** The UUID of the lender that is logged in. */
  readonly lender: string;
  /**
   * Sends a request with the access token. On a 401 the token is renewed and the request repeated.
   *
   * @param onSend called right before each time that the request is sent.
   * @returns any answer but a 401.
   * @throws {Failure} `config_error` when renewing does not cure the 401.
   */
  send(request: HttpRequest, signal: AbortSignal, onSend?: () => void): Promise<HttpAnswer>;
}

/** A token that has been given out. */
interface Token {
  readonly access: string;
  /** Whether it came from a renewal that no request has proven to be worth anything yet. */
  unproven: boolean;
}

/** For a request that is refused time and again while others are accepted with the same tokens. */
const MAX_REPEATS = 3;

/**
 * Logs in. A 401 may mean that the token has expired, or that the lender is missing or inactive, which no token cures; the API does
 * not tell which. So the order is bounded: one refresh for all requests that are refused at once, or else one login; each request
 * is repeated once. Only a token that was accepted before it was refused is renewed again.
 *
 * @param data to the host that requests go to, which may be another than that of the logins.
 */
export async function openSession(account: Account, context: LoginContext, data: Http): Promise<Session> {
  const first = await login(account, context);
  let refreshToken = first.refresh;
  let renewal: Promise<void> | null = null;
  let current: Token = { access: first.access, unproven: false };

  async function renew(): Promise<Token> {
    const fresh = refreshToken === null ? null : await refreshed(account, refreshToken, context);
    if (fresh !== null) {
      refreshToken = fresh.refresh ?? refreshToken;
      return { access: fresh.access, unproven: true };
    }
    const again = await login(account, context);
    if (again.lender !== first.lender) {
      throw systemError(
        `a new login during the run is that of another lender (${again.lender}, before ${first.lender}). Run again; if it stays so, report it to ClearGrid`,
      );
    }
    refreshToken = again.refresh;
    return { access: again.access, unproven: true };
  }

  /** Puts another token in the place of a refused one, once for all who ask while it is on its way. */
  function replace(refused: Token): Promise<void> {
    if (refused !== current) return Promise.resolve();
    renewal ??= renew()
      .then((token) => {
        current = token;
      })
      .finally(() => {
        renewal = null;
      });
    return renewal;
  }

  async function sendWith(token: Token, request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const answer = await data.send(
      { ...request, headers: { ...request.headers, authorization: `Bearer ${token.access}` } },
      signal,
    );
    if (answer.status !== 401) token.unproven = false;
    return answer;
  }

  return {
    lender: first.lender,
    send: async (request, signal, onSend) => {
      for (let repeats = 0; ; repeats++) {
        const token = current;
        onSend?.();
        const answer = await sendWith(token, request, signal);
        if (answer.status !== 401) return answer;
        if (token.unproven || repeats === MAX_REPEATS) throw accessDenied(answer, context);
        await unlessAborted(replace(token), signal);
      }
    },
  };
}

function accessDenied(answer: HttpAnswer, { secrets }: LoginContext): Failure {
  const { message, requestId } = readSaid(answer, secrets);
  return new Failure(
    'config_error',
    `the login works, but the API refuses its token (401${message === null ? '' : ` ${message}`}), also after renewing it. The ` +
      "lender may be missing or inactive: contact ClearGrid's support.",
    { requestId },
  );
}

/** The renewal goes on for the others when one of them stops waiting. */
function unlessAborted<T>(shared: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    shared.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
