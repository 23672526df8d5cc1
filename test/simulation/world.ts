import { silentReporter } from '../../connector/report.ts';
import type { StreamSummary } from '../../connector/summary.ts';
import type { Task } from '../../connector/sync/part.ts';
import { syncStreams } from '../../connector/sync/streams.ts';
import type { Batch, Committed, Destination, Table } from '../../destinations/contract.ts';
import { memoryDestination } from '../../destinations/memory/destination.ts';
import type { Step } from '../../destinations/memory/table.ts';
import { memoryWarehouse } from '../../destinations/memory/warehouse.ts';
import type { Position } from '../../destinations/position.ts';
import { integer, text, timestamp } from '../../schemas/kinds.ts';
import type { Value } from '../../schemas/row.ts';
import { defineStream, type Stream } from '../../schemas/stream.ts';
import { instantAt, modelApi } from './model-api.ts';
import { chance, type Process, virtualTime } from './virtual-time.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LOOK_BACK_MS = HOUR / 4;

const columns = { public_id: text, value: integer, created_at: timestamp };

/** The three ways in which a dataset pages. */
const STREAMS: readonly Stream[] = [
  defineStream({
    name: 'changes',
    description: 'paged by change time',
    dataset: { section: 'S1', code: 'D01', paging: 'via' },
    cursor: 'updated_at',
    columns: { ...columns, updated_at: timestamp },
  }),
  defineStream({
    name: 'log',
    description: 'append-only, paged by creation time',
    dataset: { section: 'S3', code: 'D02', paging: 'direct' },
    cursor: 'created_at',
    columns,
  }),
  defineStream({
    name: 'events',
    description: 'paged by event time, and changed later',
    dataset: { section: 'S4', code: 'D03', paging: 'direct' },
    cursor: 'communicated_at',
    columns: { ...columns, communicated_at: timestamp, updated_at: timestamp },
  }),
];

/** What a seed may be asked to do wrong on purpose, to see that it is noticed. */
export interface Sabotage {
  readonly table?: (table: Table) => Table;
}

interface RunSettings {
  readonly fullRefresh: boolean;
  readonly allowMassDelete: boolean;
  readonly startDate: string | null;
  /** Called at each named step of a write; a promise that never resolves kills the run there. */
  readonly at?: (step: Step) => void | Promise<void>;
  readonly signal?: AbortSignal;
  readonly task?: Task;
}

/**
 * Lives through one seed: a lender's API, a warehouse, and a handful of runs that are killed, frozen, stopped, cut off, and given
 * tables that somebody dropped; then a good run, whose outcome must equal the truth.
 *
 * @returns what was wrong, in words; nothing when all is well.
 */
export async function liveThrough(seed: number, sabotage: Sabotage = {}): Promise<string[]> {
  const random = chance(seed);
  const time = virtualTime(random);
  time.pass(60 * DAY);
  const api = modelApi({ random, now: time.now, streams: STREAMS, pageSize: 2 + random.below(6) });
  const warehouse = memoryWarehouse();
  const problems: string[] = [];
  let startDate: string | null = random.maybe(0.3) ? instantAt(time.now() - (1 + random.below(40)) * DAY) : null;
  let runs = 0;
  const versions = new Map<string, Map<string, Value | undefined>>();

  for (const dataset of api.datasets.values()) {
    const recent = random.maybe(0.5);
    for (let n = random.below(50); n > 0; n--) {
      api.insert(dataset, time.now() - Math.floor(random.next() ** (recent ? 6 : 1) * 50 * DAY));
    }
    if (random.maybe(0.3)) {
      const instant = time.now() - random.below(20 * DAY);
      for (let n = random.below(30); n > 0; n--) api.insert(dataset, instant);
    }
  }

  function startRun(settings: RunSettings, { clockKnown = !random.maybe(0.15) } = {}) {
    const process = time.process();
    const known = clockKnown;
    const clock = { known, skewMs: known ? -random.below(1000) : random.below(2 * HOUR) - HOUR };
    const source = api.source(process, clock);
    const id = `run-${++runs}`;
    const destination: Destination = memoryDestination(warehouse, {
      batching: {
        lanes: 1 + random.below(3),
        rows: 5 + random.below(30),
        bytes: 20_000,
        seconds: 2 + random.below(10),
        budget: 200_000,
      },
      at: settings.at ? (step) => settings.at!(step) : () => {},
    });
    const outcome = { summaries: null as StreamSummary[] | null, thrown: null as unknown, ended: false };
    const work = async () => {
      const names = new Set(settings.fullRefresh ? STREAMS.map(({ name }) => name) : []);
      const run = { id, command: 'sync', startedAt: source.now(), fullRefresh: names, warn: () => {} };
      const tasks = settings.task?.count;
      const tables = await destination.open(STREAMS, { ...run, ...(tasks !== undefined && { tasks }) });
      const given = [...tables].map(
        ([name, table]) => [name, watched(name, sabotage.table?.(table) ?? table)] as const,
      );
      outcome.summaries = await syncStreams({
        streams: STREAMS.map((stream) => ({ stream, lookBackMs: LOOK_BACK_MS })),
        tables: new Map(given),
        destination,
        source,
        timing: process,
        reporter: silentReporter,
        signal: settings.signal ?? new AbortController().signal,
        concurrency: 1 + random.below(8),
        streamsAtOnce: 1 + random.below(3),
        startDate: settings.startDate,
        fullRefresh: settings.fullRefresh,
        allowMassDelete: settings.allowMassDelete,
        ...(settings.task && { task: settings.task }),
      });
      await destination.close();
    };
    work()
      .catch((error) => {
        outcome.thrown = error;
      })
      .finally(() => {
        outcome.ended = true;
      });
    return { id, process, outcome };
  }

  /** Rows never go back to an older version, but for what a full refresh says; one marked as deleted loses to any (rule 3). */
  function watchVersions({ name, version }: Stream, refreshing: boolean): void {
    if (version === null) return;
    const before = versions.get(name) ?? new Map();
    const live = [...(warehouse.tables.get(name)?.rows ?? [])].filter(([, row]) => row.get('_deleted_at') === null);
    const now = new Map(live.map(([key, row]) => [key, row.get(version)]));
    versions.set(name, now);
    if (refreshing) return;
    for (const [key, value] of now)
      if (value! < before.get(key)!) problems.push(`${name}: ${key} went back to an older version`);
  }

  /**
   * A table that is sometimes given an earlier batch of this run once more, as after a commit without an answer, and whose rows
   * are watched.
   */
  function watched(name: string, table: Table): Table {
    const stream = STREAMS.find((other) => other.name === name)!;
    const batches: Batch[] = [];
    return {
      ...table,
      commit: async (batch) => {
        const done = await table.commit(batch);
        const again = batches.filter(({ refresh }) => refresh?.started === batch.refresh?.started);
        if (again.length > 0 && random.maybe(0.2)) await table.commit({ ...random.pick(again), changes: [] });
        batches.push(batch);
        watchVersions(stream, batch.refresh !== null);
        return done;
      },
    };
  }

  type Started = ReturnType<typeof startRun>;

  /** Lets time pass until these runs have ended, or `enough` says so. */
  async function drive(run: Started | readonly Started[], enough: () => boolean = () => false): Promise<void> {
    const runs = [run].flat();
    const living = () => runs.filter(({ outcome, process }) => !outcome.ended && !process.killed && !process.frozen);
    for (let steps = 0; living().length > 0 && !enough(); steps++) {
      const moved = await time.step();
      const [left] = living();
      if (left === undefined) return;
      if (!moved) return void problems.push(`${left.id} waits for nothing`);
      if (steps > 200_000) return void problems.push(`${left.id} does not end`);
    }
  }

  /** Tasks of one job, some of which are killed, frozen for a while, and started again. */
  async function disturbedJob(base: RunSettings): Promise<void> {
    const count = 2 + random.below(3);
    const start = (index: number) => startRun({ ...base, task: { index, count } }, { clockKnown: true });
    const runs = Array.from({ length: count }, (_, index) => start(index));
    for (let events = random.below(5); events > 0; events--) {
      const patience = time.now() + random.below(4000);
      await drive(runs, () => time.now() > patience);
      const index = random.below(count);
      const run = runs[index]!;
      if (run.outcome.ended || random.maybe(0.5)) {
        if (!run.outcome.ended) kill(run);
        if (random.maybe(0.7)) runs[index] = start(index);
        continue;
      }
      run.process.frozen = !run.process.frozen;
      if (run.process.frozen && random.maybe(0.5)) warehouse.releaseLocks(run.id);
    }
    for (const run of runs) if (random.maybe(0.5)) run.process.frozen = false;
    await drive(runs);
    for (const run of runs) run.process.frozen = false;
    await drive(runs);
    warehouse.releaseLocks();
  }

  const kill = (run: { id: string; process: Process }) => {
    run.process.kill();
    warehouse.releaseLocks(run.id);
  };

  function tamper(): void {
    const stream = random.pick(STREAMS).name;
    versions.delete(stream);
    random.pick([warehouse.dropTable, warehouse.truncateTable, warehouse.swapTable])(stream);
  }

  async function disturbedRun(): Promise<void> {
    api.knobs.faults = random.pick([0, 0.02, 0.1, 0.3]);
    api.knobs.churn = random.pick([0, 0.1, 0.6]);
    if (random.maybe(0.15)) tamper();
    if (startDate !== null && random.maybe(0.2)) {
      startDate = random.maybe(0.5)
        ? null
        : instantAt(Date.parse(startDate) - Date.UTC(2026, 0, 1) - random.below(20) * DAY);
    }
    const base = { fullRefresh: random.maybe(0.3), allowMassDelete: random.maybe(0.5), startDate };
    if (random.maybe(0.25)) return disturbedJob(base);
    const end = random.pick(['well', 'well', 'killed in time', 'killed at a step', 'stopped', 'frozen'] as const);
    const patience = time.now() + random.below(3000);

    if (end === 'killed at a step') {
      let steps = 1 + random.below(20);
      const doomed = startRun({ ...base, at: () => (--steps > 0 ? undefined : new Promise(() => kill(doomed))) });
      return drive(doomed);
    }
    if (end === 'stopped') {
      const stop = new AbortController();
      const stopped = startRun({ ...base, signal: stop.signal });
      await drive(stopped, () => time.now() > patience);
      stop.abort(new Error('stopped'));
      return drive(stopped);
    }
    const run = startRun(base);
    if (end === 'well') return drive(run);
    await drive(run, () => time.now() > patience);
    if (run.outcome.ended) return;
    if (end === 'killed in time') return kill(run);
    run.process.frozen = true;
    warehouse.releaseLocks(run.id);
    await drive(startRun({ ...base, fullRefresh: random.maybe(0.2) }));
    run.process.frozen = false;
    await drive(run);
    warehouse.releaseLocks();
  }

  /** By one run, or by the tasks of a job. */
  async function goodRun(fullRefresh: boolean): Promise<boolean> {
    time.pass(HOUR / 2 + random.below(HOUR));
    const settings = { fullRefresh, allowMassDelete: true, startDate };
    const count = random.maybe(0.2) ? 2 + random.below(3) : 1;
    const runs = Array.from({ length: count }, (_, index) =>
      startRun({ ...settings, ...(count > 1 && { task: { index, count } }) }, { clockKnown: true }),
    );
    await drive(runs);
    for (const { outcome } of runs) {
      if (outcome.thrown) problems.push(`a good run failed: ${outcome.thrown}`);
      for (const { stream, error } of outcome.summaries ?? [])
        if (error) problems.push(`${stream}: a good run failed: ${error.message}`);
    }
    return problems.length === 0;
  }

  const positionOf = (stream: Stream) =>
    JSON.parse(warehouse.positions.get(stream.name)?.document ?? 'null') as Position | null;

  /** Compares each table with what the API would return in full, as far as the position says it should have been read. */
  function compare(everything: boolean): void {
    for (const dataset of api.datasets.values()) {
      const { name } = dataset.stream;
      const from = positionOf(dataset.stream)?.from ?? null;
      const rows = new Map(
        [...(warehouse.tables.get(name)?.rows.values() ?? [])].map((row) => [row.get('public_id'), row]),
      );
      const rejects = [...warehouse.rejects.values()]
        .filter((reject) => reject.stream === name)
        .map(({ record }) => record);
      if (new Set(rejects).size < rejects.length) problems.push(`${name}: a reject is there twice`);
      for (const [id, record] of dataset.records) {
        if (from !== null && api.cursorOf(dataset, record) < from) continue;
        const row = rows.get(id);
        rows.delete(id);
        if (!everything && dataset.hidden.has(id)) continue;
        if (record.public_id === null) {
          if (!rejects.includes(JSON.stringify(record))) problems.push(`${name}: the reject ${id} is missing`);
          continue;
        }
        if (row === undefined) problems.push(`${name}: ${id} is missing`);
        else if (row.get('_deleted_at') !== null) problems.push(`${name}: ${id} is marked deleted and is not`);
        else if (row.get('value') !== record.value) problems.push(`${name}: ${id} is not the newest`);
      }
      if (!everything) continue;
      for (const [id, row] of rows) {
        const outside = from !== null && String(row.get(dataset.stream.cursor)) < from;
        if (row.get('_deleted_at') === null && !outside && !dataset.records.has(String(id))) {
          problems.push(`${name}: ${String(id)} is gone and not marked deleted`);
        }
      }
    }
  }

  for (let round = 1 + random.below(4); round > 0; round--) {
    time.pass(random.below(2 * HOUR));
    for (let changes = random.below(10); changes > 0; changes--) api.churn();
    await disturbedRun();
    if (problems.length > 0) return problems;
    if (!random.maybe(0.4)) continue;
    api.knobs.faults = 0;
    api.knobs.churn = 0;
    if (await goodRun(false)) compare(false);
    if (problems.length > 0) return problems;
  }

  api.knobs.faults = 0;
  api.knobs.churn = 0;
  if (await goodRun(false)) compare(false);
  if (problems.length === 0 && STREAMS.some((stream) => positionOf(stream)?.refresh))
    problems.push('a refresh stays open');
  if (problems.length === 0 && (await goodRun(true))) compare(true);
  return [...problems, ...api.violations];
}

/** What `commit` returns when it wrote nothing. */
export const nothingCommitted: Committed = {
  written: 0,
  unchanged: 0,
  changedFields: 0,
  unparsedDates: 0,
  rejects: 0,
  repeatedKeys: 0,
};
