import { statSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { duckdbFailure, lockHolder, noDatabase, ranOutOfMemory } from './errors.ts';
import { inUse } from './note.ts';

/** DuckDB on a file, within the memory that it may hold. */

/**
 * What DuckDB may hold, in megabytes; beyond it, it works on disk. A first load is as fast with more than the first, a full refresh by a tenth
 * faster. The others are for what cannot go to disk in pieces: batches of large rows, and the log of such batches where a run was killed before
 * they were in the file.
 */
const MEGABYTES = [80, 256, 1000] as const;
/** Who reads only begins with this one. */
const TO_READ = 1;

/** DuckDB writes so many rows into the file in one piece (its vector), which must fit, with what else it holds. */
const ROWS_IN_ONE_PIECE = 2048;
const SHARE_OF_A_PIECE = 2 / 3;

const HEADERS_BYTES = 3 * 4096;

/** What a database file has at its byte 8. */
const MAGIC = 'DUCK';
const MAGIC_AT = 8;
/** Nothing yet is what another process leaves while it makes the file: whoever gets its lock can tell. */
const LIKE_A_DATABASE = /^(.{8}DUCK|\0{12})$/s;

export interface OpenInstance {
  readonly instance: DuckDBInstance;
  /** The name that the file's content has in statements. */
  readonly catalog: string;
  /** Whether what was there was too short to hold anything, and has been made anew. */
  readonly madeAnew: boolean;
  /** Which of the steps of memory it has; null: what the config says, and never more. */
  readonly step: number | null;
}

/**
 * @param memoryLimit what it may hold at most; null leaves it to us: more where it cannot be opened with less.
 * @throws {LockedFailure} when another process has the file.
 * @throws {Failure} `config_error` when it cannot be opened: no folder, no database, no right, too little memory.
 */
export async function openInstance(path: string, readOnly: boolean, memoryLimit: string | null): Promise<OpenInstance> {
  if (memoryLimit !== null) return openWithin(memoryLimit, path, readOnly, null);
  const open = (step: number): Promise<OpenInstance> =>
    openWithin(`${MEGABYTES[step]}MB`, path, readOnly, step).catch((error) => {
      if (ranOutOfMemory(error) && step + 1 < MEGABYTES.length) return open(step + 1);
      throw error;
    });
  return open(readOnly ? TO_READ : 0);
}

/** Lets it hold more from now on: one step, or what rows of so many bytes take. @returns which step it has then. */
export async function allowMore(instance: DuckDBInstance, step: number, rowBytes: number | null): Promise<number> {
  const next = rowBytes === null ? step + 1 : Math.max(step, stepFor(rowBytes));
  const megabytes = MEGABYTES[next];
  if (megabytes === undefined || next === step) return step;
  const connection = await instance.connect();
  await connection.run(`set memory_limit = '${megabytes}MB'`).finally(() => connection.closeSync());
  return next;
}

/** The first step in which a piece of such rows fits, or else the last one. */
function stepFor(rowBytes: number): number {
  const fits = MEGABYTES.findIndex((megabytes) => rowBytes * ROWS_IN_ONE_PIECE <= megabytes * 1e6 * SHARE_OF_A_PIECE);
  return fits === -1 ? MEGABYTES.length - 1 : fits;
}

async function openWithin(memory: string, path: string, readOnly: boolean, step: number | null): Promise<OpenInstance> {
  const settings = {
    access_mode: readOnly ? 'READ_ONLY' : 'READ_WRITE',
    memory_limit: memory,
    // Beside the one that reads and maps. More share a batch so small only to wait for one another (measured: 244,000 rows a second
    // by one thread, 138,000 by two).
    threads: '1',
    // What it frees goes back to the system as soon as a task ends (of 420 MB at the peak of a first load, 45).
    allocator_flush_threshold: '1MB',
    allocator_bulk_deallocation_flush_threshold: '1MB',
    // Nothing is ever downloaded: all that we need is built in.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  };
  let madeAnew = false;
  const create = async () => {
    await refuseOtherFiles(path);
    try {
      return await DuckDBInstance.create(path, settings);
    } catch (error) {
      if (readOnly || lockHolder(error) !== null || !(await isUnfinished(path))) throw error;
      await rm(path);
      madeAnew = true;
      return await DuckDBInstance.create(path, settings);
    }
  };
  let instance: DuckDBInstance | null = null;
  try {
    instance = await create();
    if (!readOnly) await emptyLog(instance, path);
    const connection = await instance.connect();
    const reader = await connection.runAndReadAll('select current_database()');
    connection.closeSync();
    const catalog = reader.getRowsJS()[0]![0] as string;
    return { instance, catalog, madeAnew, step };
  } catch (error) {
    instance?.closeSync();
    const lock = lockHolder(error);
    throw lock ? await inUse(path, lock.process) : duckdbFailure(error, path);
  }
}

/** DuckDB's own: with a log of more, the next commit writes it into the file, and what that lacks memory for ends the instance. */
const LONG_LOG_BYTES = 16 * 1024 * 1024;

/** Writes a long log that a run has left into the file. @throws when that takes more memory than there is. */
async function emptyLog(instance: DuckDBInstance, path: string): Promise<void> {
  const log = statSync(`${path}.wal`, { throwIfNoEntry: false });
  if ((log?.size ?? 0) < LONG_LOG_BYTES) return;
  const failure = await checkpoint(instance);
  if (ranOutOfMemory(failure)) throw failure;
}

/** What cannot be written into the file now (its disk may be full) stays safe in the log beside it. @returns what kept it from it, or null. */
export async function checkpoint(instance: DuckDBInstance): Promise<unknown> {
  try {
    const connection = await instance.connect();
    await connection.run('checkpoint').finally(() => connection.closeSync());
    return null;
  } catch (error) {
    return error;
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
  if (!found.isFile() || !LIKE_A_DATABASE.test(await startOf(path))) throw noDatabase(path);
}

/** The first bytes, with NUL for those that are not there. */
async function startOf(path: string): Promise<string> {
  const start = Buffer.alloc(MAGIC_AT + MAGIC.length);
  // What cannot be read is for DuckDB to tell.
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return start.toString('latin1');
  try {
    await file.read(start, 0, start.length, 0);
    return start.toString('latin1');
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
