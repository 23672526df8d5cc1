import type { Window } from '../../destinations/position.ts';
import { cuts, millisSince } from './instants.ts';

/** A window of less than this is not cut: its rows share what is as good as one instant. */
const SHORTEST_SPLIT_MS = 2_000;

/** Used as the beginning of all data where the API does not tell it. ASSUMPTION: ClearGrid holds nothing older. */
export const BEGINNING_OF_DATA = '2015-01-01T00:00:00.000000Z';

/** The page sizes that are tried in turn when the server cannot answer in time, or answers with too much. */
export const LIMITS: readonly [number, ...number[]] = [1000, 250, 60, 15, 1];

/** The page size of a window. */
export function limitOf(window: Window): number {
  return window.limit ?? LIMITS[0];
}

/** The page size `steps` further down (or up, below zero) the row of sizes; null where it ends. */
export function otherLimit(window: Window, steps: number): number | null {
  return LIMITS[LIMITS.indexOf(limitOf(window)) + steps] ?? null;
}

/** The same window from the last cursor value seen, inclusive, with a fresh page cursor, in pages of `limit`. */
export function restarted({ limit: now, ...rest }: Window, limit = now ?? LIMITS[0]): Window {
  const window = { ...rest, since: rest.last ?? rest.since, cursor: null };
  return limit === LIMITS[0] ? window : { ...window, limit };
}

/** A part should hold this many pages or more, or cutting costs more than it gains. */
const PAGES_A_PART = 2;

/**
 * How many parts what is left of a walk is worth: for as many pages as its pace so far promises, and never less than two once it has
 * gone on for some pages, because history is denser towards its end than its beginning tells.
 *
 * @param walked the pages that the walk has read since it began or was cut, and the instant it began at.
 */
export function partsWorth(window: Window, walked: { pages: number; since: string | null }, now: string): number {
  const end = window.until ?? now;
  if (walked.since === null || window.last === null || window.last <= walked.since || window.last >= end) return 1;
  const pagesLeft = (walked.pages * millisSince(window.last, end)) / millisSince(walked.since, window.last);
  return Math.max(Math.ceil(pagesLeft / PAGES_A_PART), walked.pages >= 3 ? 2 : 1);
}

/**
 * Cuts what is left of a window into up to `parts` windows that tile it: the first goes on where the walk stands, the last
 * ends where the window ended.
 *
 * @param start where the data left to read begins, when the window itself does not tell.
 * @param now stands in for the end of a window without `until`.
 * @returns null when there is nothing to cut: too short a span, or (rule 5) the walk has not passed the window's `since`.
 */
export function split(
  window: Window,
  parts: number,
  start: string | null,
  now: string,
): [Window, Window, ...Window[]] | null {
  if (window.last !== null && !(window.since === null || window.last > window.since)) return null;
  const from = window.last ?? window.since ?? start;
  const end = window.until ?? now;
  if (from === null || from >= end) return null;
  const possible = Math.min(parts, Math.floor(millisSince(from, end) / (SHORTEST_SPLIT_MS / 2)));
  if (possible < 2) return null;
  const edges = cuts(from, end, possible);
  const first: Window = { ...restarted(window), until: edges[0]! };
  const [second, ...others] = edges.map((since, at) => ({
    ...first,
    since,
    until: edges[at + 1] ?? window.until,
    last: null,
  }));
  return second === undefined ? null : [first, second, ...others];
}
