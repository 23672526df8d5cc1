import type { RowValues } from '../../schemas/row.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { Span, SpanCounts } from '../contract.ts';
import { nativeColumns } from './kinds.ts';
import { inPlace, literal, type Place, quote, tableNames } from './names.ts';
import type { Session } from './session.ts';

/** Counts rows by spans of the cursor field, as the contract says. */
export async function countRows(session: Session, stream: Stream, spans: readonly Span[]): Promise<SpanCounts | null> {
  if ((await session.catalog.table(tableNames(stream).table)) === null) return null;
  const what = `count the rows of ${stream.name}`;
  const [counted] = await session.rows({ sql: selectCounts(session.place, stream, spans) }, { what });
  return { rows: spans.map((_, at) => Number(counted![`c${at}`])), undated: Number(counted!.undated) };
}

/** Finds rows by their keys, as the contract says. */
export async function cursorsOf(
  session: Session,
  stream: Stream,
  keys: readonly RowValues[],
): Promise<(string | null | undefined)[]> {
  const found: (string | null | undefined)[] = keys.map(() => undefined);
  if ((await session.catalog.table(tableNames(stream).table)) === null) return found;
  const parameters = Object.fromEntries(
    stream.primaryKey.map((_, at) => [`k${at}`, keys.map((key) => String(key[at]))]),
  );
  const statement = { sql: selectCursors(session.place, stream), parameters };
  for (const row of await session.rows(statement, { what: `look for rows of ${stream.name}` })) {
    found[Number(row.place)] = row.cursor as string | null;
  }
  return found;
}

export function selectCounts(place: Place, stream: Stream, spans: readonly Span[]): string {
  const cursor = quote(stream.cursor);
  const counts = spans.map(({ since, until }, at) => {
    const from = since === null ? '' : `${cursor} >= ${instant(since)} and `;
    return `,\n  countif(${from}${cursor} < ${instant(until)}) as c${at}`;
  });
  return `select countif(${cursor} is null) as undated${counts.join('')}
from ${inPlace(place, tableNames(stream).table)}
where \`_deleted_at\` is null`;
}

/** A list of values for each column of the key: `@k0`, `@k1` and so on. */
export function selectCursors(place: Place, stream: Stream): string {
  const types = new Map(nativeColumns(stream).map(({ name, type }) => [name, type]));
  const same = stream.primaryKey.map((name, at) => {
    const value = at === 0 ? 'k0' : `@k${at}[offset(place)]`;
    const type = types.get(name)!;
    return `t.${quote(name)} = ${type === 'STRING' ? value : `cast(${value} as ${type})`}`;
  });
  return `select place, t.${quote(stream.cursor)} as \`cursor\`
from unnest(@k0) as k0 with offset as place
join ${inPlace(place, tableNames(stream).table)} t on ${same.join(' and ')}
where t.\`_deleted_at\` is null`;
}

const instant = (text: string) => `timestamp ${literal(text)}`;
