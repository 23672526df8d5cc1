import { setTimeout as sleep } from 'node:timers/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { LockedFailure } from '../failure.ts';
import { allowMore, checkpoint, type OpenInstance, openInstance } from './instance.ts';
import { type Holder, inUse, removeNote, writeNote } from './note.ts';

/** A database file that this process has open. */
export interface Database {
  readonly path: string;
  /** The name that the file's content has in statements. */
  readonly catalog: string;
  /** Whether what was there was too short to hold anything, and has been made anew. */
  readonly madeAnew: boolean;
  connect(): Promise<DuckDBConnection>;
  /**
   * Lets DuckDB hold more memory from now on: a step more, or as much as rows of so many bytes need.
   *
   * @returns false where it may not, or has it already.
   */
  allowMore(rowBytes?: number): Promise<boolean>;
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

interface OpenFile extends OpenInstance {
  readonly readOnly: boolean;
  step: number | null;
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
    const file = await (openFiles.get(path) ?? register(path, true, options));
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
    return use(path, await register(path, false, options));
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

function register(path: string, readOnly: boolean, { memoryLimit }: DatabaseOptions): Promise<OpenFile> {
  const opening = openInstance(path, readOnly, memoryLimit).then((opened) => ({
    ...opened,
    ...{ readOnly, users: 0, closing: false },
  }));
  openFiles.set(path, opening);
  opening.catch(() => openFiles.delete(path));
  return opening;
}

function use(path: string, file: OpenFile): Database {
  file.users++;
  let released = false;
  return {
    path,
    catalog: file.catalog,
    madeAnew: file.madeAnew,
    async connect() {
      const connection = await file.instance.connect();
      await connection.run(`set timezone = 'UTC'`);
      return connection;
    },
    async allowMore(rowBytes) {
      const before = file.step;
      if (before === null || file.readOnly) return false;
      file.step = await allowMore(file.instance, before, rowBytes ?? null);
      return file.step > before;
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
