import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Stream } from '../../schemas/stream.ts';
import type { Batching, Destination, Run } from '../contract.ts';
import { changedKey, locked } from '../refusals.ts';
import { countRejects, countRows, cursorsOf } from './count.ts';
import { memoryKinds } from './kinds.ts';
import { memoryLedger } from './ledger.ts';
import { queryRows } from './query.ts';
import { type AtStep, memoryTable } from './table.ts';
import { type MemoryWarehouse, memoryWarehouse } from './warehouse.ts';
import { checkTypes, widen } from './widen.ts';

const LOCK_POLL_MS = 20;

export interface MemoryOptions {
  readonly batching?: Partial<Batching>;
  /** Called at each named step of each write: may wait, or throw, and then the write goes no further. */
  readonly at?: AtStep;
  /** How long `open` waits for locks. Default 0: those of a dead run are not waited for, but ended by `releaseLocks`. */
  readonly lockWaitMs?: number;
  /** Our clock, for what people read (`updated_at` of a position). */
  readonly now?: () => string;
}

/**
 * A destination in memory: the rules of the contract in their plainest form. It serves tests and simulations; what it keeps is in
 * the warehouse, which outlives it, so that a next run may open the same one.
 */
export function memoryDestination(
  warehouse: MemoryWarehouse = memoryWarehouse(),
  { batching, at = () => {}, lockWaitMs = 0, now = systemClock }: MemoryOptions = {},
): Destination {
  let lockedBy: string | null = null;

  async function takeLocks<T>(
    names: readonly string[],
    run: Pick<Run, 'id' | 'startedAt' | 'tasks'>,
    taken: () => T,
  ): Promise<T> {
    const tasks = run.tasks ?? null;
    const deadline = performance.now() + lockWaitMs;
    for (;;) {
      const other = names.flatMap((stream) => {
        const holder = holdersOf(stream).find((one) => tasks === null || one.tasks !== tasks);
        return holder === undefined ? [] : [{ stream, ...holder }];
      })[0];
      if (other === undefined) break;
      if (performance.now() >= deadline) throw locked(`stream ${other.stream}`, { ...other, since: other.startedAt });
      await sleep(LOCK_POLL_MS);
    }
    const own = { runId: run.id, startedAt: run.startedAt, tasks };
    for (const name of names) warehouse.locks.set(name, [...holdersOf(name), own]);
    lockedBy = run.id;
    return taken();
  }

  const holdersOf = (stream: string) => warehouse.locks.get(stream) ?? [];

  function releaseLocks(): void {
    if (lockedBy !== null) warehouse.releaseLocks(lockedBy);
    lockedBy = null;
  }

  function bringUpToDate(streams: readonly Stream[], run: Run): void {
    const existing = streams.flatMap((stream) => {
      const table = warehouse.tables.get(stream.name);
      return table ? [{ stream, table }] : [];
    });
    for (const { stream, table } of existing) {
      if (!run.fullRefresh.has(stream.name) && !isDeepStrictEqual(table.key, stream.primaryKey)) {
        throw changedKey(stream, table.key);
      }
      checkTypes(table, stream);
    }
    for (const { stream, table } of existing) widen(table, stream, run);
  }

  /** Gives the streams to this run, whose locks it has just taken; those that it holds with other tasks are theirs already. */
  function claim(streams: readonly Stream[], run: Run): ReadonlyMap<string, number> {
    const next = 1 + Math.max(0, ...[...warehouse.positions.values()].map((stored) => stored.token));
    const tokens = streams.map(({ name }) => {
      const stored = warehouse.positions.get(name);
      const token = stored !== undefined && holdersOf(name).length > 1 ? stored.token : next;
      const document = stored?.document ?? null;
      warehouse.positions.set(name, { document, token, runId: run.id, updatedAt: now() });
      return [name, token] as const;
    });
    return new Map(tokens);
  }

  return {
    kinds: memoryKinds,
    batching: { lanes: 2, rows: 10_000, bytes: 8_000_000, seconds: 5, budget: 64_000_000, ...batching },
    async check() {},
    async open(streams, run) {
      const tokens = await takeLocks(
        streams.map(({ name }) => name),
        run,
        () => claim(streams, run),
      );
      try {
        bringUpToDate(streams, run);
        const table = (stream: Stream) =>
          memoryTable({ warehouse, stream, run, token: tokens.get(stream.name)!, at, now });
        return new Map(streams.map((stream) => [stream.name, table(stream)]));
      } catch (error) {
        releaseLocks();
        throw error;
      }
    },
    async positions() {
      return [...warehouse.positions].flatMap(([stream, { document, runId, updatedAt }]) =>
        document === null ? [] : [{ stream, document, runId, updatedAt }],
      );
    },
    count: async (stream, spans) => countRows(warehouse, stream, spans),
    cursors: async (stream, keys) => cursorsOf(warehouse, stream, keys),
    runs: {
      begin: async (record) => void warehouse.runs.set(record.runId, record),
      end: async (record) => void warehouse.runs.set(record.runId, record),
      async recent(limit) {
        const newestFirst = [...warehouse.runs.values()].sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
        return newestFirst.slice(0, limit);
      },
      rejects: async (runIds) => countRejects(warehouse, runIds),
    },
    ledger: memoryLedger(warehouse, (run) => takeLocks(['_cleargrid_pushes'], run, () => {})),
    query: (sql) => queryRows(warehouse, sql),
    // Nothing that it does has a price.
    costs: async () => null,
    estimate: async () => null,
    close: async () => releaseLocks(),
  };
}

function systemClock(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
