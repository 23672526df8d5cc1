import type { Refresh } from '../position.ts';
import { makeTable, promote, replaceKey } from './ddl.ts';
import { isKeyedBy, type Layout, readLayout } from './layout.ts';
import { type Repeated, removeCollided } from './repeated.ts';
import type { Session } from './session.ts';
import { createSeen, type Names } from './sql.ts';

export interface Settled {
  readonly layout: Layout;
  /** Rows that lost their place because the key was changed. */
  readonly collided: Repeated['rejects'];
}

/**
 * Makes the table what a batch needs, by a transaction that holds the position: it is there, has the stream's key once a refresh
 * compares its rows, and the keys that a refresh has seen begin with none.
 *
 * A first load begins in a table without key and under another name, if nothing has the table's own. A suspected key
 * needs every row to be compared as it comes, so its stream does without.
 */
export async function settleTable(
  session: Session,
  names: Names,
  refresh: Refresh | null,
  forgetsSeen: boolean,
): Promise<Settled> {
  const { stream, schema } = names;
  const read = async () => (await readLayout(session, schema, stream))!;
  let collided: Repeated['rejects'] = [];
  let layout = await readLayout(session, schema, stream);
  if (layout === null) {
    await makeTable(session, names, stream.suspectKey === null);
    layout = await read();
  }
  if (refresh !== null && layout.isLoading) {
    await promote(session, names);
    layout = await read();
  }
  if (refresh !== null && !isKeyedBy(layout, stream.primaryKey)) {
    collided = (await removeCollided(session, names)).rejects;
    await replaceKey(session, names, layout);
    layout = await read();
  }
  if (forgetsSeen) {
    await session.run(`drop table if exists ${names.seen}${layout.isLoading ? '' : `, ${names.loading}`}`);
    if (refresh !== null) await session.run(createSeen(names));
    layout = { ...layout, hasSeen: refresh !== null };
  }
  return { layout, collided };
}
