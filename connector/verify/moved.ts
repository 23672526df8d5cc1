import type { Destination, Span } from '../../destinations/contract.ts';
import { transientError } from '../../destinations/failure.ts';
import { later } from '../../destinations/position.ts';
import type { StreamContext } from '../sync/context.ts';
import { earlierBy } from '../sync/instants.ts';
import { type Places, readPlaces } from './places.ts';

/** More rows than these are not looked for one by one: reading them into the table comes first. */
const MOST_MOVED = 500_000;

/** How many keys one statement looks for. */
const KEYS_AT_ONCE = 5_000;

/** How far a second reading looks back over the one before, in milliseconds. */
const LOOK_BACK_MS = 60_000;

/**
 * The rows that have left the spans that are compared, because they were updated since: the API has them further on, the table still has
 * their last version in its place.
 */
export interface Moved {
  /** Reads what the API has from the end of the spans on, later only what has come since; who asks meanwhile shares the next reading. */
  read(): Promise<void>;
  /** How many rows of the table's span have moved on, without those of `except`. */
  within(span: Span, except?: Places['rows']): number;
}

/** @param end where the spans that are compared end. */
export function movedRows(context: StreamContext, destination: Pick<Destination, 'cursors'>, end: string): Moved {
  const { source, stream } = context;
  /** By key, where the table has the row. */
  const places = new Map<string, string>();
  let since = end;

  let reading: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;

  async function readOn(): Promise<void> {
    const began = source.now();
    const found = await readPlaces(context, { since, until: null }, MOST_MOVED);
    if (found === null) {
      throw transientError(
        `${stream.name}: too many rows have changed since it was read last to compare what came before; run sync first, then verify`,
      );
    }
    const stored = await storedCursors(destination, context, found.rows);
    for (const [text, cursor] of stored) {
      if (typeof cursor === 'string' && cursor < end) places.set(text, cursor);
    }
    if (source.hasServerClock) since = later(since, earlierBy(began, LOOK_BACK_MS))!;
  }

  return {
    read() {
      next ??= reading.then(() => {
        next = null;
        reading = readOn();
        return reading;
      });
      return next;
    },
    within(span, except) {
      let rows = 0;
      for (const [text, cursor] of places) if (isWithin(cursor, span) && !except?.has(text)) rows++;
      return rows;
    },
  };
}

/** Where the table has these rows, by the keys' text. */
export async function storedCursors(
  destination: Pick<Destination, 'cursors'>,
  { stream, signal }: Pick<StreamContext, 'stream' | 'signal'>,
  rows: Places['rows'],
): Promise<Map<string, string | null | undefined>> {
  const all = [...rows];
  const found = new Map<string, string | null | undefined>();
  for (let from = 0; from < all.length; from += KEYS_AT_ONCE) {
    signal.throwIfAborted();
    const part = all.slice(from, from + KEYS_AT_ONCE);
    const cursors = await destination.cursors(
      stream,
      part.map(([, { key }]) => key),
    );
    for (const [at, [text]] of part.entries()) found.set(text, cursors[at]);
  }
  return found;
}

export function isWithin(cursor: string, { since, until }: Span): boolean {
  return (since === null || cursor >= since) && cursor < until;
}
