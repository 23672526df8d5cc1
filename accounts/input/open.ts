import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configError, Failure } from '../../destinations/failure.ts';
import { csvItems } from './csv.ts';
import type { Chunks, Format, Items } from './item.ts';
import { jsonArrayItems } from './json-array.ts';
import { ndjsonItems } from './ndjson.ts';
import { compileNesting, type Nest } from './nested.ts';

/** Accounts that can be read as often as need be. */
export interface Input {
  /** SHA-256 of the lender and the input's bytes, in hex: the same input has the same one. */
  digest(lender: string): Promise<string>;
  /** @throws {Failure} `config_error` when the input is not in its format at all, or changes while it is read. */
  items(): Items;
  close(): Promise<void>;
}

const READERS: Readonly<Record<Format, (chunks: Chunks) => Items>> = {
  ndjson: ndjsonItems,
  json: jsonArrayItems,
  csv: csvItems,
};

const CHUNK_BYTES = 256 * 1024;

/**
 * Opens a file, or with `-` standard input. What can be read only once is copied to a temporary file first.
 *
 * @param format of the file; null: what its ending says, else `ndjson`.
 * @throws {Failure} `config_error` when it cannot be read.
 */
export async function openFile(path: string, format: Format | null, standardInput: Chunks): Promise<Input> {
  if (path === '-') return input(await spooled(standardInput), format ?? 'ndjson');
  const file = await opened(path);
  const stats = await file.stat();
  if (stats.isDirectory()) {
    await file.close();
    throw configError(`--input ${path} is a folder`);
  }
  const readAs = format ?? formatOf(path);
  if (stats.isFile()) return input(file, readAs, stats);
  return input(await spooled(file.createReadStream()), readAs);
}

/** The rows of a query, with columns named as in a CSV's header, kept in a temporary file. */
export async function openRows(rows: AsyncIterable<Readonly<Record<string, unknown>>>): Promise<Input> {
  return input(await spooled(linesOf(rows)), 'ndjson');
}

function input(file: FileHandle, format: Format, stats: Stats | null = null): Input {
  return {
    async digest(lender) {
      const sum = createHash('sha256').update(`${lender}\n`);
      for await (const chunk of chunksOf(file)) sum.update(chunk);
      return sum.digest('hex');
    },
    async *items() {
      yield* READERS[format](chunksOf(file));
      if (stats === null) return;
      const now = await file.stat();
      if (now.size !== stats.size || now.mtimeMs !== stats.mtimeMs) {
        throw configError('the input changed while it was read: what was accepted is in the ledger; run again');
      }
    },
    close: () => file.close(),
  };
}

/**
 * All of a file, the next piece being read while one is worked on. Two buffers serve for all: new ones would be some 30 MB that wait to
 * be collected.
 */
async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  const buffers = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)];
  let position = 0;
  let next = file.read(buffers[0]!, 0, CHUNK_BYTES, position);
  for (let at = 1; ; at++) {
    const { bytesRead, buffer } = await next.catch((error) => {
      throw unreadable(error);
    });
    if (bytesRead === 0) return;
    position += bytesRead;
    next = file.read(buffers[at % 2]!, 0, CHUNK_BYTES, position);
    next.catch(() => {});
    yield buffer.subarray(0, bytesRead);
  }
}

function formatOf(path: string): Format {
  if (/\.csv$/i.test(path)) return 'csv';
  return /\.json$/i.test(path) ? 'json' : 'ndjson';
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user; check its permissions',
};

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (error) {
    throw configError(`--input ${path} ${READ_ERRORS[codeOf(error)] ?? `cannot be read (${codeOf(error)})`}`, error);
  }
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? 'an unknown error';

const unreadable = (error: unknown) =>
  error instanceof Failure ? error : configError(`the input cannot be read (${codeOf(error)})`, error);

const uncopied = (error: unknown) =>
  configError(
    `the input cannot be copied to ${tmpdir()} (${codeOf(error)}): make room there, or name another folder with TMPDIR`,
    error,
  );

/**
 * Copies to a temporary file that only this user can read, and that has no name any more once it is open: whatever becomes of this
 * process, nothing of it stays.
 */
async function spooled(chunks: Chunks): Promise<FileHandle> {
  const file = await temporary().catch((error) => {
    throw uncopied(error);
  });
  try {
    for await (const chunk of chunks) {
      await file.appendFile(chunk).catch((error) => {
        throw uncopied(error);
      });
    }
    return file;
  } catch (error) {
    await file.close();
    throw unreadable(error);
  }
}

async function temporary(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'cleargrid-push-'));
  try {
    return await open(join(folder, 'input'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const ROWS_TOGETHER = 500;

async function* linesOf(rows: AsyncIterable<Readonly<Record<string, unknown>>>): AsyncGenerator<Uint8Array> {
  let nest: Nest | null = null;
  let lines: string[] = [];
  for await (const row of rows) {
    nest ??= compileNesting(Object.keys(row), 'the query');
    lines.push(`${JSON.stringify(nest(Object.values(row)))}\n`);
    if (lines.length < ROWS_TOGETHER) continue;
    yield Buffer.from(lines.join(''));
    lines = [];
  }
  yield Buffer.from(lines.join(''));
}
