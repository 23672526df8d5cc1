import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { systemError } from './failure.ts';
import {
  applyPartChange,
  endedSchema,
  hasPartChange,
  isPartChange,
  type PartChange,
  PartLost,
  partSchema,
} from './tasks.ts';

/**
 * The position of a stream: how far it has got. One small JSON document, stored by the destination in the transaction that
 * writes the rows it stands for, and changed only by `applyChanges`.
 */

/** An instant as UTC text of fixed width, `YYYY-MM-DDTHH:MM:SS.ffffffZ`: text order is time order. */
const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  .refine((text) => !Number.isNaN(Date.parse(text)));

/**
 * An unfinished window `[since, until)` of the cursor field. No `since`: from the first row. No `until`: to the last one.
 * Windows of a position never overlap, so `until` names one of them.
 */
const windowSchema = z.strictObject({
  since: instant.nullable(),
  until: instant.nullable(),
  /** The page size that `cursor` came with, where it is not the largest. */
  limit: z.int().min(1).optional(),
  /** The API's cursor for the page after the last one written, or null: then the next page is the window's first. */
  cursor: z.string().nullable(),
  /** The cursor field's value in the last record written, where a walk may start again. */
  last: instant.nullable(),
  /** The part that walks it, and the turn in which it was taken, where tasks share the stream. */
  task: z.string().optional(),
  turn: z.int().optional(),
});

const refreshSchema = z.strictObject({
  /** Server-clock instant at which the refresh began. */
  started: instant,
  /** 1 reads everything; each later pass reads what moved during the one before. */
  pass: z.int().min(1),
  /** The part of the table that is refreshed, by the cursor field: rows outside of it are never marked deleted. */
  since: instant.nullable(),
  until: instant.nullable(),
});

export const positionSchema = z.strictObject({
  version: z.literal(1),
  /** The lender's UUID: a position belongs to one lender. */
  lender: z.string(),
  /** The identity of the table that the rows are in, as its destination tells it; null before there is a table. */
  table: z.string().nullable(),
  cursor_field: z.string(),
  /** The key's columns. */
  key: z.array(z.string()).min(1),
  /** Whether the table has ever been given a row. */
  rows: z.boolean(),
  /** Nothing older than this has been asked for; null: everything has. */
  from: instant.nullable(),
  /** Everything before this instant has been read; never moves back. Null: not there yet. */
  complete: instant.nullable(),
  /** The greatest value of the cursor field ever seen. */
  seen: instant.nullable(),
  /**
   * The end of the span that `windows` are what is left of, beyond which the last of them may read; null when there is none, or it has no
   * end.
   */
  until: instant.nullable(),
  windows: z.array(windowSchema),
  /** The open full refresh, whose keys are kept beside the table; null when none is open. */
  refresh: refreshSchema.nullable(),
  /** Who is at work on it, where tasks share the stream. */
  parts: z.array(partSchema).optional(),
  /** What tasks have done with it last. */
  ended: endedSchema.optional(),
});

export type Window = Readonly<z.infer<typeof windowSchema>>;
export type Refresh = Readonly<z.infer<typeof refreshSchema>>;
export type Position = Readonly<z.infer<typeof positionSchema>>;

/**
 * One change of a position. A commit carries a list of them, applied in order to the stored document.
 *
 * - `begin`: the document as a whole, for a stream that starts, starts over, or opens a full refresh; the keys that an earlier
 *   refresh has seen are forgotten. With `over`, only if that is what is stored now (null: nothing is), which where tasks share a stream
 *   only one of them finds.
 * - `plan`: the next span to read, as windows; none may be left of the span before. `refresh` is the refresh that the span
 *   belongs to, or null.
 * - `window`: the window that ends at `until` becomes these: itself further on; none when the API has ended it. When the last one
 *   ends, everything before the span's `until` is complete.
 * - `cut`: the window that ends at `until` ends where the first of `others` begins, and starts again at the last value that is written;
 *   `others` are what was behind. One change, so that they tile at every instant (rule 5), which needs no row to be written first.
 * - `seen`: a value of the cursor field that was written.
 * - all others are of tasks that share the stream: see `PartChange`.
 */
export type PositionChange =
  | PartChange
  | { readonly type: 'begin'; readonly position: Position; readonly over?: Position | null }
  | {
      readonly type: 'plan';
      readonly from: string | null;
      readonly until: string | null;
      readonly windows: readonly Window[];
      readonly refresh: Refresh | null;
    }
  | { readonly type: 'window'; readonly until: string | null; readonly becomes: readonly Window[] }
  | { readonly type: 'cut'; readonly until: string | null; readonly others: readonly [Window, ...Window[]] }
  | { readonly type: 'seen'; readonly value: string };

/** What only the destination knows when it stores a position. */
export interface StoredFacts {
  /** The identity of the table that the rows are in. */
  readonly table: string | null;
  /** Whether this commit brought a row, also one that was there already: the table then holds rows. */
  readonly holdsRows: boolean;
}

/**
 * The document after `changes`. Pure: every destination calls it in the commit's transaction, on the document it has locked.
 *
 * @throws {Failure} `system_error` when the document is not the one that the changes were made for.
 */
export function applyChanges(
  stored: Position | null,
  changes: readonly PositionChange[],
  facts: StoredFacts,
): Position {
  const after = changes.reduce<Position | null>(applyChange, stored);
  if (after === null) throw systemError('a position was changed before it was begun');
  return { ...after, table: facts.table, rows: after.rows || facts.holdsRows };
}

/**
 * Whether `changes` are already part of the stored document: how a destination learns what became of a COMMIT that got no answer.
 * A batch has one lane's windows, which nobody else changes.
 */
export function hasApplied(stored: Position | null, changes: readonly PositionChange[]): boolean {
  if (stored === null) return false;
  if (changes.some((change) => change.type === 'begin' || change.type === 'plan')) {
    const own = changes.filter((change) => !isPartChange(change)).map(unconditionally);
    const expected = applyChanges({ ...stored, windows: [] }, own, { table: stored.table, holdsRows: stored.rows });
    return (
      sameWindows(stored.windows, expected.windows) &&
      stored.until === expected.until &&
      stored.complete === expected.complete &&
      stored.refresh?.started === expected.refresh?.started &&
      stored.refresh?.pass === expected.refresh?.pass
    );
  }
  return changes.every((change) => isStored(stored, change));
}

function unconditionally(change: PositionChange): PositionChange {
  return change.type === 'begin' ? { type: 'begin', position: change.position } : change;
}

function isStored(stored: Position, change: PositionChange): boolean {
  const { windows } = stored;
  if (isPartChange(change)) return hasPartChange(stored, change);
  if (change.type === 'window') return isReplaced(windows, change.until, change.becomes);
  if (change.type === 'cut') return windows.some(({ until }) => until === change.others[0].since);
  return true;
}

function isReplaced(windows: readonly Window[], until: string | null, becomes: readonly Window[]): boolean {
  if (becomes.length === 0) return !windows.some((window) => window.until === until);
  return becomes.every((window) => windows.some((other) => sameWindow(window, other)));
}

function applyChange(position: Position | null, change: PositionChange): Position {
  if (change.type === 'begin') return begin(position, change);
  if (position === null) throw systemError('a position was changed before it was begun');
  if (isPartChange(change)) return applyPartChange(position, change);
  switch (change.type) {
    case 'plan':
      if (position.windows.length > 0) throw systemError('a span was planned while windows of another are unfinished');
      return {
        ...position,
        from: change.from,
        until: change.until,
        windows: [...change.windows],
        refresh: change.refresh,
      };
    case 'window':
      return replaceWindow(position, change.until, () => change.becomes);
    case 'cut':
      return replaceWindow(position, change.until, (window) => [
        before(window, change.others[0].since),
        ...change.others,
      ]);
    case 'seen':
      return { ...position, seen: later(position.seen, change.value) };
  }
}

function begin(stored: Position | null, { position, over }: PositionChange & { type: 'begin' }): Position {
  if (over !== undefined && !isDeepStrictEqual(stored, over)) throw new PartLost('another task has begun the stream');
  return position;
}

function replaceWindow(
  position: Position,
  until: string | null,
  becomes: (window: Window) => readonly Window[],
): Position {
  const at = position.windows.findIndex((window) => window.until === until);
  if (at === -1) throw systemError(`the stored position has no window that ends at ${until ?? 'the end of the data'}`);
  const windows = position.windows.toSpliced(at, 1, ...becomes(position.windows[at]!));
  if (windows.length > 0) return { ...position, windows };
  return { ...position, windows, until: null, complete: later(position.complete, position.until ?? position.seen) };
}

/** What is left of a window before `until`: it starts again at the last value written, since its page cursor was for the whole of it. */
function before(window: Window, until: string | null): Window {
  return { ...window, since: window.last ?? window.since, until, cursor: null };
}

/** The later of two instants; null is before all. */
export function later(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}

function sameWindows(a: readonly Window[], b: readonly Window[]): boolean {
  return a.length === b.length && a.every((window, at) => sameWindow(window, b[at]!));
}

function sameWindow(a: Window, b: Window): boolean {
  return isDeepStrictEqual(a, b);
}
