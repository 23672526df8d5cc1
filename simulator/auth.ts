import { createHmac, randomBytes } from 'node:crypto';
import { type Answer, errorAnswer, jsonAnswer } from './answer.ts';
import type { Clock } from './clock.ts';

export interface Credentials {
  readonly lender: string;
  readonly email: string;
  readonly password: string;
  readonly lenderPublicId: string;
}

export interface AuthOptions extends Credentials {
  readonly clock: Clock;
  readonly tokenLifetimeMs: number;
  readonly wrongCredentials: number;
  readonly refreshRotates: boolean;
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
  const { clock } = options;
  const secret = randomBytes(64);
  const accessTokens = new Map<string, number>();
  let refreshTokens = new Set<string>();

  function issue(lifetimeMs: number): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [iat, exp] = [clock.ms(), clock.ms() + lifetimeMs].map((ms) => Math.floor(ms / 1000));
    const claims = { lenderId: options.lenderPublicId, iat, exp, jti: randomBytes(6).toString('hex') };
    const signed = `${part({ alg: 'HS512', typ: 'JWT' })}.${part(claims)}`;
    return `${signed}.${createHmac('sha512', secret).update(signed).digest('base64url')}`;
  }

  function accessToken(): string {
    const token = issue(options.tokenLifetimeMs);
    accessTokens.set(token, clock.ms() + options.tokenLifetimeMs);
    return token;
  }

  function refreshToken(): string {
    const token = issue(30 * 86_400_000);
    refreshTokens.add(token);
    return token;
  }

  return {
    login(lender, body) {
      const { email, password } = Object(body) as { email?: unknown; password?: unknown };
      if (lender !== options.lender || email !== options.email || password !== options.password) {
        return errorAnswer(options.wrongCredentials, 'Something went wrong');
      }
      // Flat, without the envelope of the exports.
      const token = accessToken();
      return jsonAnswer(200, { lenderPublicId: options.lenderPublicId, token, refreshToken: refreshToken() });
    },
    refresh(lender, body) {
      const { refreshToken: old } = Object(body) as { refreshToken?: unknown };
      if (typeof old !== 'string') return errorAnswer(400, 'refreshToken is required');
      if (lender !== options.lender || !refreshTokens.has(old) || options.refreshFails()) {
        return errorAnswer(401, 'Invalid refresh token');
      }
      if (!options.refreshRotates) return jsonAnswer(200, { token: accessToken() });
      refreshTokens.delete(old);
      return jsonAnswer(200, { token: accessToken(), refreshToken: refreshToken() });
    },
    refusal(header) {
      if (header === undefined || !/^Bearer \S/.test(header)) {
        return errorAnswer(401, 'Access denied. No token provided.');
      }
      const expires = accessTokens.get(header.slice('Bearer '.length));
      if (expires === undefined || expires <= clock.ms()) return errorAnswer(401, 'Invalid or expired token');
      return null;
    },
    expire(all) {
      accessTokens.clear();
      if (all) refreshTokens = new Set();
    },
  };
}
