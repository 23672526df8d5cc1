import type { Destination, Span } from '../../destinations/contract.ts';
import { configError } from '../../destinations/failure.ts';
import type { StreamContext } from '../sync/context.ts';
import { isWithin, type Moved, storedCursors } from './moved.ts';
import { type Place, readPlaces } from './places.ts';
import { cutSpan, joinSmall } from './spans.ts';
import { askTotal, type Total } from './totals.ts';

/** A span that has so many records is read rather than cut: one page. */
const SMALL = 1_000;

/** More keys than these are not compared at once where the span can still be cut. */
const MOST_KEYS = 10_000;

/** How many spans are counted at once. */
const AT_ONCE = 16;

/** Once so many spans are known to differ, what else differs by its counts is told as it is, and not cut any further. */
const ENOUGH = 100;

/** A span in which API and table differ. */
export interface Difference extends Span {
  /** Records of the API; null where it does not count that many. */
  readonly api: number | null;
  /** Rows of the table, without those that have moved on since. */
  readonly table: number;
  /** Rows of the API that the table has not, or at another instant. */
  readonly missing: number;
  /** Rows of the table that the API has not. */
  readonly extra: number;
}

export interface Comparison {
  /** Of all spans that were compared; without what the API did not count. */
  readonly api: number;
  readonly table: number;
  /** Rows of the table without a cursor value, which no span has. */
  readonly undated: number;
  /** Records of the API that are no rows of their own, but in the rejects table; of the spans that were read. */
  readonly rejects: number;
  readonly different: readonly Difference[];
}

export interface ComparedStream {
  readonly context: StreamContext;
  readonly destination: Pick<Destination, 'count' | 'cursors'>;
  readonly moved: Moved;
  /** Where the span that is compared as a whole ends. */
  readonly end: string;
}

/** Compares a span as a whole: cut by the table's rows, so that what is missing here and too much there does not come out even. */
export async function compareSpan(compared: ComparedStream, span: Span): Promise<Comparison> {
  const whole = await askTotal(compared.context, span);
  if (whole.records !== null && whole.records <= SMALL) return compareSpans(compared, [span], true);
  const { parts, rows } = await evenParts(compared, span, whole);
  if (whole.records === null && rows <= SMALL) return compareSpans(compared, [span], true);
  return compareSpans(compared, parts, false);
}

/**
 * Compares counts, and halves the spans in which they differ until they are small. Only reading a small span, with both sides asked once
 * more, finds it to differ: totals may be wrong, rows move meanwhile, and records that are rejects are no rows.
 *
 * @param byKeys whether small spans are read also where the counts are equal.
 */
export async function compareSpans(
  compared: ComparedStream,
  spans: readonly Span[],
  byKeys: boolean,
): Promise<Comparison> {
  const { context, moved } = compared;
  const sum = { api: 0, table: 0, undated: 0, rejects: 0 };
  const different: Difference[] = [];
  const add = (api: number | null, table: number) => {
    sum.api += api ?? 0;
    sum.table += table;
  };
  let pending = [...spans];
  let hasReadMoved = false;

  while (pending.length > 0) {
    context.signal.throwIfAborted();
    const taken = pending.slice(-AT_ONCE);
    pending = pending.slice(0, -AT_ONCE);
    const totals = await Promise.all(taken.map((span) => askTotal(context, span)));
    const { rows, undated } = await countRows(compared, taken);
    sum.undated = undated;
    if (!hasReadMoved && totals.some(({ records }, at) => records !== null && rows[at]! > records)) {
      await moved.read();
      hasReadMoved = true;
    }
    const judged = await Promise.all(taken.map((span, at) => judge(span, totals[at]!, rows[at]!)));
    pending.push(...judged.flat());
  }
  return { ...sum, different: different.sort((a, b) => (a.until < b.until ? -1 : 1)) };

  /** @returns the parts that are to be looked at next. */
  async function judge(span: Span, { records, first }: Total, rows: number): Promise<Span[]> {
    const here = rows - moved.within(span);
    const isRead = (records ?? rows) <= SMALL;
    if (records === here && !(byKeys && isRead && records > 0)) {
      add(records, here);
      return [];
    }
    const parts = cutSpan(span, first, 2);
    if (isRead || parts.length === 1) {
      const settled = await settle(compared, span, parts.length === 1 ? Number.POSITIVE_INFINITY : MOST_KEYS);
      if (settled === null) return parts;
      add(settled.api, settled.table);
      if (settled.missing + settled.extra > 0) different.push(settled);
      else sum.rejects += settled.api! - settled.table;
      return [];
    }
    if (different.length < ENOUGH) return parts;
    add(records, here);
    const balance = (records ?? here) - here;
    different.push({ ...span, api: records, table: here, missing: Math.max(0, balance), extra: Math.max(0, -balance) });
    return [];
  }
}

/** Reads a span and looks for each of its keys in the table; twice before it differs. @returns null when there are too many keys. */
async function settle(compared: ComparedStream, span: Span, most: number): Promise<Difference | null> {
  const { context, destination, moved } = compared;
  for (let attempt = 1; ; attempt++) {
    const read = await readPlaces(context, span, most);
    if (read === null) return null;
    const stored = await storedCursors(destination, context, read.rows);
    const missing = [...read.rows].filter(([text, place]) => isElsewhere(compared, place, stored.get(text))).length;
    const found = [...stored.values()].filter((cursor) => typeof cursor === 'string' && isWithin(cursor, span)).length;
    const count = async () => (await countRows(compared, [span])).rows[0]! - moved.within(span, read.rows);
    let table = await count();
    if (table > found) {
      await moved.read();
      table = await count();
    }
    const extra = Math.max(0, table - found);
    if (missing + extra === 0 || attempt === 2) return { ...span, api: read.records, table, missing, extra };
  }
}

/**
 * Whether the table does not have the row where the API has it, nor further on: there it may have been read meanwhile, or be another
 * row of a key that is not one.
 *
 * @param stored its cursor value in the table.
 */
function isElsewhere(
  { context: { stream }, end }: ComparedStream,
  { cursor }: Place,
  stored: string | null | undefined,
): boolean {
  if (stored === undefined) return true;
  if (cursor === null || stored === cursor) return false;
  return stored === null || stored < cursor || (stored < end && stream.suspectKey === null);
}

const FIRST_PARTS = 16;
const MOST_ROUNDS = 5;

/**
 * Parts with about as many rows each; what the table has before the API's first record is one by itself.
 *
 * @returns also how many rows there are from that record on.
 */
async function evenParts(
  compared: ComparedStream,
  { since, until }: Span,
  { first }: Total,
): Promise<{ readonly parts: readonly Span[]; readonly rows: number }> {
  const before = first === null || first === since ? [] : [{ since, until: first }];
  let parts = cutSpan({ since: first ?? since, until }, null, FIRST_PARTS);
  for (let round = 1; ; round++) {
    const { rows } = await countRows(compared, parts);
    const all = rows.reduce((sum, count) => sum + count, 0);
    const most = Math.max(SMALL, all / FIRST_PARTS);
    if (round === MOST_ROUNDS || rows.every((count) => count <= most)) {
      return { parts: [...before, ...joinSmall(parts, rows, most)], rows: all };
    }
    parts = parts.flatMap((part, at) => (rows[at]! > most ? cutSpan(part, null, 4) : [part]));
  }
}

async function countRows({ context: { stream }, destination }: ComparedStream, spans: readonly Span[]) {
  const counted = await destination.count(stream, spans);
  if (counted !== null) return counted;
  throw configError(`${stream.name}: it has no table to compare; run sync first`);
}
