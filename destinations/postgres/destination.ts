import type { Stream } from '../../schemas/stream.ts';
import { createBuffers } from '../buffers.ts';
import type { PostgresConfig } from '../config.ts';
import type { Destination, Run } from '../contract.ts';
import { StreamFailure } from '../failure.ts';
import { ensureBookkeeping, readDocuments, readRejects, readRuns, writeRun } from './bookkeeping.ts';
import { checkServer, checkWriting } from './check.ts';
import { readAddress } from './connect.ts';
import { countRows, cursorsOf } from './count.ts';
import { codeOf, isPassing, LOCK_NOT_AVAILABLE, postgresFailure } from './errors.ts';
import { postgresKinds } from './kinds.ts';
import { postgresLedger } from './ledger.ts';
import { type Locks, takeLocks } from './locks.ts';
import { createPool } from './pool.ts';
import { queryRows } from './query.ts';
import { createRetries, type RetryOptions } from './retry.ts';
import { openSession, type Session } from './session.ts';
import { postgresTable } from './table.ts';
import { upgradeTable } from './upgrade.ts';

/** How much of the memory of encoded pages is kept for the next ones: about a batch. */
const KEPT_BYTES = 16e6;

/** A check says what is there now. */
const AT_ONCE: RetryOptions = { patienceMs: 0 };

/** How long a server that is not there is waited for when a run begins. */
const AT_FIRST: RetryOptions = { patienceMs: 20_000 };

/**
 * A schema of a Postgres database (13 or later). Rows, rejects and the position of a batch are one transaction; a run holds advisory
 * locks, and its fencing token is checked in each commit.
 *
 * @throws {Failure} `config_error` for a config that names no database.
 */
export function postgresDestination(config: PostgresConfig): Destination {
  const { client, where } = readAddress(config);
  const { schema } = config;
  const pool = createPool(client, 'cleargrid');
  const buffers = createBuffers(KEPT_BYTES);
  const retries = createRetries();
  let locks: Locks | null = null;

  /** One thing done with a session of the pool, tried again while what keeps it from being done passes. */
  async function withSession<T>(work: (session: Session) => Promise<T>, options?: RetryOptions): Promise<T> {
    return telling(() => retries.untilDone(() => pool.use(work), options));
  }

  async function telling<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw postgresFailure(error, where);
    }
  }

  /** What keeps a table from being brought up to date is its stream's failure, unless the server itself is the trouble. */
  async function upgrade(stream: Stream, run: Run): Promise<void> {
    try {
      const upgraded = () => pool.use((session) => upgradeTable(session, schema, stream, run));
      await retries.untilDone(upgraded, AT_FIRST);
    } catch (error) {
      const failure = postgresFailure(error, where);
      const isTheServers = isPassing(error) && codeOf(error) !== LOCK_NOT_AVAILABLE;
      if (failure instanceof StreamFailure || isTheServers) throw failure;
      throw new StreamFailure(failure.kind, stream.name, `stream ${stream.name}: ${failure.message}`, { cause: error });
    }
  }

  const another = () => openSession(client, 'cleargrid check');

  return {
    kinds: postgresKinds,
    batching: {
      lanes: 2,
      rows: 25_000,
      bytes: 12_000_000,
      seconds: 5,
      budget: 32 * 1024 * 1024,
    },

    check: () =>
      withSession(async (session) => {
        await checkServer(session, another, where);
        await checkWriting(session, schema);
      }, AT_ONCE),

    async open(streams, run) {
      await withSession((session) => checkServer(session, another, where), AT_FIRST);
      await withSession((session) => ensureBookkeeping(session, schema));
      locks = await telling(() => takeLocks(client, schema, streams, run, { pool, retries }));
      const held = locks;
      try {
        for (const stream of streams) await upgrade(stream, run);
      } catch (error) {
        await held.close();
        throw error;
      }
      const table = (stream: (typeof streams)[number]) =>
        postgresTable({ pool, retries, locks: held, schema, stream, run, where, buffers });
      return new Map(streams.map((stream) => [stream.name, table(stream)]));
    },

    positions: () => withSession((session) => readDocuments(session, schema), AT_FIRST),
    count: (stream, spans) => withSession((session) => countRows(session, schema, stream, spans), AT_FIRST),
    cursors: (stream, keys) => withSession((session) => cursorsOf(session, schema, stream, keys), AT_FIRST),
    runs: {
      begin: (record) => withSession((session) => writeRun(session, schema, record)),
      end: (record) => withSession((session) => writeRun(session, schema, record)),
      recent: (limit) => withSession((session) => readRuns(session, schema, limit), AT_FIRST),
      rejects: (runIds) => withSession((session) => readRejects(session, schema, runIds), AT_FIRST),
    },

    ledger: postgresLedger({
      schema,
      where,
      withSession,
      lock: async (name, run) => {
        await withSession((session) => checkServer(session, another, where), AT_FIRST);
        locks = await telling(() => takeLocks(client, schema, [name], run, { pool, retries }));
        return locks;
      },
      openReader: () => telling(() => openSession(client, 'cleargrid query')),
    }),

    async *query(sql) {
      const session = await telling(() => openSession(client, 'cleargrid query'));
      try {
        yield* queryRows(session, sql, where);
      } finally {
        await session.close();
      }
    },

    // Nothing that it does has a price.
    costs: async () => null,
    estimate: async () => null,
    async close() {
      await locks?.close();
      await pool.close();
    },
  };
}
