import type { Destination } from '../../destinations/contract.ts';
import { openDestination } from '../../destinations/open.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { Config } from '../config/schema.ts';
import { destinationOf } from './open.ts';

type Row = Readonly<Record<string, unknown>>;

/** Rows by stream and key. */
export type Rows = ReadonlyMap<Stream, ReadonlyMap<string, Row>>;

/** A column whose value is another than before. */
export interface Change {
  readonly stream: string;
  readonly key: string;
  readonly column: string;
  readonly before: string;
  readonly after: string;
}

/** Reads these rows (by the first column of their key) from the tables. */
export async function readRows(config: Config, keys: ReadonlyMap<Stream, readonly string[]>): Promise<Rows> {
  const destination = await openDestination(destinationOf(config));
  try {
    const rows = new Map<Stream, ReadonlyMap<string, Row>>();
    for (const [stream, wanted] of keys) rows.set(stream, await rowsOf(destination, stream, wanted));
    return rows;
  } finally {
    await destination.close();
  }
}

async function rowsOf(destination: Destination, stream: Stream, wanted: readonly string[]): Promise<Map<string, Row>> {
  const key = stream.primaryKey[0]!;
  const list = wanted.map((value) => `'${value.replaceAll("'", "''")}'`).join(', ');
  const rows = new Map<string, Row>();
  for await (const row of destination.query(
    `select * from "${stream.name}" where "${key}" in (${list}) order by "${key}"`,
  ))
    rows.set(String(row[key]), row);
  return rows;
}

/** What differs, column by column; the time of reading apart, which differs always. */
export function compareRows(before: Rows, after: Rows): Change[] {
  return [...after].flatMap(([stream, rows]) =>
    [...rows].flatMap(([key, row]) =>
      stream.columns
        .map(({ name }) => ({
          stream: stream.name,
          key,
          column: name,
          before: textOf(before.get(stream)?.get(key)?.[name]),
          after: textOf(row[name]),
        }))
        .filter((change) => change.before !== change.after),
    ),
  );
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
