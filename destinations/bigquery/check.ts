import { randomUUID } from 'node:crypto';
import { deflate, gzipMember } from './gzip.ts';
import { inPlace } from './names.ts';
import type { Session } from './session.ts';

const FIELDS = [{ name: 'id', type: 'INT64', mode: 'NULLABLE' }];

/**
 * Does what a sync does, small: makes a table, loads a row, merges it in a transaction, and takes everything away again.
 *
 * @throws {Failure} naming what is missing.
 */
export async function checkRights(session: Session): Promise<void> {
  const made = (await session.catalog.dataset()) === null;
  if (made) await session.catalog.createDataset();
  const name = `_cleargrid_check_${randomUUID().slice(0, 8)}`;
  try {
    await session.catalog.createTemporary(name, FIELDS, 1);
    const chunks = gzipMember([deflate(Buffer.from('{"id":1}\n'))]);
    await session.load(
      { table: name, schema: FIELDS, chunks, lines: 1, replaces: true },
      { what: 'load a row into a new table' },
    );
    await session.run({ sql: tryTransaction(inPlace(session.place, name)) }, { what: 'merge a row in a transaction' });
  } finally {
    await session.catalog.deleteTable(name).catch(() => {});
    if (made) await session.catalog.deleteDataset().catch(() => {});
  }
}

function tryTransaction(table: string): string {
  return `begin transaction;
merge ${table} t
using (select 2 as id) n
on n.id = t.id
when not matched then insert (id) values (n.id);
commit transaction`;
}
