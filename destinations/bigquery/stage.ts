import { createHash } from 'node:crypto';
import type { Reject, RowValues } from '../../schemas/row.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { Committed } from '../contract.ts';
import { repeatedKeyReject } from '../repeated-key.ts';
import { insertRejects } from './bookkeeping-sql.ts';
import type { Costs } from './costs.ts';
import { gzipMember } from './gzip.ts';
import type { LoadPage } from './ndjson.ts';
import type { ResultRow } from './results.ts';
import type { Session } from './session.ts';

/** What a batch brings, added up. */
export interface BatchTotals {
  readonly lines: number;
  readonly rows: number;
  readonly rejects: number;
  readonly changedFields: number;
  readonly unparsedDates: number;
  readonly days: ReadonlySet<string>;
  readonly hasUndated: boolean;
  readonly chunks: readonly Buffer[];
  /** Of what will be loaded. */
  readonly digest: string;
}

export function totalsOf(pages: readonly LoadPage[]): BatchTotals {
  const sum = (count: (page: LoadPage) => number) => pages.reduce((total, page) => total + count(page), 0);
  const chunks = gzipMember(pages.map(({ part }) => part));
  const digest = createHash('sha256');
  for (const chunk of chunks) digest.update(chunk);
  return {
    lines: sum(({ lines }) => lines),
    rows: sum(({ rows }) => rows),
    rejects: sum(({ rejects }) => rejects),
    changedFields: sum(({ changedFields }) => changedFields),
    unparsedDates: sum(({ unparsedDates }) => unparsedDates),
    days: new Set(pages.flatMap(({ days }) => [...days])),
    hasUndated: pages.some((page) => page.hasUndated),
    chunks,
    digest: digest.digest('hex'),
  };
}

/** What a commit tells, from what it brought and what BigQuery did with it. */
export function committed(totals: BatchTotals, written: number, repeated: readonly RepeatedRow[]): Committed {
  const arrived = repeated.filter(({ displaced }) => !displaced).length;
  return {
    written,
    unchanged: Math.max(0, totals.rows - written - arrived),
    changedFields: totals.changedFields,
    unparsedDates: totals.unparsedDates,
    rejects: totals.rejects + repeated.length,
    repeatedKeys: repeated.length,
  };
}

/** A row that shares its key with another one, as a reject. */
export interface RepeatedRow {
  readonly reject: Reject;
  readonly seenAt: string;
  /** It was in the table before. */
  readonly displaced: boolean;
}

export function repeatedRows(stream: Stream, rows: readonly ResultRow[]): RepeatedRow[] {
  return rows.map((row) => ({
    reject: repeatedKeyReject(stream, (column) => (row[column] ?? null) as RowValues[number]),
    seenAt: String(row._synced_at),
    displaced: row._cleargrid_displaced === true,
  }));
}

/** A query with its parameters takes 10 MB; records beyond this go in several. */
const MOST_REJECT_BYTES = 4_000_000;

/** Writes these rejects; ahead of the commit they belong to, which is harmless: a reject comes again and is there once. */
export async function writeRejects(
  session: Session,
  stream: Stream,
  runId: string,
  rows: readonly RepeatedRow[],
  costs: Costs,
): Promise<void> {
  const byId = new Map(rows.map((row) => [row.reject.id, row]));
  const texts = [...byId.values()].map(({ reject: { id, record, reason }, seenAt }) =>
    JSON.stringify({ id, record, reason, seen_at: seenAt }),
  );
  for (let at = 0; at < texts.length; ) {
    let bytes = 0;
    const first = at;
    do bytes += Buffer.byteLength(texts[at++]!);
    while (at < texts.length && bytes + Buffer.byteLength(texts[at]!) <= MOST_REJECT_BYTES);
    const parameters = { stream: stream.name, run: runId, rejects: `[${texts.slice(first, at).join(',')}]` };
    const statement = { sql: insertRejects(session.place), parameters };
    await session.run(statement, { what: `write rejects of ${stream.name}`, stream: stream.name, costs });
  }
}
