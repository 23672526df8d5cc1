import { instantMs, isoText } from './clock.ts';
import { mix, mixText } from './random.ts';
import { END, FIRST, type Key, keyAt, type Run, recordBytes, runs, runsBackwards, startOf } from './segment.ts';
import type { Store } from './store.ts';
import type { Unknowns } from './unknowns.ts';

/** The parameters of a page as they stand in the address; null where one is absent or empty. */
export interface PageParameters {
  readonly since: string | null;
  readonly until: string | null;
  readonly cursor: string | null;
  readonly limit: string | null;
  readonly sort: string | null;
  readonly includeTotal: string | null;
}

/** A page before it is wrapped: `rows` are slices of JSON, commas included. */
export interface Page {
  readonly rows: readonly Buffer[];
  readonly count: number;
  readonly nextCursor: string | null;
  readonly filter: { since: string | null; until: string; sort: 'asc' | 'desc'; limit: number };
  /** Only where `includeTotal` was asked for. */
  readonly total: Readonly<Record<string, unknown>> | null;
}

/** A request that the API answers with a 500: a cursor or a bound that it cannot take. */
export class BadRequest extends Error {}

/** What a fault may do to a page while it is made. */
export interface PageTwist {
  /** Take this many records at most, however many were asked for; 0 gives an empty page with a live cursor. */
  readonly atMost?: number;
  /** Give the records before the cursor once more (ascending only). */
  readonly again?: boolean;
}

/** Out of range is clamped, not rejected. */
export function limitOf(text: string | null): number {
  const limit = text === null ? 500 : Math.trunc(Number(text));
  return Number.isNaN(limit) ? 500 : Math.min(1000, Math.max(1, limit));
}

/** One page of a dataset. @throws {BadRequest} */
export function makePage(
  store: Store,
  asked: PageParameters,
  nowMs: number,
  unknowns: Unknowns,
  twist: PageTwist = {},
): Page {
  const limit = limitOf(asked.limit);
  const descending = asked.sort === 'desc';
  const window = windowOf(asked, nowMs, unknowns);
  const binding = mixText(`${store.info.code} ${asked.since} ${asked.until} ${descending} ${limit}`);
  const boundary =
    asked.cursor === null ? null : readCursor(asked.cursor, unknowns.cursor === 'bound' ? binding : null);

  let { low, high } = window;
  if (boundary !== null && descending) high = boundary;
  else if (boundary !== null) low = { time: boundary.time, rank: boundary.rank + 1 };

  // Twists move the cursor on by less than a record, so one of them may not follow another.
  const isPlain = boundary === null || isOfRecord(boundary);
  const again = twist.again === true && boundary !== null && isPlain && !descending;
  const ragged = unknowns.viaPages === 'ragged' && store.info.paging === 'via' && isPlain && !again;
  const fate = ragged ? mix(binding, mixText(asked.cursor ?? '')) : null;
  const most = Math.min(limit, isPlain && twist.atMost !== undefined ? twist.atMost : raggedLimit(fate, limit));
  // The page before a cursor is found from its end.
  const taken = again ? take(store, window.low, low, true, limit) : take(store, low, high, descending, most);
  if (again) taken.rows.reverse();

  let next: Key | null = taken.more ? taken.last : null;
  if (again) next = beyond(boundary, descending);
  else if (most === 0 && taken.first !== null)
    next = boundary ? beyond(boundary, descending) : ahead(taken.first, descending);
  else if (next === null && taken.count > 0 && leadsOn(taken.count === limit, fate, unknowns)) next = taken.last;

  return {
    rows: taken.rows,
    count: taken.count,
    nextCursor: next === null ? null : writeCursor(next, binding),
    filter: { since: asked.since, until: asked.until ?? isoText(nowMs), sort: descending ? 'desc' : 'asc', limit },
    total: asked.includeTotal === 'true' ? totalOf(store, asked, window, unknowns) : null,
  };
}

interface Window {
  readonly low: Key;
  readonly high: Key;
}

function windowOf({ since, until }: PageParameters, nowMs: number, unknowns: Unknowns): Window {
  const bound = (text: string | null, absent: number): number => {
    if (text === null) return absent;
    const ms = instantMs(text);
    if (ms !== null) return ms;
    if (unknowns.badInstant === 'ignored') return absent;
    if (unknowns.badInstant === 'empty') return Number.NaN;
    throw new BadRequest('Internal server error');
  };
  const [from, to] = [bound(since, -Infinity), bound(until, nowMs)];
  if (!(from < to)) return { low: END, high: FIRST };
  return { low: startOf(from), high: startOf(to) };
}

/** Empty in one page of thirty, short in one of twelve: decided by the cursor, so that a cursor always gives the same page. */
function raggedLimit(fate: number | null, limit: number): number {
  if (fate === null) return limit;
  if (fate % 30 === 7) return 0;
  return fate % 12 === 5 ? 1 + ((fate >>> 8) % limit) : limit;
}

function leadsOn(isFull: boolean, fate: number | null, unknowns: Unknowns): boolean {
  return (isFull && unknowns.lastCursor === 'live') || (fate !== null && fate % 25 === 3);
}

interface Taken {
  readonly rows: Buffer[];
  readonly count: number;
  readonly first: Key | null;
  readonly last: Key | null;
  readonly more: boolean;
}

function take(store: Store, low: Key, high: Key, backwards: boolean, most: number): Taken {
  const rows: Buffer[] = [];
  let count = 0;
  let first: Key | null = null;
  let last: Key | null = null;
  for (const run of backwards ? runsBackwards(store.segments, low, high) : runs(store.segments, low, high)) {
    first ??= keyAt(run.segment, backwards ? run.to - 1 : run.from);
    const length = Math.min(run.to - run.from, most - count);
    if (length > 0) {
      if (backwards) for (let at = 1; at <= length; at++) rows.push(withComma(run, run.to - at));
      else rows.push(run.segment.bytes.subarray(run.segment.offsets[run.from], run.segment.offsets[run.from + length]));
      last = keyAt(run.segment, backwards ? run.to - length : run.from + length - 1);
      count += length;
    }
    if (length < run.to - run.from) return { rows, count, first, last, more: true };
  }
  return { rows, count, first, last, more: false };
}

function withComma({ segment }: Run, index: number): Buffer {
  const record = recordBytes(segment, index);
  return segment.bytes.subarray(
    record.byteOffset - segment.bytes.byteOffset,
    record.byteOffset - segment.bytes.byteOffset + record.length + 1,
  );
}

/** Whether a cursor stands at a record later than `since`, so that a client which starts again there is not where it was. */
export function hasPassedSince({ since, cursor }: PageParameters): boolean {
  try {
    const boundary = cursor === null ? null : readCursor(cursor, null);
    return boundary !== null && isOfRecord(boundary) && boundary.time > (instantMs(since ?? '') ?? -Infinity);
  } catch {
    return false;
  }
}

/** A boundary may be a record of another lender, which the query has passed over: a key between two of ours. */
const isOfRecord = (key: Key) => (key.rank & 3) === 0;
const beyond = (key: Key, descending: boolean): Key => ({ time: key.time, rank: key.rank + (descending ? -1 : 1) });
const ahead = (key: Key, descending: boolean): Key => beyond(key, !descending);

/** base64url over the boundary's cursor value and `_id`, and over what binds it to its parameters. */
function writeCursor({ time, rank }: Key, binding: number): string {
  const id = (rank + 4).toString(16).padStart(24, '0');
  return Buffer.from(JSON.stringify({ v: isoText(time), id, p: binding.toString(36) })).toString('base64url');
}

function readCursor(text: string, binding: number | null): Key {
  let cursor: { v?: unknown; id?: unknown; p?: unknown };
  try {
    cursor = Object(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    throw new BadRequest('Invalid cursor');
  }
  const time = typeof cursor.v === 'string' ? instantMs(cursor.v) : null;
  if (time === null || typeof cursor.id !== 'string' || !/^[0-9a-f]{24}$/.test(cursor.id))
    throw new BadRequest('Invalid cursor');
  if (binding !== null && cursor.p !== binding.toString(36)) throw new BadRequest('Invalid cursor');
  return { time, rank: Number.parseInt(cursor.id, 16) - 4 };
}

function totalOf(store: Store, { since, until }: PageParameters, { low, high }: Window, unknowns: Unknowns) {
  const { totalExact } = unknowns;
  const exact = totalExact === 'absent' ? {} : { totalExact: totalExact === 'null' ? null : false };
  const bounds = [since, until].filter((bound) => bound !== null).length;
  if (store.info.paging === 'via' && bounds < (unknowns.totalWindow === 'both' ? 2 : 1)) {
    return { total: null, ...exact, totalNote: 'window_required' };
  }
  if (unknowns.totalTimesOut) return { total: null, ...exact, totalNote: 'timeout' };
  const total = store.count(low, high);
  if (total > unknowns.totalCap) return { total: unknowns.totalCap, totalExact: false, totalNote: 'capped' };
  return { total, totalExact: true };
}

/** How many records the window of these parameters holds, wherever the cursor stands. */
export function windowCount(store: Store, asked: PageParameters, nowMs: number, unknowns: Unknowns): number {
  const { low, high } = windowOf(asked, nowMs, unknowns);
  return store.count(low, high);
}
