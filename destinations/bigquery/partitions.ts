import type { Stream } from '../../schemas/stream.ts';
import { quote } from './names.ts';

/**
 * Tables are partitioned by day of this column.
 *
 * ASSUMPTION: ClearGrid never changes a row's `created_at`. A row is looked for among the days of the batch's rows (and among rows
 * without a day), so that a MERGE reads those days alone; one whose day had changed would not be found, and be there twice until
 * the next full refresh, which looks everywhere.
 */
const PARTITIONED_BY = 'created_at';

/** The column that a stream's table is partitioned by, or null: then it is clustered only. */
export function partitionColumn(stream: Stream): string | null {
  const column = stream.columns.find(({ name }) => name === PARTITIONED_BY);
  return column?.kind === 'timestamp' ? column.name : null;
}

/** Whether rows may be looked for by day: not where two rows of one key are suspected, which differ in just that column. */
export function findsByDay(stream: Stream): boolean {
  return partitionColumn(stream) !== null && stream.suspectKey === null;
}

/** The days `[since, until)`, each `YYYY-MM-DD`; no `until`: to the last day there is. */
export interface DayRange {
  readonly since: string;
  readonly until: string | null;
}

/** More ranges make a statement long, and save little. */
const MOST_RANGES = 16;

/** Days as ranges, in order: neighbours are one, and where there are too many ranges the narrowest gaps are read as well. */
export function dayRanges(days: Iterable<string>, most = MOST_RANGES): DayRange[] {
  const numbers = [...new Set(days)].map(dayNumber).sort((a, b) => a - b);
  const gaps = numbers.map((day, at) => (at === 0 ? 0 : day - numbers[at - 1]! - 1));
  const bridged = gaps.filter((gap) => gap > 0).sort((a, b) => b - a)[most - 1] ?? 0;
  const ranges: { first: number; last: number }[] = [];
  for (const [at, day] of numbers.entries()) {
    const range = ranges.at(-1);
    if (range !== undefined && gaps[at]! <= bridged) range.last = day;
    else ranges.push({ first: day, last: day });
  }
  return ranges.map(({ first, last }) => ({
    since: dayText(first),
    until: last === LAST_DAY ? null : dayText(last + 1),
  }));
}

/** That a value lies within these days, in literals alone: only by such does BigQuery leave partitions unread. */
export function withinDays(value: string, ranges: readonly DayRange[]): string {
  const terms = ranges.map(({ since, until }) => {
    const from = `${value} >= timestamp '${since} 00:00:00+00'`;
    return until === null ? from : `${from} and ${value} < timestamp '${until} 00:00:00+00'`;
  });
  return terms.join('\n  or ');
}

/** A job may write to 4,000 partitions. https://cloud.google.com/bigquery/quotas#partitioned_tables */
export const MOST_PARTITIONS_A_JOB = 4_000;

/** Which of a batch's rows one MERGE takes, and where it looks for them; null: all of them, everywhere. */
export interface MergePart {
  readonly rows: string | null;
  readonly among: string | null;
}

/**
 * A batch's rows in as many MERGEs as they need: rows without a day are looked for everywhere, and only those.
 *
 * @param everywhere whether all rows are (in a full refresh, which mends what was found at the wrong day).
 */
export function mergeParts(
  stream: Stream,
  { days, hasUndated }: { readonly days: ReadonlySet<string>; readonly hasUndated: boolean },
  everywhere: boolean,
): MergePart[] {
  const column = partitionColumn(stream);
  const byDay = findsByDay(stream) && !everywhere;
  if (column === null || (!byDay && days.size <= MOST_PARTITIONS_A_JOB)) return [{ rows: null, among: null }];
  const groups = chunks([...days].sort(), MOST_PARTITIONS_A_JOB);
  const dated = groups.map((group) => {
    const ranges = dayRanges(group);
    const target = `_old.${quote(column)}`;
    return {
      rows: groups.length === 1 && !hasUndated ? null : withinDays(`_new.${quote(column)}`, ranges),
      among: byDay ? `(${withinDays(target, ranges)}\n  or ${target} is null)` : null,
    };
  });
  return hasUndated ? [...dated, { rows: `_new.${quote(column)} is null`, among: null }] : dated;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}

const DAY_MS = 86_400_000;
/** 9999-12-31. */
const LAST_DAY = 2_932_896;

function dayNumber(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) / DAY_MS;
}

function dayText(number: number): string {
  return new Date(number * DAY_MS).toISOString().slice(0, 10);
}
