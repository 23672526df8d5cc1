import type { RowValues } from '../../schemas/row.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { RejectCount, Span, SpanCounts } from '../contract.ts';
import { isDeleted } from './merge.ts';
import { keyText, type MemoryWarehouse } from './warehouse.ts';

/** Counts rows by spans of the cursor field, as the contract says. */
export function countRows(warehouse: MemoryWarehouse, stream: Stream, spans: readonly Span[]): SpanCounts | null {
  const table = warehouse.tables.get(stream.name);
  if (!table) return null;
  const rows = spans.map(() => 0);
  let undated = 0;
  for (const row of table.rows.values()) {
    if (isDeleted(row)) continue;
    const value = row.get(stream.cursor) ?? null;
    if (value === null) undated++;
    else for (const [at, span] of spans.entries()) if (isWithin(value as string, span)) rows[at]!++;
  }
  return { rows, undated };
}

/** Finds rows by their keys, as the contract says. */
export function cursorsOf(
  warehouse: MemoryWarehouse,
  { name, primaryKey, cursor }: Stream,
  keys: readonly RowValues[],
): (string | null | undefined)[] {
  const rows = warehouse.tables.get(name)?.rows;
  return keys.map((key) => {
    const row = rows?.get(keyText(primaryKey, new Map(primaryKey.map((column, at) => [column, key[at]!]))));
    return row === undefined || isDeleted(row) ? undefined : ((row.get(cursor) ?? null) as string | null);
  });
}

function isWithin(value: string, { since, until }: Span): boolean {
  return (since === null || value >= since) && value < until;
}

/** Counts rejects by stream and reason, as the contract says. */
export function countRejects({ rejects }: MemoryWarehouse, runIds: readonly string[]): RejectCount[] {
  const groups = Map.groupBy(rejects.values(), ({ stream, reason }) => JSON.stringify([stream, reason]));
  return [...groups.values()].map((members) => ({
    stream: members[0]!.stream,
    reason: members[0]!.reason,
    records: members.length,
    fresh: members.filter(({ runId }) => runIds.includes(runId)).length,
    seenAt: members
      .map(({ seenAt }) => seenAt)
      .sort()
      .at(-1)!,
  }));
}
