import { BigQuery, type BigQueryOptions } from '@google-cloud/bigquery';
import { type AuthClient, GoogleAuth, Impersonated, PassThroughClient } from 'google-auth-library';
import type { BigqueryConfig } from '../config.ts';
import { configError } from '../failure.ts';
import { MANAGED_BY } from './tables-sql.ts';
import { failureOf, isTransient, type Trouble, troubleOf } from './trouble.ts';

/** One call of BigQuery's REST API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the project (`/jobs`), or a whole address. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The second part of an upload, whose first part is `json`. */
  readonly media?: () => NodeJS.ReadableStream;
}

/** Calls that failed are tried again here and nowhere else. */
export interface Client {
  /**
   * @param what what the call does, put so that `cannot ...` reads well.
   * @throws {BigqueryFailure}
   */
  call<T>(call: Call, what: string): Promise<T>;
  /** Where media go. */
  readonly uploads: string;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface ClientOptions {
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: () => number;
}

const BIGQUERY_SCOPE = 'https://www.googleapis.com/auth/bigquery';
/** What the right to act as another account is asked with. */
const CLOUD_SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/** How long failing calls are tried again: until BigQuery has answered once it may as well be out of reach for good. */
const PATIENCE_MS = { atFirst: 30_000, later: 150_000 };
const CALL_TIMEOUT_MS = { atFirst: 15_000, later: 60_000 };
/** Long enough for 64 MB at 2 Mbit/s. */
const UPLOAD_TIMEOUT_MS = 300_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 32_000;

/** Nothing is looked up or connected to before the first call. */
export function createClient(config: BigqueryConfig, { sleep, random }: ClientOptions): Client {
  const endpoint = config.api_endpoint?.replace(/\/+$/, '') ?? 'https://bigquery.googleapis.com';
  let opening: Promise<BigQuery> | null = null;
  let reached = false;

  async function open(): Promise<BigQuery> {
    return new BigQuery({
      projectId: config.project_id,
      userAgent: MANAGED_BY,
      apiEndpoint: endpoint,
      // Everything is tried again below, so that one rule bounds it.
      retryOptions: { autoRetry: false, maxRetries: 0 },
      ...(await credentials(config)),
    });
  }

  async function once<T>({ method, path, query, json, headers, media }: Call): Promise<T> {
    opening ??= open();
    const bigquery = await opening;
    const timeout = media ? UPLOAD_TIMEOUT_MS : reached ? CALL_TIMEOUT_MS.later : CALL_TIMEOUT_MS.atFirst;
    const body =
      media === undefined
        ? { json }
        : {
            multipart: [
              { 'Content-Type': 'application/json', body: JSON.stringify(json) },
              { 'Content-Type': 'application/octet-stream', body: media() as never },
            ],
          };
    return new Promise((resolve, reject) => {
      bigquery.request(
        { method, uri: path, qs: query, headers, timeout, maxRetries: 0, ...body } as never,
        (error: unknown, answer: unknown) => (error ? reject(error) : resolve(answer as T)),
      );
    });
  }

  return {
    uploads: `${endpoint}/upload/bigquery/v2/projects/${encodeURIComponent(config.project_id)}/jobs`,
    sleep,
    async call(call, what) {
      let spent = 0;
      for (let attempt = 1; ; attempt++) {
        const started = performance.now();
        try {
          const answer = await once(call);
          reached = true;
          return answer as never;
        } catch (error) {
          const trouble = troubleOf(error);
          if (trouble.status !== null && trouble.status < 500) reached = true;
          const pause = pauseBefore(attempt, trouble, random);
          const patience = reached ? PATIENCE_MS.later : PATIENCE_MS.atFirst;
          spent += performance.now() - started + pause;
          if (!isTransient(trouble) || spent > patience) throw failureOf(trouble, what);
          await sleep(pause);
        }
      }
    },
  };
}

/** Twice as long each time, jittered by half, and never shorter than the server asks for. */
export function pauseBefore(attempt: number, trouble: Trouble, random: () => number): number {
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
  return Math.max(longest * (0.5 + random() / 2), trouble.retryAfterMs ?? 0);
}

/**
 * An emulator gets no credentials, and none are looked up for it.
 *
 * @throws {Failure} `config_error` when the credentials cannot be read.
 */
async function credentials(
  config: BigqueryConfig,
): Promise<Pick<BigQueryOptions, 'authClient' | 'credentials' | 'keyFilename'>> {
  // The client's type names another version of the library than the one it loads.
  const authClient = (client: AuthClient) => ({ authClient: client as never });
  if (config.api_endpoint !== undefined) return authClient(new PassThroughClient());
  const own = ownCredentials(config);
  if (config.impersonate === undefined) return own;
  const sourceClient = await new GoogleAuth({ ...own, scopes: [CLOUD_SCOPE] }).getClient();
  return authClient(
    new Impersonated({ sourceClient, targetPrincipal: config.impersonate, targetScopes: [BIGQUERY_SCOPE] }),
  );
}

function ownCredentials({ credentials_json: json, credentials_file: keyFilename }: BigqueryConfig) {
  if (json === undefined) return keyFilename === undefined ? {} : { keyFilename };
  try {
    return { credentials: JSON.parse(json) as object };
  } catch {
    throw configError(
      'destination.credentials_json is not JSON: put the whole key file there, or name it in credentials_file',
    );
  }
}
