import { dirname } from 'node:path';
import { configError, Failure, systemError, transientError } from '../failure.ts';

/** What DuckDB says, told by its messages alone: it has no codes. */

/** Another process has the file open; its number, where the message tells it. */
export function lockHolder(error: unknown): { readonly process: string | null } | null {
  const message = messageOf(error);
  if (!/could not set lock/i.test(message)) return null;
  return { process: /\(PID (\d+)\)/.exec(message)?.[1] ?? null };
}

/** What it says, whatever it was at: `out of memory`, or `failed to pin block of size 256.0 KiB (91.2 MiB/91.5 MiB used)`. */
const OUT_OF_MEMORY = /^out of memory|failed to (pin|allocate) .* used\)/i;

/** Whether DuckDB could not go on in the memory that it may hold. */
export function ranOutOfMemory(error: unknown): boolean {
  return OUT_OF_MEMORY.test(messageOf(error instanceof Failure ? error.cause : error));
}

type Told = readonly [pattern: RegExp, tell: (path: string, error: unknown) => Failure];

const told: readonly Told[] = [
  // First: its advice names all that the others are told by.
  [
    OUT_OF_MEMORY,
    (path, error) =>
      configError(
        `DuckDB needs more memory for ${path} than it may hold: set "memory_limit" of the destination to more, 1GB say, and run again; ` +
          'what was committed is safe',
        error,
      ),
  ],
  [
    /no space left|disk quota|file too large|could not write (all|file)|failed to (write|allocate).*(disk|file)|max_temp_directory_size/i,
    (path, error) =>
      transientError(`no space is left where ${path} is: free some, and run again; what was committed is safe`, error),
  ],
  [
    /^IO Error: .*(no such file or directory|not a directory|does not exist)/i,
    (path, error) =>
      configError(`the folder of ${path} does not exist: make ${dirname(path)}, or set another "path"`, error),
  ],
  [
    /^IO Error: .*(permission denied|read-only file system|operation not permitted)/i,
    (path, error) => configError(`${path} cannot be written: its file or folder is read-only for this user`, error),
  ],
  [
    /^IO Error: .*is a directory/i,
    (path, error) => configError(`${path} is a folder: "path" must name the database file`, error),
  ],
  [/not a valid DuckDB database|^IO Error: Extension /, (path, error) => noDatabase(path, error)],
  [
    /trying to read a database file with version|newer version of duckdb|storage version/i,
    (path, error) => configError(`${path} was written by another version of DuckDB, which this one cannot read`, error),
  ],
  [
    /has been invalidated/i,
    (path, error) => transientError(`${path} was given up after an error that was told before: run again`, error),
  ],
  [
    /wal file|corrupt|checksum|could not read enough bytes/i,
    (path, error) => configError(`${path} is damaged: restore it, or move it away and load it anew`, error),
  ],
  [
    /failed to set config|memory_limit|unknown unit/i,
    (_path, error) => configError('"memory_limit" is not understood: give it like 512MB or 2GB', error),
  ],
];

/** What is there under the name of the database is something else. */
export function noDatabase(path: string, cause?: unknown): Failure {
  return configError(`${path} is no DuckDB database: set another "path", or move that file away`, cause);
}

/** An error of DuckDB as a `Failure`. Its own words are kept only where they cannot hold a value of a row. */
export function duckdbFailure(error: unknown, path: string): Failure {
  if (error instanceof Failure) return error;
  const message = messageOf(error);
  for (const [pattern, tell] of told) if (pattern.test(message)) return tell(path, error);
  return systemError(
    `DuckDB refused a statement on ${path} (${kindOf(message)}); this is a fault of the connector. Run it once with --debug and report what it says`,
  );
}

/** The refusal of a statement that a person wrote: what DuckDB says of the text itself helps, what it says of values stays here. */
export function queryFailure(error: unknown, path: string): Failure {
  if (error instanceof Failure) return error;
  const message = messageOf(error);
  if (/^(Parser|Binder|Catalog|Syntax) Error/.test(message))
    return configError(`the query is refused: ${firstLines(message)}`);
  for (const [pattern, tell] of told) if (pattern.test(message)) return tell(path, error);
  return configError(`the query failed (${kindOf(message)})`);
}

/** `Conversion Error`: what comes before may be said, what comes after may be a value. */
function kindOf(message: string): string {
  return /^[A-Za-z ]+(?=:)/.exec(message)?.[0] ?? 'unknown error';
}

function firstLines(message: string): string {
  return message.split('\n\n')[0]!.replaceAll('\n', ' ');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
