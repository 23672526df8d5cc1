import type { Source } from '../source.ts';
import { systemTiming, type Timing } from '../timing.ts';
import { VERSION } from '../version.ts';
import { type Address, type ApiVersion, apiOrigin } from './addresses.ts';
import { readSaid } from './answer.ts';
import { fetchCatalog } from './catalog.ts';
import type { CatalogResult } from './catalog-reader.ts';
import { createServerClock } from './clock.ts';
import { fetchPage } from './exports.ts';
import { createHttp, HTTP_LIMITS, type HttpLimits, type HttpRequest } from './http.ts';
import type { Account } from './login.ts';
import { createSecrets } from './secrets.ts';
import { openSession } from './session.ts';

export interface ApiOptions extends Address, Account {
  /** Requests under way at once, at most: as many connections are kept. */
  readonly concurrency: number;
  /** Default v3, which alone has exports. */
  readonly version?: ApiVersion;
  /** Ends whatever is under way, renewals of tokens included. */
  readonly signal: AbortSignal;
  readonly timing?: Timing;
  /** Milliseconds since 1970 on this machine's clock: what the time is where the server does not tell. */
  readonly wall?: () => number;
  readonly limits?: HttpLimits;
}

/** ClearGrid's API, logged in. */
export interface Api extends Source {
  /** The live catalog. Its answer may also tell the server's time, so ask before `now` is read. */
  catalog(): Promise<CatalogResult>;

  /**
   * Sends an authorised request to any path of the API, once (a 401 apart, as for pages). Its body is sent as JSON; bytes are JSON already.
   *
   * @throws {PageFailure} when no whole answer arrived; `Failure` when asking again cannot help.
   */
  request(method: HttpRequest['method'], path: string, body: unknown, signal: AbortSignal): Promise<ApiAnswer>;

  /** Breaks off what is under way and closes all connections. */
  close(): Promise<void>;
}

/** An answer of any status but 401. */
export interface ApiAnswer {
  readonly status: number;
  /** The body as it came, which may be no JSON at all. */
  readonly bytes: Uint8Array;
  /** The API's own words, trimmed and in quotes, without secrets; null when there are none. */
  readonly message: string | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
}

/**
 * Logs in to ClearGrid.
 *
 * @throws {Failure} `config_error` for a wrong address or a refused login, `transient_error` when the API is out of reach; within 60 s.
 */
export async function connectApi(options: ApiOptions): Promise<Api> {
  const { concurrency, signal, timing = systemTiming, wall = Date.now, limits = HTTP_LIMITS } = options;
  const { version = 'v3' } = options;
  const { lender, email, password } = options;
  const [loginOrigin, dataOrigin] = [apiOrigin(options, version, 'login'), apiOrigin(options, version)];
  const to = (origin: string) =>
    createHttp({ origin, connections: concurrency, userAgent: `cleargrid-connector/${VERSION}`, limits });
  const data = to(dataOrigin);
  const logins = loginOrigin === dataOrigin ? data : to(loginOrigin);
  const close = async () => void (await Promise.all([data.close(), logins.close()]));
  const clock = createServerClock({ monotonic: timing.monotonic, wall });
  const secrets = createSecrets();
  secrets.keep(password);

  try {
    const context = { http: logins, version, clock, timing, signal, secrets };
    const session = await openSession({ lender, email, password }, context, data);
    return {
      lender: session.lender,
      now: clock.now,
      get hasServerClock() {
        return clock.isServers;
      },
      fetchPage: (...page) => fetchPage({ session, clock, secrets }, ...page),
      catalog: () => fetchCatalog({ session, clock, timing, secrets }, signal),
      request: async (method, path, body, requestSignal) => {
        const answer = await session.send({ method, path, body }, requestSignal);
        return { status: answer.status, bytes: answer.bytes, ...readSaid(answer, secrets) };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
