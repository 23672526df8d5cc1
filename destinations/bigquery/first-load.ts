import type { Committed } from '../contract.ts';
import { configError } from '../failure.ts';
import type { Position, PositionChange } from '../position.ts';
import { documentAfter, type StoredState } from '../stored.ts';
import type { TableInfo } from './catalog.ts';
import { nativeColumns } from './kinds.ts';
import { inPlace, REJECTS } from './names.ts';
import { loadSchema } from './ndjson.ts';
import { MOST_PARTITIONS_A_JOB, partitionColumn } from './partitions.ts';
import type { Stored } from './progress.ts';
import { selectRepeatedLoaded } from './repeated-sql.ts';
import { insertStagedRejects } from './rows-sql.ts';
import { type BatchTotals, committed, type RepeatedRow, repeatedRows, writeRejects } from './stage.ts';
import { store } from './store.ts';
import type { WriteContext } from './table.ts';
import { countLoaded, createTableOf, type Granularity } from './tables-sql.ts';
import type { Whereabouts } from './whereabouts.ts';

/** One batch to write, and what is known before it is. */
export interface Write {
  readonly context: WriteContext;
  readonly found: Whereabouts;
  readonly stored: Stored;
  readonly state: StoredState;
  readonly totals: BatchTotals;
  readonly changes: readonly PositionChange[];
  readonly refreshing: boolean;
  /** What a load of this batch's rows is known by. */
  digest(what: string): string;
}

/** A load that nobody goes on with is gone after a week. */
const LOADING_HOURS = 7 * 24;

/**
 * Writes a batch of a first load: rows are appended to a loading table, then the position is stored. With the batch after which
 * nothing is left to read, the stream's table is made of it, in one statement: no reader ever sees a part of it.
 *
 * @returns null when the stored position has changed meanwhile.
 */
export async function firstLoad(write: Write): Promise<Committed | null> {
  const { context, state, totals, changes } = write;
  const { session, stream, names, costs, run } = context;
  const holdsRows = totals.rows > 0;
  // What cannot be stored fails here, before anything is made.
  const next = documentAfter(state, changes, { table: write.found.loading?.identity ?? null, holdsRows });
  const isLast = (JSON.parse(next) as Position).windows.length === 0;
  if (state.applied && !isLast) return committed(totals, 0, []);

  const loading = write.found.loading ?? (await makeLoading(context));
  await append(write, loading);
  const tables = { table: '', seen: '', staging: inPlace(session.place, names.loading) };
  const statements =
    totals.rejects > 0 ? { after: [insertStagedRejects(inPlace(session.place, REJECTS), tables)] } : {};
  if (!isLast) {
    const facts = { table: loading.identity, holdsRows };
    const answer = await store(write, { facts, statements, isLoading: true });
    return answer && committed(totals, totals.rows, []);
  }
  const made = await makeTable(context, loading);
  await writeRejects(session, stream, run.id, made.repeated, costs);
  const answer = await store(write, { facts: { table: made.table.identity, holdsRows }, statements });
  if (answer === null) return null;
  await session.catalog.deleteTable(names.loading).catch(() => {});
  // Rows that earlier batches brought more than once were counted then: they are taken off here.
  const written = Math.max(0, made.table.rows - (made.loaded - totals.rows));
  return committed(totals, written, made.repeated);
}

async function makeLoading({ session, stream, names }: WriteContext): Promise<TableInfo> {
  await session.catalog.createTemporary(names.loading, loadSchema(stream), LOADING_HOURS);
  const made = await session.catalog.table(names.loading);
  if (made === null) throw configError(`BigQuery: the table ${names.loading} was deleted by somebody else; run again`);
  return made;
}

async function append({ context, totals, digest: digestOf }: Write, { identity }: TableInfo): Promise<void> {
  const { session, stream, names, costs } = context;
  if (totals.lines === 0) return;
  const { chunks, lines } = totals;
  const load = { table: names.loading, schema: loadSchema(stream), chunks, lines, replaces: false };
  const digest = digestOf(`load ${identity} ${totals.digest}`);
  await session.load(load, { what: `load ${stream.name}`, digest, stream: stream.name, costs });
  costs.modifications++;
}

/** A stream's table, made of what has been loaded. */
export interface MadeTable {
  readonly table: TableInfo;
  /** How many rows had been loaded. */
  readonly loaded: number;
  readonly repeated: readonly RepeatedRow[];
}

export async function makeTable(
  { session, stream, names, costs }: WriteContext,
  { identity }: TableInfo,
): Promise<MadeTable> {
  const options = { what: `make the table ${stream.name}`, stream: stream.name, costs };
  const [table, loading] = [inPlace(session.place, names.table), inPlace(session.place, names.loading)];
  const telling = stream.suspectKey?.by ?? null;
  const repeated =
    telling === null
      ? []
      : await session.rows({ sql: selectRepeatedLoaded(stream, loading, nativeColumns(stream), telling) }, options);

  const [counted] = await session.rows({ sql: countLoaded(loading, partitionColumn(stream)) }, options);
  const granularity: Granularity = Number(counted?.days) > MOST_PARTITIONS_A_JOB ? 'month' : 'day';
  await session.run({ sql: createTableOf(stream, table, loading, identity, granularity) }, options);
  costs.modifications++;

  const made = await session.catalog.table(names.table);
  if (made === null || made.madeFrom !== identity) {
    throw configError(
      `BigQuery: a table ${names.table} was made by somebody else while the stream was loaded. Rename or drop it, and run again.`,
    );
  }
  return { table: made, loaded: Number(counted?.rows ?? 0), repeated: repeatedRows(stream, repeated) };
}
