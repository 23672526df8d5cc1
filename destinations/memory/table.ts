import { isDeepStrictEqual } from 'node:util';
import type { Mapping } from '../../schemas/row.ts';
import { type Stream, tableColumns } from '../../schemas/stream.ts';
import type { Batch, Committed, FinishedRefresh, FinishRefresh, Page, Prepared, Run, Table } from '../contract.ts';
import { takenOver } from '../refusals.ts';
import { repeatedKeyReject } from '../repeated-key.ts';
import { documentAfter, judgeStored, lostSeenKeys, refreshedPosition } from '../stored.ts';
import { columnTypes } from './kinds.ts';
import { isDeleted, isNewer, mergeRows, versionOf } from './merge.ts';
import {
  keyText,
  type MemoryWarehouse,
  newTable,
  type StoredProgress,
  type StoredRow,
  type StoredTable,
  type Version,
} from './warehouse.ts';

/** The instants at which a test may fail, kill or delay a write. Until the last of each, nothing of it is stored. */
export type Step =
  | 'before rows'
  | 'between rows and position'
  | 'after commit'
  | 'before marking'
  | 'between marking and position'
  | 'after marking';

export type AtStep = (step: Step, stream: string) => void | Promise<void>;

interface PreparedPage extends Prepared {
  readonly askedAt: string;
  readonly mapping: Mapping;
}

export interface TableOptions {
  readonly warehouse: MemoryWarehouse;
  readonly stream: Stream;
  readonly run: Run;
  /** The run's fencing token. */
  readonly token: number;
  readonly at: AtStep;
  readonly now: () => string;
}

export function memoryTable({ warehouse, stream, run, token, at, now }: TableOptions): Table {
  const { name } = stream;
  const columns = tableColumns(stream);
  const oneAtATime = queue();

  /** The token that is stored is greater once another run has opened this stream. */
  function progress() {
    const stored = warehouse.positions.get(name);
    if (!stored || stored.token > token) {
      throw takenOver(stream);
    }
    return stored;
  }

  function store(stored: StoredProgress, document: string): void {
    warehouse.positions.set(name, { ...stored, document, runId: run.id, updatedAt: now() });
  }

  function asRow(values: Mapping['rows'][number]): StoredRow {
    return new Map(columns.map((column, at) => [column, values[at] ?? null]));
  }

  /** Works everything out and then, in one step that nothing can interrupt, stores it. */
  async function commit({ pages, changes, refresh }: Batch<PreparedPage>, taken?: () => void): Promise<Committed> {
    await at('before rows', name);
    taken?.();
    await at('between rows and position', name);
    const stored = progress();
    const existing = warehouse.tables.get(name) ?? null;
    const state = judgeStored(name, stored.document, existing?.identity ?? null, changes);
    const table = rekeyed(existing ?? newTable(stream.primaryKey, columnTypes(stream)), stream);
    const seen = refresh === null ? null : seenKeys(warehouse, name, state.forgetsSeen);

    const arrivals = pages.flatMap((page) => page.mapping.rows.map(asRow));
    const merged = mergeRows(stream, arrivals, table.rows, seen);
    const repeated = [...table.collided, ...merged.repeated].map((row) => ({
      ...repeatedKeyReject(stream, (column) => row.get(column) ?? null),
      seenAt: row.get('_synced_at') as string,
    }));
    const unusable = pages.flatMap(({ mapping, askedAt: seenAt }) =>
      mapping.rejects.map((reject) => ({ ...reject, seenAt })),
    );
    const rejects = [...unusable, ...repeated];
    const facts = { table: table.stored.identity, holdsRows: arrivals.length > 0 };
    const document = documentAfter(state, changes, facts);

    table.stored.key = stream.primaryKey;
    table.stored.rows = table.rows;
    for (const [key, row] of merged.writes) table.rows.set(key, row);
    warehouse.tables.set(name, table.stored);
    if (state.forgetsSeen) warehouse.seen.delete(name);
    if (seen) warehouse.seen.set(name, seen);
    for (const [key, version] of merged.seen) seen?.set(key, version);
    for (const { id, record, reason, seenAt } of rejects) {
      if (!warehouse.rejects.has(id))
        warehouse.rejects.set(id, { stream: name, record, reason, runId: run.id, seenAt });
    }
    store(stored, document);

    await at('after commit', name);
    const written = merged.writes.size;
    return {
      written,
      unchanged: arrivals.length - written - merged.repeatedArrivals,
      changedFields: sum(pages, ({ mapping }) => mapping.changedFields),
      unparsedDates: sum(pages, ({ mapping }) => mapping.unparsedDates),
      rejects: rejects.length,
      repeatedKeys: repeated.length,
    };
  }

  async function finishRefresh(request: FinishRefresh): Promise<FinishedRefresh> {
    await at('before marking', name);
    await at('between marking and position', name);
    const stored = progress();
    const table = warehouse.tables.get(name);
    const position = refreshedPosition(name, stored.document, table?.identity ?? null, request.part);
    const seen = seenKeys(warehouse, name, false);
    const unmarked = [...(table?.rows ?? [])].filter(([, row]) => !isDeleted(row));
    const unseen = unmarked.filter(([key, row]) => !seen.has(key) && isWithin(row.get(stream.cursor), request));
    if (!request.allowMassDelete && unseen.length >= 100 && unseen.length * 2 > unmarked.length) {
      return { held: unseen.length, rows: unmarked.length };
    }
    for (const [key, row] of unseen) table!.rows.set(key, new Map([...row, ['_deleted_at', request.at]]));
    warehouse.seen.delete(name);
    store(stored, JSON.stringify({ ...position, refresh: null }));
    await at('after marking', name);
    return { deleted: unseen.length };
  }

  return {
    token: String(token),
    async position() {
      const table = warehouse.tables.get(name);
      return {
        document: warehouse.positions.get(name)?.document ?? null,
        table: table?.identity ?? null,
        holdsRows: (table?.rows.size ?? 0) > 0,
      };
    },
    prepare(page: Page): PreparedPage {
      const mapping = page.rows();
      return {
        records: mapping.rows.length + mapping.rejects.length,
        bytes: page.bytes.byteLength,
        askedAt: page.askedAt,
        mapping,
      };
    },
    commit: (batch, taken) => oneAtATime(() => commit(batch as Batch<PreparedPage>, taken)),
    finishRefresh: (request) => oneAtATime(() => finishRefresh(request)),
  };
}

/**
 * The rows by the stream's key, which a full refresh may have changed: where several share the new key, the newest keeps it.
 * A copy, so that a commit that fails leaves the table as it was; only a changed key pays for one.
 */
function rekeyed(stored: StoredTable, stream: Stream) {
  if (isDeepStrictEqual(stored.key, stream.primaryKey)) return { stored, rows: stored.rows, collided: [] };
  const rows = new Map<string, StoredRow>();
  const collided: StoredRow[] = [];
  for (const row of stored.rows.values()) {
    const key = keyText(stream.primaryKey, row);
    const other = rows.get(key);
    const wins =
      !other || isDeleted(other) || (!isDeleted(row) && isNewer(versionOf(stream, row), versionOf(stream, other)));
    if (other) collided.push(wins ? other : row);
    if (wins) rows.set(key, row);
  }
  return { stored, rows, collided };
}

function seenKeys(warehouse: MemoryWarehouse, stream: string, begins: boolean) {
  if (begins) return new Map<string, Version>();
  const seen = warehouse.seen.get(stream);
  if (!seen) throw lostSeenKeys(stream);
  return seen;
}

function isWithin(value: unknown, { since, until }: FinishRefresh): boolean {
  if (typeof value !== 'string') return false;
  return (since === null || value >= since) && (until === null || value < until);
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}

/** Runs what it is given one after the other, as the lock of a position's row does in a database. */
function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
}
