import { BOOKKEEPING_COLUMNS, type Stream } from '../../schemas/stream.ts';
import type { Run } from '../contract.ts';
import { changedKey, foreignTable, madeEmpty, rowsOfOneKey, wrongColumn } from '../refusals.ts';
import { planWidening, toldOf } from '../widening.ts';
import { codeOf } from './errors.ts';
import { holds, nativeColumns, postgresKinds } from './kinds.ts';
import { isKeyedBy, type Layout, readLayout } from './layout.ts';
import { advisoryKey } from './locks.ts';
import { LOCK_TIMEOUT, type Session } from './session.ts';
import { list, quote } from './sql.ts';
import { addColumns, fillColumns } from './widen.ts';

/** How long a task waits for another one that alters the table of their stream. */
const FELLOW_TIMEOUT = '15min';

/**
 * Brings a stream's table up to date with its declaration, if there is one. Columns that are new get their names and all that they hold at
 * one instant (design rule 16).
 *
 * @throws {Failure} `config_error` when the table cannot serve: another key, a column of a narrower type, a table of somebody else.
 */
export async function upgradeTable(session: Session, schema: string, stream: Stream, run: Run): Promise<void> {
  const isWidened = await altering(async (layout) => {
    checkBookkeeping(stream, layout);
    for (const { name, type } of nativeColumns(stream)) {
      const found = layout.columns.get(name);
      if (found !== undefined && !holds(found, type)) throw wrongColumn(stream, name, found, type);
    }
    const table = tableOf(layout);
    if (!layout.isLoading && !isKeyedBy(layout, stream.primaryKey)) await adopt(session, table, stream, layout, run);
    const widening = planWidening(stream, new Set(layout.columns.keys()), postgresKinds);
    if (widening === null) return false;
    run.note?.(toldOf(stream, widening), stream.name);
    await addColumns(session, table, stream, layout, widening);
    return true;
  });
  if (isWidened !== true) return;
  await altering(async (layout) => {
    const widening = planWidening(stream, new Set(layout.columns.keys()), postgresKinds);
    // Another task has done it meanwhile.
    if (widening === null) return;
    const table = tableOf(layout);
    // Again, in case that somebody has changed the table meanwhile.
    await addColumns(session, table, stream, layout, widening);
    await fillColumns(session, table, stream, layout, widening);
    const empty = widening.empty();
    const holdsRows = (await session.rows(`select from ${table} limit 1`)).length > 0;
    if (holdsRows && empty.length > 0) run.warn(madeEmpty(stream, empty), stream.name);
  });

  /** One transaction, in which no other task alters the table. @returns null where there is no table. */
  async function altering<T>(work: (layout: Layout) => Promise<T>): Promise<T | null> {
    return session.transaction(async () => {
      if (run.tasks !== undefined) await waitForOthers(advisoryKey(schema, `${stream.name} is altered`));
      const layout = await readLayout(session, schema, stream);
      return layout === null ? null : work(layout);
    });
  }

  /** To fill a column takes as long as it takes. */
  async function waitForOthers(key: string): Promise<void> {
    await session.run(`set local lock_timeout = '${FELLOW_TIMEOUT}'`);
    await session.rows('select pg_advisory_xact_lock($1::bigint)', [key], { slow: true });
    await session.run(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
  }

  function tableOf({ name }: Layout): string {
    return `${quote(schema)}.${quote(name)}`;
  }
}

function checkBookkeeping(stream: Stream, { columns }: Layout): void {
  const missing = [...BOOKKEEPING_COLUMNS, ...stream.primaryKey].filter((name) => !columns.has(name));
  if (missing.length === 0) return;
  throw foreignTable(stream, missing);
}

/** A copy that took our table's place has no key: it may serve if the stream's key can be made its own. */
async function adopt(session: Session, table: string, stream: Stream, layout: Layout, run: Run): Promise<void> {
  const key = layout.keys.find(({ primary }) => primary) ?? layout.keys[0];
  if (key !== undefined) {
    if (run.fullRefresh.has(stream.name)) return;
    throw changedKey(stream, key.columns);
  }
  try {
    await session.run(`alter table ${table} add primary key (${list(stream.primaryKey)})`, [], { slow: true });
  } catch (error) {
    if (codeOf(error) !== '23505' && codeOf(error) !== '23502') throw error;
    throw rowsOfOneKey(stream);
  }
}
