import type { RowValues } from '../../schemas/row.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { Span, SpanCounts } from '../contract.ts';
import { instant } from './bookkeeping-sql.ts';
import { nativeColumns } from './kinds.ts';
import { readLayout } from './layout.ts';
import type { Session } from './session.ts';
import { literal, nativeType, quote } from './sql.ts';

/** Counts rows by spans of the cursor field, as the contract says. */
export async function countRows(
  session: Session,
  schema: string,
  stream: Stream,
  spans: readonly Span[],
): Promise<SpanCounts | null> {
  const layout = await readLayout(session, schema, stream);
  if (layout === null) return null;
  const [counted] = await session.rows(selectCounts(schema, layout.name, stream, spans), [], { slow: true });
  return { rows: spans.map((_, at) => Number(counted![`c${at}`])), undated: Number(counted!.undated) };
}

/** Finds rows by their keys, as the contract says. */
export async function cursorsOf(
  session: Session,
  schema: string,
  stream: Stream,
  keys: readonly RowValues[],
): Promise<(string | null | undefined)[]> {
  const found: (string | null | undefined)[] = keys.map(() => undefined);
  const layout = await readLayout(session, schema, stream);
  if (layout === null) return found;
  const values = stream.primaryKey.map((_, at) => keys.map((key) => String(key[at])));
  const rows = await session.rows(selectCursors(schema, layout.name, stream), values, { slow: true });
  for (const { place, cursor } of rows) found[Number(place) - 1] = cursor!;
  return found;
}

function selectCounts(schema: string, table: string, stream: Stream, spans: readonly Span[]): string {
  const cursor = quote(stream.cursor);
  const counts = spans.map(({ since, until }, at) => {
    const from = since === null ? '' : `${cursor} >= ${micros(since)} and `;
    return `,\n  count(*) filter (where ${from}${cursor} < ${micros(until)})::text as c${at}`;
  });
  return `select count(*) filter (where ${cursor} is null)::text as undated${counts.join('')}
from ${quote(schema)}.${quote(table)}
where "_deleted_at" is null`;
}

/** A list of values for each column of the key: `$1`, `$2` and so on. */
function selectCursors(schema: string, table: string, stream: Stream): string {
  const { primaryKey, cursor } = stream;
  const types = new Map(nativeColumns(stream).map(({ name, type }) => [name, nativeType(type)]));
  const lists = primaryKey.map((name, at) => `$${at + 1}::text[]::${types.get(name)!}[]`);
  const same = primaryKey.map((name, at) => `t.${quote(name)} = s."k${at}"`);
  return `select s.place::text as place, (select ${instant('cursor')} from (select t.${quote(cursor)} as "cursor") c) as cursor
from unnest(${lists.join(', ')}) with ordinality as s(${primaryKey.map((_, at) => `"k${at}"`).join(', ')}, place)
join ${quote(schema)}.${quote(table)} t on ${same.join(' and ')}
where t."_deleted_at" is null`;
}

const micros = (text: string) => `${literal(text)}::timestamptz`;
