import type { Stream } from '../../schemas/stream.ts';
import { keyText, type StoredRow, type Version } from './warehouse.ts';

/** What a batch's rows do to a table, worked out before anything is changed. */
export interface Merged {
  /** Rows to insert, or to put in the place of the stored row of the same key, of which columns that are not ours remain. */
  readonly writes: ReadonlyMap<string, StoredRow>;
  /** What the open refresh has brought, newly or newer than before. */
  readonly seen: ReadonlyMap<string, Version>;
  /** Rows, from the batch and displaced ones, that share their key with another row than the one that holds it. */
  readonly repeated: readonly StoredRow[];
  /** How many of `repeated` were in the batch. */
  readonly repeatedArrivals: number;
}

/**
 * The rules of a commit (design rules 2, 3 and 14), on one table.
 *
 * @param arrivals the batch's rows, in order.
 * @param seen what the open full refresh has brought so far; null when none is open.
 */
export function mergeRows(
  stream: Stream,
  arrivals: readonly StoredRow[],
  stored: ReadonlyMap<string, StoredRow>,
  seen: ReadonlyMap<string, Version> | null,
): Merged {
  const telling = stream.suspectKey?.by ?? null;
  const writes = new Map<string, StoredRow>();
  const newlySeen = new Map<string, Version>();
  const repeated: StoredRow[] = [];
  let repeatedArrivals = 0;

  const byKey = Map.groupBy(arrivals, (row) => keyText(stream.primaryKey, row));
  for (const [key, rivals] of byKey) {
    const best = rivals.reduce((a, b) => (isNewer(versionOf(stream, b), versionOf(stream, a)) ? b : a));
    const held = stored.get(key);
    const brought = seen?.get(key);
    const wins = replaces(stream, best, held, seen !== null, brought);
    if (wins && !(held && isSameRow(best, held))) writes.set(key, new Map([...(held ?? []), ...best]));
    if (seen && (!brought || isNewer(versionOf(stream, best), brought))) newlySeen.set(key, versionOf(stream, best));

    if (telling === null) continue;
    const holder = wins ? best : held!;
    const differs = (row: StoredRow) => telling.some((name) => row.get(name) !== holder.get(name));
    const lost = rivals.filter(differs);
    repeated.push(...lost);
    repeatedArrivals += lost.length;
    if (held && !isDeleted(held) && !isOlderThanRefresh(seen, brought) && differs(held)) repeated.push(held);
  }
  return { writes, seen: newlySeen, repeated, repeatedArrivals };
}

/** Whether a row takes the place of the stored one of its key. */
function replaces(
  stream: Stream,
  row: StoredRow,
  held: StoredRow | undefined,
  refreshing: boolean,
  brought: Version | undefined,
): boolean {
  if (!held || isDeleted(held)) return true;
  if (!refreshing) return isNewer(versionOf(stream, row), versionOf(stream, held));
  return !brought || isNewer(versionOf(stream, row), brought);
}

/** What was stored before the refresh began has no say: if it is still true, this refresh brings it. */
function isOlderThanRefresh(seen: ReadonlyMap<string, Version> | null, brought: Version | undefined): boolean {
  return seen !== null && brought === undefined;
}

/** Newer wins: by the version column, null lowest, and where that is equal by the time of reading. Never by arrival. */
export function isNewer(a: Version, b: Version): boolean {
  if (a.value === b.value) return a.syncedAt > b.syncedAt;
  if (a.value === null || b.value === null) return b.value === null;
  return a.value > b.value;
}

export function versionOf(stream: Stream, row: StoredRow): Version {
  const value = stream.version === null ? null : (row.get(stream.version) ?? null);
  return { value, syncedAt: row.get('_synced_at') as string };
}

export function isDeleted(row: StoredRow): boolean {
  return (row.get('_deleted_at') ?? null) !== null;
}

/** Equal in all but the time of reading: also in `_deleted_at`, which a row that the API returns never has. */
function isSameRow(row: StoredRow, held: StoredRow): boolean {
  for (const [column, value] of row) {
    if (column !== '_synced_at' && value !== (held.get(column) ?? null)) return false;
  }
  return true;
}
