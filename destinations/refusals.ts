import { BOOKKEEPING_COLUMNS, type Stream } from '../schemas/stream.ts';
import { type Failure, LockedFailure, StreamFailure, transientError } from './failure.ts';

/** What every destination refuses, in the same words. */

/** Who holds what a run needs. */
export interface Holder {
  readonly runId: string;
  /** Instant at which that run began. */
  readonly since: string;
  /** The number of its process, where it is on this machine and known. */
  readonly process?: string | null;
  /** How many tasks hold it together, of which the run is one; null: it has it to itself. */
  readonly tasks?: number | null;
}

/** Another run holds the stream (or all of them). */
export function locked(what: string, { runId, since, process = null, tasks = null }: Holder): LockedFailure {
  const who = process === null ? `run ${runId}` : `run ${runId} (process ${process})`;
  const [among, todo] =
    tasks === null
      ? ['', 'Wait for it to end, or stop it.']
      : [` as one of ${tasks} tasks`, 'Wait for all of them to end, or stop them all.'];
  return new LockedFailure(`${what} is in use by ${who}${among}, since ${since}; nothing was done. ${todo}`);
}

/** Of how many tasks a name tells that ends as tasks' names do: `... of 4`. */
export function tasksIn(name: string): number | null {
  const [, count] = / of (\d+)$/.exec(name) ?? [];
  return count === undefined ? null : Number(count);
}

export function takenOver(stream: Pick<Stream, 'name'>): Failure {
  return transientError(
    `stream ${stream.name}: another run has taken it over since; this run wrote nothing more. The other run goes on from what is there.`,
  );
}

/** A table that cannot serve its stream as it is: another key, a column of another type, somebody else's table. */
function cannotServe(stream: Stream, message: string): StreamFailure {
  return new StreamFailure('config_error', stream.name, message);
}

export function changedKey(stream: Stream, key: readonly string[]): Failure {
  return cannotServe(
    stream,
    `stream ${stream.name}: its table's key is (${key.join(', ')}), not (${stream.primaryKey.join(', ')}). ` +
      `Run sync --full-refresh --streams ${stream.name} once, which reads all rows again and changes the key, or configure the old key.`,
  );
}

/** A column that cannot hold what its kind brings. */
export function wrongColumn(stream: Stream, column: string, found: string, wanted: string): Failure {
  const isNeeded = stream.primaryKey.includes(column) || BOOKKEEPING_COLUMNS.some((name) => name === column);
  const otherwise = isNeeded
    ? 'rename the table: then a new one is made, and loaded from the start'
    : 'rename it: then a new column is made';
  return cannotServe(
    stream,
    `stream ${stream.name}: column ${column} has the type ${found}, which does not hold every ${wanted}. ` +
      `Give it the type ${wanted} again, or ${otherwise}.`,
  );
}

/** A table that has our name and lacks columns that all of ours have. */
export function foreignTable(stream: Stream, missing: readonly string[]): Failure {
  return cannotServe(
    stream,
    `stream ${stream.name}: the table of that name has no column ${missing.join(', ')}, so it was not made by this connector, ` +
      'or was altered since. Rename or drop it: then the stream is loaded into a table of its own.',
  );
}

/** A table without a key of its own, whose rows the stream's key does not tell apart. */
export function rowsOfOneKey(stream: Stream): Failure {
  return cannotServe(
    stream,
    `stream ${stream.name}: the table of that name has several rows of one key (${stream.primaryKey.join(', ')}). ` +
      'Rename or drop it: then the stream is loaded into a new one.',
  );
}

/** A warning: columns were made for which no row that is there has anything, as when somebody has dropped them. */
export function madeEmpty(stream: Stream, columns: readonly string[]): string {
  return (
    `${stream.name}: its table lacked ${columns.join(', ')}; made again, and empty in the rows that are there. If somebody dropped ` +
    `it, fill it again: cleargrid-connector sync --config FILE --streams ${stream.name} --full-refresh`
  );
}
