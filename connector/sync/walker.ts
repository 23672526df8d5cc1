import type { Window } from '../../destinations/position.ts';
import { freed } from '../../destinations/tasks.ts';
import { PageFailure } from '../source.ts';
import type { ReadyPage, StreamContext } from './context.ts';
import type { Lane } from './lane.ts';
import { pauseAfter } from './pause.ts';
import type { Ahead, ReadPage } from './reader.ts';
import { LIMITS, limitOf, otherLimit, partsWorth, restarted, split } from './windows.ts';

/** After so many good pages of a smaller size the next larger one is tried again. */
const PAGES_BEFORE_LARGER = 20;

/** How often a page among rows of one instant is asked for again when the server is slow: there is nowhere to start again from. */
const TRIES_WITHIN_AN_INSTANT = 4;

/** How often a walk starts again, after a failure, at the same value; each time, some page came before the next failure. */
const RESTARTS_AT_ONE_VALUE = 3;

/** How many pages in a row may come without a record and not be the last. ASSUMPTION: pages may be empty before the end, but few are. */
const MOST_EMPTY_PAGES = 1_000;

/** Into how many parts a window is cut that the server cannot answer in time. */
const PARTS_WHEN_SLOW = 8;

export interface WalkOptions {
  readonly context: StreamContext;
  readonly window: Window;
  readonly lane: Lane;
  readonly readPage: ReadPage;
  /** How many more windows of this stream could be walked right now. */
  idle(): number;
  /** How many windows other tasks could walk. */
  wanted(): number;
  /** How many more windows the stream may have at once, walked by anybody or not. */
  room(): number;
  /** Starts a walk of a window that is recorded in the position. */
  start(window: Window): void;
  /** Where the data of this stream begins, asked for once. */
  beginning(): Promise<string>;
}

/**
 * Walks one window to its end: asks for page after page in the cursor field's order and hands each to the lane with what the
 * position is after it. Only the API ends it, by a null cursor. Shares what is left of it with idle walkers, and narrows it
 * where the server fails.
 *
 * @throws {PageFailure} when neither repeating, nor starting again, nor asking for less helps.
 */
export async function walk({ context, window: given, lane, readPage, ...pass }: WalkOptions): Promise<void> {
  const { counts, limiter, source, stream } = context;
  let window = given;
  let walked = nothingWalked(window);
  let restarts = { at: window.last, count: 0 };
  let slowInARow = 0;
  let emptyInARow = 0;
  let ahead = null as Ahead | null;
  /** The record that was read last, while the walk stands behind it; `before` while it starts again there. */
  let tail: Uint8Array | null = null;
  let before: Uint8Array | null = null;
  const cursors = new Set<string>(window.cursor === null ? [] : [window.cursor]);

  try {
    while (true) {
      const page = await nextPage();
      if (page === null) continue;

      counts.rowsRead += page.prepared.records;
      const { until } = window;
      const seen = page.last === null ? [] : [{ type: 'seen' as const, value: page.last }];
      if (page.nextCursor === null) {
        lane.add(page, [...seen, { type: 'window', until, becomes: [] }]);
        return;
      }
      window = { ...window, cursor: page.nextCursor, last: page.last ?? window.last };
      lane.add(page, [...seen, { type: 'window', until, becomes: [window] }]);
      context.progressed(null);

      cursors.add(page.nextCursor);
      walked = { pages: walked.pages + 1, since: walked.since ?? page.first };
      const parts = partsWorth(window, walked, source.now());
      if (await share(Math.min(parts, pass.idle() + pass.wanted() + 1))) continue;
      const larger = walked.pages >= PAGES_BEFORE_LARGER && hasPassedSince() ? otherLimit(window, -1) : null;
      if (larger !== null) restart(larger);
    }
  } finally {
    ahead?.drop();
  }

  /** The next page, or null when the request was changed instead. */
  async function nextPage(): Promise<ReadyPage | null> {
    try {
      const { since, until, cursor } = window;
      const asked = { since, until, cursor, limit: limitOf(window) };
      // While walkers are idle this window may be cut, and its next request be another.
      const reading = readPage(asked, { ahead, before, goesOn: () => pass.idle() + pass.wanted() === 0 });
      ahead = null;
      const page = await reading;
      ahead = page.ahead;
      tail = page.tail;
      before = null;
      slowInARow = 0;
      if (page.nextCursor === null) return page;
      emptyInARow = page.prepared.records === 0 ? emptyInARow + 1 : 0;
      const circles = cursors.has(page.nextCursor);
      if (!circles && emptyInARow <= MOST_EMPTY_PAGES) return page;
      page.release();
      const what = circles
        ? "the API's page cursors run in a circle"
        : 'the API gives page after page without a record';
      throw new PageFailure('refused', `${stream.name}: ${what}; report it to ClearGrid`, { advises: true });
    } catch (error) {
      if (context.signal.aborted || !(error instanceof PageFailure)) throw error;
      await recover(error);
      return null;
    }
  }

  /** Makes the request another one where that may help: smaller pages, a shorter window, or from the last value seen again. */
  async function recover(failure: PageFailure): Promise<void> {
    const slow = failure.reason === 'timed_out';
    if (slow) {
      await pauseAfter(context, failure, ++slowInARow);
      if (window.cursor !== null && !hasPassedSince() && slowInARow < TRIES_WITHIN_AN_INSTANT) return;
      if (limitOf(window) < LIMITS[0] && (await share(Math.min(PARTS_WHEN_SLOW, pass.room() + 1)))) return;
    } else {
      counts.retries++;
      context.happened({ type: 'retried', reason: failure.reason });
    }
    const smaller = slow || failure.reason === 'too_large' ? otherLimit(window, 1) : null;
    if (smaller !== null) return restart(smaller);
    if (restarts.at !== window.last) restarts = { at: window.last, count: 0 };
    if (slow || window.cursor === null || ++restarts.count > RESTARTS_AT_ONE_VALUE) throw failure;
    restart();
  }

  function restart(limit = limitOf(window)): void {
    window = restarted(window, limit);
    walked = nothingWalked(window);
    cursors.clear();
    before = tail ?? before;
    tail = null;
  }

  function hasPassedSince(): boolean {
    return window.last !== null && (window.since === null || window.last > window.since);
  }

  /**
   * Cuts the window and gives all parts but the first to others, where there are tasks to those that have nobody too. The cut is durable before
   * anybody walks a part.
   */
  async function share(parts: number): Promise<boolean> {
    if (parts < 2) return false;
    const start = window.last ?? window.since ?? (await pass.beginning());
    const becomes = split(window, parts, start, source.now());
    if (becomes === null) return false;
    const [first, second, ...more] = becomes;
    const others = [second, ...more];
    const own = context.part === null ? others : others.slice(0, pass.idle());
    const places = own.map(() => limiter.join());
    try {
      const left = others.slice(own.length).map(freed);
      await lane.cut(window.until, [first, ...own, ...left] as typeof becomes);
      context.part?.gave(left.length);
    } finally {
      for (const leave of places) leave();
    }
    for (const other of own) pass.start(other);
    window = first;
    restart();
    return true;
  }
}

/** What a walk knows of its own pace when it begins, or begins again. */
function nothingWalked(window: Window): { pages: number; since: string | null } {
  return { pages: 0, since: window.since };
}
