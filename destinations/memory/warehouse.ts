import { randomUUID } from 'node:crypto';
import type { Value } from '../../schemas/row.ts';
import type { RunRecord } from '../contract.ts';
import type { LedgerEntry } from '../ledger.ts';

/** One stored row: a value by each column's name. */
export type StoredRow = ReadonlyMap<string, Value>;

/** What tells two versions of a row apart: the version column's value (null lowest), then the time of reading. */
export interface Version {
  readonly value: Value;
  readonly syncedAt: string;
}

export interface StoredTable {
  /** Never the same again once the table was made anew. */
  readonly identity: string;
  /** The key's columns, by which `rows` is keyed. */
  key: readonly string[];
  /** The type of each column by its name, the stream's and whatever else was added. */
  readonly columns: Map<string, string>;
  /** By `keyText`. */
  rows: Map<string, StoredRow>;
}

export interface StoredProgress {
  /** The position's JSON text, or null while only a run's token is stored. */
  document: string | null;
  token: number;
  runId: string;
  updatedAt: string;
}

export interface StoredReject {
  readonly stream: string;
  readonly record: string;
  readonly reason: string;
  readonly runId: string;
  readonly seenAt: string;
}

/** A run that holds a lock: alone, or together with the other ones of so many tasks. */
export interface LockHolder {
  readonly runId: string;
  readonly startedAt: string;
  readonly tasks: number | null;
}

/** What outlives every run: open it with `memoryDestination` as often as there are runs. A test may look at it and tamper with it. */
export interface MemoryWarehouse {
  /** By stream, as are `positions` and `seen`. */
  readonly tables: Map<string, StoredTable>;
  readonly positions: Map<string, StoredProgress>;
  /** The keys that an open full refresh has brought, with the newest version of each that it brought. */
  readonly seen: Map<string, Map<string, Version>>;
  /** By the reject's id. */
  readonly rejects: Map<string, StoredReject>;
  readonly runs: Map<string, RunRecord>;
  /** By input and line. */
  readonly pushes: Map<string, LedgerEntry>;
  /** By stream, or the ledger's name: who holds it. */
  readonly locks: Map<string, readonly LockHolder[]>;
  /** Ends the locks of a run that died, or of one that sleeps so long that its lock ran out. All runs' without `runId`. */
  releaseLocks(runId?: string): void;
  dropTable(stream: string): void;
  truncateTable(stream: string): void;
  /** Puts a table with the same rows and columns in its place, as `alter table ... rename` would. */
  swapTable(stream: string): void;
}

export function memoryWarehouse(): MemoryWarehouse {
  const tables: MemoryWarehouse['tables'] = new Map();
  const locks: MemoryWarehouse['locks'] = new Map();
  return {
    tables,
    positions: new Map(),
    seen: new Map(),
    rejects: new Map(),
    runs: new Map(),
    pushes: new Map(),
    locks,
    releaseLocks(runId) {
      for (const [stream, holders] of locks) {
        const left = runId === undefined ? [] : holders.filter((holder) => holder.runId !== runId);
        if (left.length > 0) locks.set(stream, left);
        else locks.delete(stream);
      }
    },
    dropTable: (stream) => void tables.delete(stream),
    truncateTable: (stream) => tables.get(stream)?.rows.clear(),
    swapTable(stream) {
      const table = tables.get(stream);
      if (table) tables.set(stream, { ...newTable(table.key, table.columns), rows: new Map(table.rows) });
    },
  };
}

export function newTable(key: readonly string[], columns: ReadonlyMap<string, string>): StoredTable {
  return { identity: randomUUID(), key, columns: new Map(columns), rows: new Map() };
}

/** A row's key as one text: `5` and `'5'` differ, and so do names in another case or with a space at the end. */
export function keyText(key: readonly string[], row: StoredRow): string {
  return JSON.stringify(
    key.map((column) => row.get(column) ?? null),
    (_, value) => (typeof value === 'bigint' ? { integer: value.toString() } : value),
  );
}
