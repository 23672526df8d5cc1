import type { Stream } from '../../schemas/stream.ts';
import type { Page } from '../contract.ts';
import { nativeColumns } from './kinds.ts';
import { inPlace, quote, tableNames } from './names.ts';
import { pageEncoder, STAGED } from './ndjson.ts';
import { mergeParts } from './partitions.ts';
import { mergeRows } from './rows-sql.ts';
import type { Session } from './session.ts';

/**
 * How many bytes the MERGE of a page would read from the stream's table: the statement that a sync would send, with no rows to
 * merge, because nothing is loaded for it.
 */
export async function estimateMerge(session: Session, stream: Stream, page: Page): Promise<number | null> {
  const { table } = tableNames(stream);
  if ((await session.catalog.table(table)) === null) return null;
  let bytes = 0;
  for (const sql of mergesOfNothing(stream, inPlace(session.place, table), pageEncoder(stream)(page))) {
    const { totalBytesProcessed } = await session.dryRun({ sql }, `estimate the cost of ${stream.name}`);
    bytes += Number(totalBytesProcessed ?? 0);
  }
  return bytes;
}

export function mergesOfNothing(stream: Stream, table: string, batch: Parameters<typeof mergeParts>[1]): string[] {
  const columns = nativeColumns(stream);
  const loaded = columns.filter(({ name }) => name !== '_deleted_at');
  const nothing = [...loaded, { name: STAGED.row, type: 'INT64' }].map(
    ({ name, type }) => `cast(null as ${type}) as ${quote(name)}`,
  );
  const staging = `(select ${nothing.join(', ')})`;
  return mergeParts(stream, batch, false).map((part) =>
    mergeRows(stream, { table, seen: '', staging }, columns, part, false),
  );
}
