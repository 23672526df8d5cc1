import { hash } from 'node:crypto';
import type { Committed } from '../contract.ts';
import { configError } from '../failure.ts';
import { takenOver } from '../refusals.ts';
import { documentAfter, lostSeenKeys } from '../stored.ts';
import type { TableInfo } from './catalog.ts';
import { type BatchStatements, commitHeld } from './commit-sql.ts';
import { makeTable, type Write } from './first-load.ts';
import { nativeColumns } from './kinds.ts';
import { inPlace, REJECTS, stagingName } from './names.ts';
import { loadSchema } from './ndjson.ts';
import { findsByDay, mergeParts } from './partitions.ts';
import { deleteCollided, selectCollided, selectRepeated } from './repeated-sql.ts';
import { forgetSeen, insertStagedRejects, mergeRows, mergeSeen, type Tables } from './rows-sql.ts';
import { committed, type RepeatedRow, repeatedRows, writeRejects } from './stage.ts';
import { store } from './store.ts';
import type { WriteContext } from './table.ts';
import { createSeen, createTable, replaceKey } from './tables-sql.ts';
import { hasKey } from './upgrade.ts';

/** A batch that was loaded and never written is gone after a day. */
const STAGING_HOURS = 24;

/**
 * Writes a batch into the stream's table: one load into a staging table, then one transaction that merges its rows and stores the
 * position. A batch without rows or rejects is no load.
 *
 * @returns null when the stored position has changed meanwhile.
 */
export async function upsert(write: Write): Promise<Committed | null> {
  const { context, state, totals, changes, refreshing } = write;
  const { session, stream, run, names, costs } = context;
  const table = await readyTable(write);
  const collided = await rekeyed(context, table);
  if (refreshing) await readySeen(write);

  const facts = { table: table.identity, holdsRows: totals.rows > 0 };
  // What cannot be stored fails here, before anything is written.
  documentAfter(state, changes, facts);
  const load = write.digest(`load ${table.identity} ${totals.digest}`);
  const staging = stagingName(stream, hash('sha256', load).slice(0, 16));
  const tables: Tables = {
    table: inPlace(session.place, names.table),
    seen: inPlace(session.place, names.seen),
    staging: inPlace(session.place, staging),
  };
  if (totals.lines > 0) await stage(write, staging, load);
  const repeated = [...collided, ...(await findRepeated(write, tables))];
  await writeRejects(session, stream, run.id, repeated, costs);

  const answer = await store(write, { facts, statements: statementsOf(write, tables) });
  if (answer === null) return null;
  if (totals.rows > 0) costs.modifications++;
  // What is left behind by a failure deletes itself.
  if (totals.lines > 0) await session.catalog.deleteTable(staging).catch(() => {});
  if (state.forgetsSeen && !refreshing) await session.catalog.deleteTable(names.seen).catch(() => {});
  return committed(totals, Number(answer.written), repeated);
}

/** The stream's table; where a refresh begins before a first load has ended, it is made of what has been loaded. */
async function readyTable({ context, found }: Write): Promise<TableInfo> {
  if (found.table !== null) return found.table;
  if (found.loading !== null) {
    const { table } = await makeTable(context, found.loading);
    await context.session.catalog.deleteTable(context.names.loading).catch(() => {});
    return table;
  }
  const { session, stream, names, costs } = context;
  const sql = createTable(stream, inPlace(session.place, names.table), null, 'day');
  await session.run({ sql }, { what: `make the table ${stream.name}`, stream: stream.name, costs });
  const made = await session.catalog.table(names.table);
  if (made === null) throw configError(`BigQuery: the table ${names.table} was dropped while it was made; run again`);
  return made;
}

/** Makes the table's key the stream's: where rows share the new one, the newest keeps it, and the others become rejects. */
async function rekeyed(
  { session, stream, run, names, token, costs }: WriteContext,
  table: TableInfo,
): Promise<RepeatedRow[]> {
  if (hasKey(stream, table)) return [];
  const options = { what: `change the key of ${stream.name}`, stream: stream.name, costs };
  const place = inPlace(session.place, names.table);
  const collided = await session.rows({ sql: selectCollided(stream, place, nativeColumns(stream)) }, options);
  const repeated = repeatedRows(stream, collided);
  await writeRejects(session, stream, run.id, repeated, costs);
  const parameters = { stream: stream.name, token };
  const sql = commitHeld(session.place, [deleteCollided(stream, place)]);
  const [answer] = await session.rows({ sql, parameters }, options);
  if (answer?.committed !== true) throw takenOver(stream);
  await session.run({ sql: replaceKey(stream, place, table.key !== null) }, options);
  return repeated;
}

/** @throws {Failure} `config_error` when the keys that the open refresh has seen are gone. */
async function readySeen({ context, state }: Write): Promise<void> {
  const { session, stream, names, costs } = context;
  if (!state.forgetsSeen) {
    if ((await session.catalog.table(names.seen)) === null) throw lostSeenKeys(stream.name);
    return;
  }
  const sql = createSeen(stream, inPlace(session.place, names.seen));
  await session.run({ sql }, { what: `make the table ${names.seen}`, stream: stream.name, costs });
}

async function stage({ context, totals }: Write, staging: string, digest: string): Promise<void> {
  const { session, stream, costs } = context;
  const { chunks, lines } = totals;
  await session.catalog.createTemporary(staging, loadSchema(stream), STAGING_HOURS);
  const load = { table: staging, schema: loadSchema(stream), chunks, lines, replaces: true };
  await session.load(load, { what: `load ${stream.name}`, digest, stream: stream.name, costs });
}

async function findRepeated({ context, totals, refreshing }: Write, tables: Tables): Promise<RepeatedRow[]> {
  const { session, stream, costs } = context;
  const telling = stream.suspectKey?.by ?? null;
  if (telling === null || totals.rows === 0) return [];
  const sql = selectRepeated(stream, tables, nativeColumns(stream), telling, refreshing);
  const options = { what: `look for rows of one key in ${stream.name}`, stream: stream.name, costs };
  return repeatedRows(stream, await session.rows({ sql }, options));
}

function statementsOf(
  { context: { session, stream }, state, totals, refreshing }: Write,
  tables: Tables,
): BatchStatements {
  const begins = refreshing && state.forgetsSeen;
  const parts = totals.rows === 0 ? [] : mergeParts(stream, totals, refreshing);
  return {
    // A refresh mends what the search by day has missed.
    before: begins ? [...(findsByDay(stream) ? [deleteCollided(stream, tables.table)] : []), forgetSeen(tables)] : [],
    merges: parts.map((part) => mergeRows(stream, tables, nativeColumns(stream), part, refreshing)),
    after: [
      ...(refreshing && totals.rows > 0 ? [mergeSeen(stream, tables)] : []),
      ...(totals.rejects > 0 ? [insertStagedRejects(inPlace(session.place, REJECTS), tables)] : []),
    ],
  };
}
