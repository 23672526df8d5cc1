import type { Batching, StoredPosition } from '../../destinations/contract.ts';
import {
  applyChanges,
  type Position,
  type PositionChange,
  type Refresh,
  type Window,
} from '../../destinations/position.ts';
import { partsOf } from '../../destinations/tasks.ts';
import type { StreamContext } from './context.ts';
import { earlierBy, laterBy } from './instants.ts';
import { judgePosition, parsePosition } from './judge.ts';
import type { TaskPart } from './part.ts';
import { readWindows } from './pass.ts';
import { endedAt, incrementSince, notBefore, reachesFurther } from './plan.ts';

/** Passes after the first of a full refresh, in one run: each reads what moved during the one before. */
const MOST_SETTLING_PASSES = 5;

/** How far a settling pass looks back over the one before it, in milliseconds. */
const SETTLING_LOOK_BACK_MS = 60_000;

/**
 * How far beyond now such a pass reads: a single page that was made before then shows all there is at one instant, and no row is missed that
 * moves while it is asked for. Not without an end: that would run after rows that change all the time.
 */
const SETTLING_AHEAD_MS = 30_000;

/** Our clock is behind the server's by the second that a `Date` header is cut to, and by the way of the answer that brought it: a login's 15 s. */
const CLOCK_BEHIND_MS = 16_000;

export interface StreamOptions {
  readonly batching: Batching;
  /** Nothing older (by the cursor field) is read; null: everything is. */
  readonly startDate: string | null;
  readonly lookBackMs: number;
  readonly fullRefresh: boolean;
  readonly allowMassDelete: boolean;
  /** The run's upper `until`, from the server's clock; null when the server told no time. */
  readonly until: string | null;
  /** Something a person should know. */
  warn(message: string): void;
  /** Called with the position that the stream goes on from, and whenever more is durable. */
  moved(position: Position): void;
}

/**
 * Brings one stream up to date: first what an earlier run left unfinished, then what this run adds to it. Every step is a
 * span of the cursor field that is read to its end (`readWindows`), recorded in the position before the next one is planned.
 *
 * @throws {Failure} whatever kept it from its end; what was committed until then stays.
 */
export async function syncStream(context: StreamContext, options: StreamOptions): Promise<void> {
  const { stream, table, source, counts, part } = context;
  const { lookBackMs, startDate, until, warn } = options;

  if (options.fullRefresh) await openRefresh(context, { since: startDate, until });
  const stored = await table.position();
  const judgement = judgePosition(stored, stream, source.lender, options.fullRefresh);
  let pending: PositionChange[] = [];
  let position: Position;
  if (judgement.verdict === 'goes on') {
    position = judgement.position;
    options.moved(position);
    // A run that has the stream to itself goes on with what tasks have left.
    if (part === null && partsOf(position).length > 0) pending = [{ type: 'alone' }];
  } else {
    if (judgement.verdict === 'starts over') warn(`${stream.name}: ${judgement.because}; it is loaded from the start`);
    position = newPosition(context, startDate);
    pending = [beginning(context, stored, position)];
  }

  if (position.windows.length > 0) await readLeftOver();
  if (reachesFurther(startDate, position.from) && position.complete !== null) {
    await readSpan(startDate, position.from, position.refresh);
  }
  if (position.refresh === null) await readSpan(incrementSince(position, lookBackMs, startDate), until, null);
  else await settleRefresh(position.refresh);

  /** Finishes the windows that an earlier run left. */
  async function readLeftOver(): Promise<void> {
    const open = position.windows.find((window) => window.until === null);
    if (open !== undefined) {
      await record({ type: 'window', until: null, becomes: endedAt(position.seen, open).map(owned(part)) });
    }
    if (position.windows.length > 0) await read(position.windows, position.refresh);
  }

  /** Makes a change of the position durable by itself. */
  async function record(change: PositionChange): Promise<void> {
    const changes = [...(part === null ? [] : [part.renewal()]), ...pending, change];
    await table.commit({ pages: [], changes, refresh: position.refresh });
    position = applyChanges(position, [...pending, change], { table: position.table, holdsRows: position.rows });
    pending = [];
  }

  /**
   * Reads what moved while the refresh was reading, until a pass fits one page; then deletions can be told from rows that
   * moved, and are marked (rule 15).
   */
  async function settleRefresh(open: Refresh): Promise<void> {
    let since = incrementSince(position, lookBackMs, startDate);
    if (!source.hasServerClock) {
      await readSpan(since, null, open);
      return warn(
        `${stream.name}: the server told no time, so deletions cannot be told apart; a run that knows it marks them`,
      );
    }
    for (let pass = 1; pass <= MOST_SETTLING_PASSES; pass++) {
      const now = source.now();
      const last = laterBy(now, SETTLING_AHEAD_MS);
      const pages = await readSpan(since, now, { ...open, pass: open.pass + pass }, last);
      if (pages <= 1 && source.now() < earlierBy(last, CLOCK_BEHIND_MS)) return markDeleted(open);
      since = notBefore(startDate, earlierBy(position.complete ?? open.started, SETTLING_LOOK_BACK_MS));
    }
    warn(
      `${stream.name}: it changed too fast (more than a page within a minute), or its pages came too slowly, for deletions to be told ` +
        'apart; the next run that finds it otherwise marks them',
    );
  }

  async function markDeleted({ since, until: end }: Refresh): Promise<void> {
    const { allowMassDelete } = options;
    const request = { since, until: end, at: source.now(), allowMassDelete, ...(part && { part: part.id }) };
    const finished = await table.finishRefresh(request);
    if ('held' in finished) {
      warn(
        `${stream.name}: ${finished.held} of ${finished.rows} rows are no longer returned by the API; so many are not marked deleted ` +
          `without leave. If that is right, run: cleargrid-connector sync --config FILE --streams ${stream.name} --allow-mass-delete`,
      );
      return;
    }
    counts.rowsDeleted += finished.deleted;
    position = { ...position, refresh: null };
  }

  /**
   * Plans the span and reads it to its end, or on to `last`, where that is another. @returns how many pages it took.
   */
  function readSpan(since: string | null, end: string | null, refresh: Refresh | null, last = end): Promise<number> {
    const windows = [owned(part)(newWindow(since, last))];
    const from = position.complete === null || reachesFurther(since, position.from) ? startDate : position.from;
    pending = [...pending, { type: 'plan', from, until: end, windows, refresh }];
    return read(windows, refresh);
  }

  async function read(windows: readonly Window[], refresh: Refresh | null): Promise<number> {
    const changes = pending;
    pending = [];
    const pages = await readWindows(context, {
      batching: options.batching,
      windows: part === null ? windows : windows.filter(({ task }) => task === part.id),
      changes,
      refresh,
      waits: true,
      committed: (done) => {
        if (part !== null) return;
        position = applyChanges(position, done, { table: position.table, holdsRows: position.rows });
        options.moved(position);
      },
    });
    if (part !== null) await takeNote(part);
    return pages;
  }

  /** What other tasks have stored counts as well. */
  async function takeNote(held: TaskPart): Promise<void> {
    position = (await held.read()) ?? position;
    options.moved(position);
  }
}

/**
 * Opens a refresh of a span of a stream whose table holds rows, all of it in a full refresh, and records it before anything is read:
 * whatever ends this run, any later one goes on with it. A refresh that is open already stays as it is.
 *
 * @returns whether it has been opened now.
 * @throws {Failure} when the stored position is refused, as `syncStream` would.
 */
export async function openRefresh(
  context: Pick<StreamContext, 'stream' | 'table' | 'source' | 'part'>,
  { since, until }: Pick<Refresh, 'since' | 'until'>,
): Promise<boolean> {
  const { stream, table, source, part } = context;
  const stored = await table.position();
  const judgement = judgePosition(stored, stream, source.lender, true);
  const position = judgement.verdict === 'goes on' ? judgement.position : newPosition(context, since);
  if (position.refresh !== null || !stored.holdsRows) return false;
  const refresh: Refresh = { started: source.now(), pass: 1, since, until };
  const from = reachesFurther(since, position.from) ? since : position.from;
  const windows = [owned(part)(newWindow(since, until))];
  const { parts: _, ...kept } = position;
  const begun: Position = { ...kept, ...parts(part), from, until, windows, refresh };
  await table.commit({ pages: [], changes: [beginning(context, stored, begun)], refresh });
  return true;
}

/** Where tasks share the stream, only one of them finds what it has judged still stored. */
function beginning({ part }: Pick<StreamContext, 'part'>, stored: StoredPosition, position: Position): PositionChange {
  if (part === null) return { type: 'begin', position };
  const parsed = stored.document === null ? null : parsePosition(stored.document);
  return { type: 'begin', position, over: parsed !== null && 'position' in parsed ? parsed.position : null };
}

const parts = (part: TaskPart | null) => (part === null ? {} : { parts: [part.entry()] });

const owned = (part: TaskPart | null) => (window: Window) => (part === null ? window : part.own(window));

function newPosition(
  { stream, source, part }: Pick<StreamContext, 'stream' | 'source' | 'part'>,
  startDate: string | null,
): Position {
  return {
    ...parts(part),
    version: 1,
    lender: source.lender,
    table: null,
    cursor_field: stream.cursor,
    key: [...stream.primaryKey],
    rows: false,
    from: startDate,
    complete: null,
    seen: null,
    until: null,
    windows: [],
    refresh: null,
  };
}

function newWindow(since: string | null, until: string | null): Window {
  return { since, until, cursor: null, last: null };
}
