import { createHmac, randomBytes } from 'node:crypto';
import { type Answer, errorAnswer, jsonAnswer, NO_TOKEN } from './answer.ts';
import type { Clock } from './clock.ts';
import type { Unknowns } from './unknowns.ts';

export interface Credentials {
  readonly lender: string;
  readonly email: string;
  readonly password: string;
  readonly lenderPublicId: string;
}

export interface AuthOptions extends Credentials {
  readonly clock: Clock;
  readonly unknowns: Unknowns;
  readonly refreshFails: () => boolean;
}

export interface Auth {
  login(lender: string, body: unknown): Answer;
  refresh(lender: string, body: unknown): Answer;
  /** The failing answer to a request with this `Authorization` header, or null where it may pass. */
  refusal(header: string | undefined): Answer | null;
  /** Ends all access tokens, and with `all` the refresh tokens as well. */
  expire(all: boolean): void;
}

/** Login, refresh and the check of tokens that look like those of the API (JWT, HS512, with a `lenderId` claim). */
export function createAuth(options: AuthOptions): Auth {
  const { clock, unknowns } = options;
  const tokenLifetimeMs = 1000 * unknowns.tokenSeconds;
  const secret = randomBytes(64);
  const accessTokens = new Map<string, number>();
  const refreshTokens = new Map<string, number>();

  function issue(lifetimeMs: number): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [iat, exp] = [clock.ms(), clock.ms() + lifetimeMs].map((ms) => Math.floor(ms / 1000));
    const claims = { lenderId: options.lenderPublicId, iat, exp, jti: randomBytes(6).toString('hex') };
    const signed = `${part({ alg: 'HS512', typ: 'JWT' })}.${part(claims)}`;
    return `${signed}.${createHmac('sha512', secret).update(signed).digest('base64url')}`;
  }

  function accessToken(): string {
    const token = issue(tokenLifetimeMs);
    accessTokens.set(token, clock.ms() + tokenLifetimeMs);
    return token;
  }

  function refreshToken(): string {
    const lifetimeMs = 1000 * unknowns.refreshSeconds;
    const token = issue(lifetimeMs);
    refreshTokens.set(token, clock.ms() + lifetimeMs);
    return token;
  }

  /** No body of a failed login or refresh is documented. */
  function failure(status: number, message: string): Answer {
    switch (unknowns.authFailure) {
      case 'v1':
        return jsonAnswer(status, { error: message });
      case 'envelope':
        return jsonAnswer(status, { code: status, message, body: null, errors: [{ message }] });
      case 'empty':
        return { status, headers: {}, body: [] };
      default:
        return errorAnswer(status, message);
    }
  }

  return {
    login(lender, body) {
      const { email, password } = Object(body) as { email?: unknown; password?: unknown };
      if (lender !== options.lender || email !== options.email || password !== options.password) {
        return failure(unknowns.wrongCredentials, 'Something went wrong');
      }
      // Flat, without the envelope of the exports.
      const token = accessToken();
      return jsonAnswer(200, { lenderPublicId: options.lenderPublicId, token, refreshToken: refreshToken() });
    },
    refresh(lender, body) {
      const { refreshToken: old } = Object(body) as { refreshToken?: unknown };
      if (typeof old !== 'string') return failure(400, 'refreshToken is required');
      if (lender !== options.lender || (refreshTokens.get(old) ?? 0) <= clock.ms() || options.refreshFails()) {
        return failure(401, 'Invalid refresh token');
      }
      if (!unknowns.refreshRotates) return jsonAnswer(200, { token: accessToken() });
      refreshTokens.delete(old);
      return jsonAnswer(200, { token: accessToken(), refreshToken: refreshToken() });
    },
    refusal(header) {
      if (header === undefined || !/^Bearer \S/.test(header)) {
        return errorAnswer(401, NO_TOKEN);
      }
      const expires = accessTokens.get(header.slice('Bearer '.length));
      if (expires === undefined || expires <= clock.ms()) return errorAnswer(401, 'Invalid or expired token');
      return null;
    },
    expire(all) {
      accessTokens.clear();
      if (all) refreshTokens.clear();
    },
  };
}
