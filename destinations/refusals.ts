import type { Stream } from '../schemas/stream.ts';
import { configError, type Failure, LockedFailure, transientError } from './failure.ts';

/** What every destination refuses, in the same words. */

/**
 * Another run holds the stream (or all of them).
 *
 * @param since instant at which that run began.
 * @param process the number of its process, where it is on this machine and known.
 */
export function locked(what: string, runId: string, since: string, process: string | null = null): LockedFailure {
  const who = process === null ? `run ${runId}` : `run ${runId} (process ${process})`;
  return new LockedFailure(
    `${what} is in use by ${who}, since ${since}; nothing was done. Wait for it to end, or stop it.`,
  );
}

export function takenOver(stream: Pick<Stream, 'name'>): Failure {
  return transientError(
    `stream ${stream.name}: another run has taken it over since; this run wrote nothing more. The other run goes on from what is there.`,
  );
}

export function changedKey(stream: Stream, key: readonly string[]): Failure {
  return configError(
    `stream ${stream.name}: its table's key is (${key.join(', ')}), not (${stream.primaryKey.join(', ')}). ` +
      `Run sync --full-refresh --streams ${stream.name} once, which reads all rows again and changes the key, or configure the old key.`,
  );
}

/** A column that cannot hold what its kind brings. */
export function wrongColumn(stream: Stream, column: string, found: string, wanted: string): Failure {
  return configError(
    `stream ${stream.name}: column ${column} has the type ${found}, which does not hold every ${wanted}. ` +
      `Give it the type ${wanted} again, or rename it: then a new column is made.`,
  );
}
