import { parseTimestamp } from '../../schemas/dates.ts';

/** Years that an instant of our positions can say. */
const YEARS = { minYear: 1, maxYear: 9999 };

/**
 * The cursor field's valid values at both ends of a page; null when no record has one. Pages come in the cursor field's order.
 */
export function cursorRange(records: readonly unknown[], field: string): { first: string | null; last: string | null } {
  const instantIn = (record: unknown): string | null => {
    if (typeof record !== 'object' || record === null) return null;
    const value = (record as Record<string, unknown>)[field];
    return typeof value === 'string' ? parseTimestamp(value, YEARS) : null;
  };
  const firstOf = (order: Iterable<unknown>): string | null => {
    for (const record of order) {
      const instant = instantIn(record);
      if (instant !== null) return instant;
    }
    return null;
  };
  return { first: firstOf(records), last: firstOf(backwards(records)) };
}

function* backwards(records: readonly unknown[]): Iterable<unknown> {
  for (let at = records.length - 1; at >= 0; at--) yield records[at];
}
