import { existsSync, statSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { LockedFailure } from '../failure.ts';
import { locked } from '../refusals.ts';
import { duckdbFailure, lockHolder, noDatabase } from './errors.ts';
import { readNote, removeNote, writeNote } from './note.ts';

/** The run that has a database open for writing. */
export interface Holder {
  readonly runId: string;
  readonly command: string;
  readonly startedAt: string;
}

/** A database file that this process has open. */
export interface Database {
  readonly path: string;
  /** The name that the file's content has in statements. */
  readonly catalog: string;
  connect(): Promise<DuckDBConnection>;
  /** Lets DuckDB hold more memory from now on. @returns false where it may not, or does already. */
  allowMore(): Promise<boolean>;
  /** Gives the file back; it is closed when its last user has. A second call does nothing. */
  release(): Promise<void>;
}

export interface DatabaseOptions {
  /** What DuckDB may hold at most; null leaves it to us. */
  readonly memoryLimit: string | null;
  /** How long to wait for whoever has the file open; default 5 s for writing, 1 s for reading. */
  readonly lockWaitMs?: number;
}

/** A lock that a dead run left ends by itself well within this time. */
const LOCK_WAIT_MS = 5_000;
/** Who only wants to read waits for another reader to let go, not for a run. */
const READ_WAIT_MS = 1_000;
const LOCK_POLL_MS = 100;

/** What DuckDB may hold while it writes; beyond it, it works on disk. A first load is as fast with more, a full refresh by a tenth faster. */
const USUAL_MEMORY = '96MB';
/** For what cannot go to disk in pieces: batches of very large rows. */
const MORE_MEMORY = '256MB';

const HEADERS_BYTES = 3 * 4096;

/** What a database file has at its byte 8. */
const MAGIC = 'DUCK';
const MAGIC_AT = 8;

interface OpenFile {
  readonly instance: DuckDBInstance;
  readonly catalog: string;
  readonly readOnly: boolean;
  mayHaveMore: boolean;
  users: number;
  closing: boolean;
}

/**
 * The files that this process has open. DuckDB's lock keeps other processes out, but one process could open a file twice, and
 * damage it: here it shares one instance for reading, and has one writer.
 */
const openFiles = new Map<string, Promise<OpenFile>>();

/**
 * Opens a file that exists, for reading: through the instance that this process writes with, if it does.
 *
 * @throws {LockedFailure} when another process writes to it for longer than 1 s.
 */
export async function openForReading(path: string, options: DatabaseOptions): Promise<Database> {
  return untilFree(options.lockWaitMs ?? READ_WAIT_MS, async () => {
    const file = await (openFiles.get(path) ?? register(path, openInstance(path, true, options)));
    if (file.closing) throw await inUse(path, null);
    return use(path, file);
  });
}

/**
 * Opens a file for writing, and makes it where it is missing.
 *
 * @throws {LockedFailure} when anyone else has it open for longer than 5 s.
 * @throws {Failure} `config_error` when it cannot be opened: no folder, no database, no right.
 */
export async function openForWriting(path: string, options: DatabaseOptions, holder: Holder): Promise<Database> {
  const database = await untilFree(options.lockWaitMs ?? LOCK_WAIT_MS, async () => {
    if (openFiles.has(path)) throw await inUse(path, null);
    return use(path, await register(path, openInstance(path, false, options)));
  });
  await writeNote(path, holder);
  return {
    ...database,
    async release() {
      await removeNote(path);
      await database.release();
    },
  };
}

function register(path: string, opening: Promise<OpenFile>): Promise<OpenFile> {
  openFiles.set(path, opening);
  opening.catch(() => openFiles.delete(path));
  return opening;
}

async function openInstance(path: string, readOnly: boolean, { memoryLimit }: DatabaseOptions): Promise<OpenFile> {
  const settings = {
    access_mode: readOnly ? 'READ_ONLY' : 'READ_WRITE',
    memory_limit: memoryLimit ?? (readOnly ? MORE_MEMORY : USUAL_MEMORY),
    // Beside the one that reads and maps. More share a batch so small only to wait for one another (measured: 244,000 rows a second
    // by one thread, 138,000 by two).
    threads: '1',
    // Nothing is ever downloaded: all that we need is built in.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  };
  const create = async () => {
    await refuseOtherFiles(path);
    try {
      return await DuckDBInstance.create(path, settings);
    } catch (error) {
      if (readOnly || lockHolder(error) !== null || !(await isUnfinished(path))) throw error;
      await rm(path);
      return await DuckDBInstance.create(path, settings);
    }
  };
  try {
    const instance = await create();
    const connection = await instance.connect();
    const reader = await connection.runAndReadAll('select current_database()');
    connection.closeSync();
    const catalog = reader.getRowsJS()[0]![0] as string;
    return { instance, catalog, readOnly, mayHaveMore: memoryLimit === null && !readOnly, users: 0, closing: false };
  } catch (error) {
    const lock = lockHolder(error);
    throw lock ? await inUse(path, lock.process) : duckdbFailure(error, path);
  }
}

/**
 * DuckDB takes a file of another kind for data (CSV, JSON, Parquet), opens a database in memory beside it, and all that is written there is
 * gone in the end.
 *
 * @throws {Failure} `config_error` for what is there and is no database.
 */
async function refuseOtherFiles(path: string): Promise<void> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory() || (found.isFile() && found.size === 0)) return;
  if (!found.isFile() || (await magicOf(path)) !== MAGIC) throw noDatabase(path);
}

async function magicOf(path: string): Promise<string> {
  // What cannot be read is for DuckDB to tell.
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return MAGIC;
  try {
    const { buffer } = await file.read(Buffer.alloc(MAGIC_AT + MAGIC.length), 0, MAGIC_AT + MAGIC.length, 0);
    return buffer.toString('latin1', MAGIC_AT);
  } finally {
    await file.close();
  }
}

/** A process that was killed while it made the file leaves less than its three headers: nothing was ever written to it. */
async function isUnfinished(path: string): Promise<boolean> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile() || found.size >= HEADERS_BYTES) return false;
  const start = await readFile(path);
  return start.length === 0 || start.toString('latin1', MAGIC_AT, MAGIC_AT + MAGIC.length) === MAGIC;
}

function use(path: string, file: OpenFile): Database {
  file.users++;
  let released = false;
  return {
    path,
    catalog: file.catalog,
    async connect() {
      const connection = await file.instance.connect();
      await connection.run(`set timezone = 'UTC'`);
      return connection;
    },
    async allowMore() {
      if (!file.mayHaveMore) return false;
      file.mayHaveMore = false;
      const connection = await file.instance.connect();
      await connection.run(`set memory_limit = '${MORE_MEMORY}'`).finally(() => connection.closeSync());
      return true;
    },
    async release() {
      if (released) return;
      released = true;
      file.users--;
      if (file.users > 0) return;
      file.closing = true;
      if (!file.readOnly) await checkpoint(file.instance);
      file.instance.closeSync();
      openFiles.delete(path);
    },
  };
}

/** What cannot be written into the file now (its disk may be full) stays safe in the log beside it. */
async function checkpoint(instance: DuckDBInstance): Promise<void> {
  try {
    const connection = await instance.connect();
    await connection.run('checkpoint').finally(() => connection.closeSync());
  } catch {
    // The next one who opens the file reads the log.
  }
}

async function untilFree<T>(lockWaitMs: number, attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + lockWaitMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof LockedFailure) || performance.now() >= deadline) throw error;
      await sleep(LOCK_POLL_MS);
    }
  }
}

async function inUse(path: string, process: string | null): Promise<LockedFailure> {
  const holder = existsSync(path) ? await readNote(path) : null;
  if (holder) return locked(`the database ${path}`, { runId: holder.runId, since: holder.startedAt, process });
  const who = process === null ? 'another part of this program' : `another program (process ${process})`;
  return new LockedFailure(`the database ${path} is open in ${who}; nothing was done. Close it there, and run again.`);
}
