import type { RowValues } from '../../schemas/row.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { Span, SpanCounts } from '../contract.ts';
import { asValue } from './decode.ts';
import { nativeColumns } from './kinds.ts';
import { readLayout } from './layout.ts';
import type { Session } from './session.ts';
import { literal, namesOf, type Place, quote } from './sql.ts';

/** Counts rows by spans of the cursor field, as the contract says. */
export async function countRows(
  session: Session,
  place: Place,
  stream: Stream,
  spans: readonly Span[],
): Promise<SpanCounts | null> {
  if ((await readLayout(session, place, stream.name)) === null) return null;
  const [counted] = await session.rows(selectCounts(place, stream, spans));
  return { rows: spans.map((_, at) => Number(counted![`c${at}`])), undated: Number(counted!.undated) };
}

/** Finds rows by their keys, as the contract says. */
export async function cursorsOf(
  session: Session,
  place: Place,
  stream: Stream,
  keys: readonly RowValues[],
): Promise<(string | null | undefined)[]> {
  const found: (string | null | undefined)[] = keys.map(() => undefined);
  if ((await readLayout(session, place, stream.name)) === null) return found;
  const types = new Map(nativeColumns(stream).map(({ name, type }) => [name, type]));
  const columns = stream.primaryKey.map((name, at) => ({ name: `k${at}`, type: types.get(name)! }));
  const sought = keys.map((key, at) => [at, ...key]);
  await session.loadRows('sought', [{ name: 'place', type: 'bigint' }, ...columns], sought);
  for (const { place: at, cursor } of await session.rows(selectCursors(place, stream))) {
    found[Number(at)] = asValue(cursor!) as string | null;
  }
  await session.unload('sought');
  return found;
}

export function selectCounts(place: Place, stream: Stream, spans: readonly Span[]): string {
  const cursor = quote(stream.cursor);
  const counts = spans.map(({ since, until }, at) => {
    const from = since === null ? '' : `${cursor} >= ${instant(since)} and `;
    return `,\n  count(*) filter (where ${from}${cursor} < ${instant(until)}) as c${at}`;
  });
  return `select count(*) filter (where ${cursor} is null) as undated${counts.join('')}
from ${namesOf(place, stream.name).table}
where "_deleted_at" is null`;
}

export function selectCursors(place: Place, { name, primaryKey, cursor }: Stream): string {
  return `select s."place", t.${quote(cursor)} as cursor
from temp.main.sought s
join ${namesOf(place, name).table} t on ${primaryKey.map((column, at) => `t.${quote(column)} = s."k${at}"`).join(' and ')}
where t."_deleted_at" is null`;
}

const instant = (text: string) => `${literal(text)}::timestamptz`;
