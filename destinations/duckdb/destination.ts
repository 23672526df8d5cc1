import { existsSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Stream } from '../../schemas/stream.ts';
import type { DuckdbConfig } from '../config.ts';
import type { Destination, Run, Table } from '../contract.ts';
import { configError } from '../failure.ts';
import { claimStream, createBookkeeping, greatestToken } from './bookkeeping-sql.ts';
import { countRows, cursorsOf } from './count.ts';
import { type Database, openForReading, openForWriting } from './database.ts';
import { duckdbKinds } from './kinds.ts';
import { type Borrowed, duckdbLedger } from './ledger.ts';
import type { Holder } from './note.ts';
import { queryRows } from './query.ts';
import { readPositions, readRejects, readRuns, writeRun } from './runs.ts';
import { openSession, type Session } from './session.ts';
import { inPlace, type Place } from './sql.ts';
import { duckdbTable, queue } from './table.ts';
import { upgradeTable } from './upgrade.ts';
import { vectorPool } from './vectors.ts';

/** What a batch may hold, and what is kept of memory for the next one. */
const BATCH_BYTES = 48_000_000;

/**
 * A DuckDB file. One process at a time: whoever opens it for writing has all of it, so DuckDB's own lock of the file is the
 * lock of all streams. Nothing is opened before it is needed, and only written to by `open`, `check` and `runs`.
 */
export function duckdbDestination(config: DuckdbConfig): Destination {
  const path = oneName(config.path);
  const options = { memoryLimit: config.memory_limit ?? null };
  const inTurn = queue();
  const pool = vectorPool(BATCH_BYTES);
  const sessions: Session[] = [];
  let writing: Promise<Database> | null = null;

  const placeIn = (database: Database): Place => ({ catalog: database.catalog, schema: config.schema });

  async function sessionIn(database: Database): Promise<Session> {
    const session = await openSession(database);
    sessions.push(session);
    return session;
  }

  /** Opens the file for this run, once. */
  async function openAs(holder: Holder): Promise<Database> {
    writing ??= openForWriting(path, options, holder);
    try {
      return await writing;
    } catch (error) {
      writing = null;
      throw error;
    }
  }

  /** Lets go of the file, and of the locks with it. */
  async function close(): Promise<void> {
    const database = await writing?.catch(() => null);
    writing = null;
    for (const session of sessions.splice(0)) session.close();
    await database?.release();
  }

  /** The file that is open for writing, or opened just for this; null where there is none. */
  async function borrow(): Promise<Borrowed | null> {
    if (writing !== null) return { database: await writing, release: async () => {} };
    if (!existsSync(path)) return null;
    const database = await openForReading(path, options);
    return { database, release: database.release };
  }

  /** A file that is not there answers nothing. */
  async function read<T>(nothing: T, work: (session: Session, place: Place) => Promise<T>): Promise<T> {
    const borrowed = await borrow();
    if (borrowed === null) return nothing;
    try {
      const session = await openSession(borrowed.database);
      return await work(session, placeIn(borrowed.database)).finally(() => session.close());
    } finally {
      await borrowed.release();
    }
  }

  async function record(run: Parameters<typeof writeRun>[2]): Promise<void> {
    const database = await openAs({ runId: run.runId, command: run.command, startedAt: run.startedAt });
    const place = placeIn(database);
    const session = await openSession(database);
    await inTurn(() =>
      session.transaction(async () => {
        for (const sql of createBookkeeping(place)) await session.run(sql);
        await writeRun(session, place, run);
      }),
    ).finally(() => session.close());
  }

  async function open(streams: readonly Stream[], run: Run): Promise<Map<string, Table>> {
    const database = await openAs({ runId: run.id, command: run.command, startedAt: run.startedAt });
    if (database.madeAnew) {
      run.warn(
        `${path} was too short to hold any table, as after a kill while it was first made; it is made anew, and loaded`,
      );
    }
    const place = placeIn(database);
    const session = await sessionIn(database);
    const now = () => new Date().toISOString();
    const token = await session.transaction(async () => {
      for (const sql of createBookkeeping(place)) await session.run(sql);
      for (const stream of streams) await upgradeTable(session, place, stream, run);
      const [greatest] = await session.rows(greatestToken(place));
      const next = Number(greatest!.token) + 1;
      for (const { name } of streams) {
        await session.run(claimStream(place), { stream: name, token: next, run: run.id, at: now() });
      }
      return next;
    });
    const tables = new Map<string, Table>();
    for (const stream of streams) {
      const own = await sessionIn(database);
      tables.set(stream.name, duckdbTable({ session: own, place, stream, run, token, pool, inTurn, now }));
    }
    return tables;
  }

  return {
    kinds: duckdbKinds,
    batching: { lanes: 1, rows: 50_000, bytes: BATCH_BYTES, seconds: 10, budget: BATCH_BYTES },

    async check() {
      const existed = existsSync(path);
      const holder = { runId: 'check', command: 'check', startedAt: new Date().toISOString() };
      const wasOpen = writing !== null;
      const database = await openAs(holder);
      try {
        await tryWriting(database, placeIn(database));
      } finally {
        if (!wasOpen) await close();
        if (!existed) await rm(path, { force: true });
      }
    },

    async open(streams, run) {
      if (run.tasks !== undefined) {
        throw configError(
          'a DuckDB file is written by one process: --task needs a destination of type "postgres" or "bigquery"',
        );
      }
      try {
        return await open(streams, run);
      } catch (error) {
        await close();
        throw error;
      }
    },

    positions: () => read([], readPositions),
    count: (stream, spans) => read(null, (session, place) => countRows(session, place, stream, spans)),
    cursors: (stream, keys) =>
      read(
        keys.map(() => undefined),
        (session, place) => cursorsOf(session, place, stream, keys),
      ),

    runs: {
      begin: record,
      end: record,
      recent: (limit) => read([], (session, place) => readRuns(session, place, limit)),
      rejects: (runIds) => read([], (session, place) => readRejects(session, place, runIds)),
    },

    ledger: duckdbLedger({ openAs, sessionIn, borrow, placeIn }),

    async *query(sql) {
      const borrowed = await borrow();
      if (borrowed === null) {
        throw configError(`there is no database at ${path} yet: run sync first, or set another "path"`);
      }
      try {
        yield* queryRows(borrowed.database, config.schema, sql);
      } finally {
        await borrowed.release();
      }
    },

    // Nothing that it does has a price.
    costs: async () => null,
    estimate: async () => null,
    close,
  };
}

/** One file under one name: by another (a link, a relative path) this process might open it twice. */
function oneName(path: string): string {
  const absolute = resolve(path);
  if (existsSync(absolute)) return realpathSync(absolute);
  const folder = dirname(absolute);
  return existsSync(folder) ? join(realpathSync(folder), basename(absolute)) : absolute;
}

/** Makes a schema, a table and a row, and takes all of it back. */
async function tryWriting(database: Database, place: Place): Promise<void> {
  const session = await openSession(database);
  const tried = Symbol('tried');
  const table = inPlace(place, '_cleargrid_check');
  try {
    await session.transaction(async () => {
      const [schema] = createBookkeeping(place);
      await session.run(schema!);
      await session.run(`create table ${table} ("written" boolean)`);
      await session.run(`insert into ${table} values (true)`);
      throw tried;
    });
  } catch (error) {
    if (error !== tried) throw error;
  } finally {
    session.close();
  }
}
