import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import type { PostgresConfig } from '../config.ts';
import { configError } from '../failure.ts';
import { MAX_NAME_BYTES } from './sql.ts';

/** How to connect, and how to name the place in messages. */
export interface Address {
  readonly client: ClientConfig;
  /** Host, port and database, without anything secret. */
  readonly where: string;
}

/** Parameters of a URL that other programs need and that change nothing here: TLS is what `ssl` says, at the least. */
const HARMLESS = new Set(['sslmode', 'application_name', 'connect_timeout', 'channel_binding', 'target_session_attrs']);

/** A server that is there answers sooner. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Reads a config.
 *
 * @throws {Failure} `config_error` for one that names no database, or contradicts itself.
 */
export function readAddress(config: PostgresConfig): Address {
  if (Buffer.byteLength(config.schema) > MAX_NAME_BYTES) {
    throw configError(`destination.schema: is longer than the ${MAX_NAME_BYTES} bytes that Postgres takes`);
  }
  const { host, port, database, user, password } = config.url === undefined ? fromFields(config) : fromUrl(config);
  const isSocket = host.startsWith('/');
  const client: ClientConfig = {
    host,
    port,
    database,
    user,
    ...(password !== undefined && { password }),
    ssl: isSocket ? false : tlsOf(config.ssl),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
  return { client, where: `Postgres ${host}${isSocket ? '' : `:${port}`}/${database}` };
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
}

function fromFields({ host, port, database, username, password }: PostgresConfig): Place {
  if (host === undefined || database === undefined || username === undefined) {
    throw configError('destination: Postgres needs "url", or "host", "database" and "username"');
  }
  return { host, port, database, user: username, password };
}

function fromUrl({ url, ssl, host, database, username, password }: PostgresConfig): Place {
  if ([host, database, username, password].some((field) => field !== undefined)) {
    throw configError('destination: give "url" or "host", "database", "username" and "password", not both');
  }
  const parsed = URL.canParse(url!) ? new URL(url!) : null;
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw configError('destination.url: is no URL like postgres://user:password@host:5432/database');
  }
  for (const name of parsed.searchParams.keys()) {
    if (!HARMLESS.has(name)) throw configError(`destination.url: the parameter ${name} is not supported; remove it`);
  }
  if (parsed.searchParams.get('sslmode') === 'disable' && ssl !== false) {
    throw configError(
      'destination: "url" asks for no TLS (sslmode=disable) and "ssl" for TLS; set "ssl": false if that is right',
    );
  }
  const place = {
    host: decodeURIComponent(parsed.hostname).replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? 5432 : Number(parsed.port),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    user: decodeURIComponent(parsed.username),
    password: parsed.password === '' ? undefined : decodeURIComponent(parsed.password),
  };
  if (place.host === '' || place.database === '' || place.user === '') {
    throw configError(
      'destination.url: must name user, host and database: postgres://user:password@host:5432/database',
    );
  }
  return place;
}

function tlsOf(ssl: PostgresConfig['ssl']): ConnectionOptions | false {
  if (ssl === false) return false;
  const { ca, verify } = ssl === true ? { ca: undefined, verify: 'full' as const } : ssl;
  return {
    rejectUnauthorized: verify !== 'none',
    ...(ca !== undefined && { ca: readCa(ca) }),
    ...(verify === 'ca' && { checkServerIdentity: () => undefined }),
  };
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw configError(`destination.ssl.ca: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
