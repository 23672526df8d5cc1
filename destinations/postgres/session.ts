import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg, { type ClientConfig } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { ConnectionLost, isFatal } from './errors.ts';

export type Parameters = readonly (string | number | boolean | null | readonly (string | null)[])[];

export type Answer = Readonly<Record<string, string | null>>;

/** One connection. Its statements run one after the other; values come as the text that Postgres writes. */
export interface Session {
  /** Whether the connection has ended. */
  readonly isLost: boolean;
  /** The server's process, also through a pooler. */
  readonly backend: string | null;
  /** The server process that the driver was told of when it connected; a pooler tells something else. */
  readonly processId: number | null;
  rows(sql: string, parameters?: Parameters, options?: StatementOptions): Promise<Answer[]>;
  /** @returns how many rows the statement changed. */
  run(sql: string, parameters?: Parameters, options?: StatementOptions): Promise<number>;
  /** Rows with the types that `types` makes of their text. */
  typed(sql: string, types: pg.CustomTypesConfig): Promise<Record<string, unknown>[]>;
  /** Sends the data of a COPY statement. @returns how many rows it brought. */
  copy(sql: string, chunks: Iterable<Uint8Array>): Promise<number>;
  /** Runs `work` in one transaction: all or nothing. The server ends it where this process is frozen in the midst of it. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Calls back once when the connection ends by itself. */
  onLost(listener: () => void): void;
  /** Ends the connection from this side, where the other side is not there any more: whatever waits for an answer fails. */
  cut(): void;
  close(): Promise<void>;
}

export interface StatementOptions {
  /** Set for statements that take long on a large table. */
  readonly slow?: boolean;
  /** Set for text that a person wrote: the server then takes one statement and no more. */
  readonly single?: boolean;
}

/** A connection that says nothing for so long is given up, in case the network lost it without a word. */
const DEADLINE_MS = 5 * 60_000;
const SLOW_DEADLINE_MS = 6 * 60 * 60_000;

/** How long a statement waits for a lock. */
export const LOCK_TIMEOUT = '5s';

/**
 * What statements rely on, whatever the server, database or role have set otherwise; time limits are meant for other kinds of
 * work, as in pg_dump. Waiting for a lock has one of ours: others queue up behind whoever waits. `pg_catalog` comes first, so
 * that its functions and operators are meant; what comes behind stays, because triggers of the user's may rely on it. Limits that only
 * newer servers know are set where they are known. A statement whose client is gone ends (where the server's system can tell), or it would
 * stand in the way of the next run.
 */
const SETTINGS = `select pg_catalog.pg_backend_pid() as backend,
  set_config('search_path', concat_ws(', ', 'pg_catalog', nullif(current_setting('search_path'), '')), false),
  set_config('client_encoding', 'UTF8', false),
  set_config('datestyle', 'ISO, YMD', false),
  set_config('intervalstyle', 'iso_8601', false),
  set_config('timezone', 'UTC', false),
  set_config('bytea_output', 'hex', false),
  set_config('extra_float_digits', '1', false),
  set_config('standard_conforming_strings', 'on', false),
  set_config('default_transaction_isolation', 'read committed', false),
  set_config('default_transaction_deferrable', 'off', false),
  set_config('statement_timeout', '0', false),
  set_config('idle_in_transaction_session_timeout', '0', false),
  (select count(set_config(name, '0', false)) from pg_catalog.pg_settings where name in ('idle_session_timeout', 'transaction_timeout')),
  (select count(set_config(name, '5s', false)) from pg_catalog.pg_settings
    where name = 'client_connection_check_interval' and version() ~* 'linux|darwin|bsd'),
  set_config('lock_timeout', '${LOCK_TIMEOUT}', false),
  set_config('quote_all_identifiers', 'off', false),
  set_config('jit', 'off', false),
  set_config('work_mem', greatest(pg_size_bytes(current_setting('work_mem')), 32 * 1024 * 1024) / 1024 || 'kB', false),
  set_config('tcp_keepalives_idle', '10', false),
  set_config('tcp_keepalives_interval', '5', false),
  set_config('tcp_keepalives_count', '4', false),
  set_config('tcp_user_timeout', '30000', false)`;

/** A process that is frozen between two statements would hold its locks, and others up, until it wakes. */
const BEGIN = `begin; set local idle_in_transaction_session_timeout = '20s'`;

/** Connects. @throws the driver's errors. */
export async function openSession(config: ClientConfig, name: string): Promise<Session> {
  const client = new pg.Client({ ...config, application_name: name });
  let lost = false;
  let closing = false;
  let backend: string | null = null;
  const listeners: (() => void)[] = [];
  const loose = () => {
    if (lost) return;
    lost = true;
    if (!closing) for (const listener of listeners) listener();
  };
  client.on('error', loose);
  client.on('end', loose);
  await client.connect();

  /** Answers whatever happens to the connection: an error, or the end of it. */
  async function guarded<T>(work: () => Promise<T>, { slow = false }: StatementOptions = {}): Promise<T> {
    if (lost) throw new ConnectionLost();
    const deadline = setTimeout(() => socketOf(client)?.destroy(), slow ? SLOW_DEADLINE_MS : DEADLINE_MS);
    try {
      return await work();
    } catch (error) {
      if (isFatal(error) || (!(error instanceof pg.DatabaseError) && isGone(client))) {
        loose();
        throw error instanceof pg.DatabaseError ? error : new ConnectionLost(error);
      }
      throw error;
    } finally {
      clearTimeout(deadline);
    }
  }

  const query = (sql: string, parameters: Parameters = [], options?: StatementOptions) =>
    guarded(
      () => client.query<Record<string, string | null>>({ text: sql, values: [...parameters], types: asText }),
      options,
    );

  const session: Session = {
    get isLost() {
      return lost;
    },
    get backend() {
      return backend;
    },
    get processId() {
      return (client as unknown as { processID: number | null }).processID;
    },
    rows: async (sql, parameters, options) => (await query(sql, parameters, options)).rows,
    run: async (sql, parameters, options) => (await query(sql, parameters, options)).rowCount ?? 0,
    typed: (sql, types) => guarded(async () => (await client.query({ text: sql, types })).rows),
    copy: (sql, chunks) =>
      guarded(async () => {
        const copy = client.query(copyFrom(sql));
        await pipeline(Readable.from(chunks), copy);
        return copy.rowCount;
      }),
    async transaction(work) {
      await session.run(BEGIN);
      try {
        const result = await work();
        await session.run('commit');
        return result;
      } catch (error) {
        if (!lost) await session.run('rollback').catch(loose);
        throw error;
      }
    },
    onLost(listener) {
      listeners.push(listener);
    },
    cut() {
      socketOf(client)?.destroy();
      loose();
    },
    async close() {
      closing = true;
      if (lost) socketOf(client)?.destroy();
      else await Promise.race([client.end(), new Promise((resolve) => setTimeout(resolve, 2_000).unref())]);
      lost = true;
      socketOf(client)?.destroy();
    },
  };

  try {
    [{ backend = null } = {}] = await session.rows(SETTINGS);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

const asText: pg.CustomTypesConfig = { getTypeParser: () => (text: string) => text };

type Socket = { destroyed: boolean; destroy(): void };

function socketOf(client: pg.Client): Socket | undefined {
  return (client as unknown as { connection?: { stream?: Socket } }).connection?.stream;
}

function isGone(client: pg.Client): boolean {
  return socketOf(client)?.destroyed ?? true;
}
