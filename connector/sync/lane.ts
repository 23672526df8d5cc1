import type { Batch, Batching, Prepared } from '../../destinations/contract.ts';
import { asFailure } from '../../destinations/failure.ts';
import type { PositionChange, Refresh, Window } from '../../destinations/position.ts';
import type { ReadyPage, StreamContext } from './context.ts';
import { countCommit } from './context.ts';

/**
 * Collects pages of its windows, in order, and commits them in batches, one commit at a time. A batch ends by bytes, rows or seconds, when
 * someone waits for memory, or when it is flushed.
 */
export interface Lane {
  /** Takes a page and what the position is once it is written. */
  add(page: ReadyPage, changes: readonly PositionChange[]): void;
  /** Takes a change of the position alone. */
  change(change: PositionChange): void;
  /**
   * Cuts the window that ends at `until` into these, the first of which goes on where its walk stands, and resolves when that is durable:
   * then others may walk the rest. The batch that is being collected is not held up: it is written when it would have been.
   *
   * @throws {Failure} when a commit failed, this one or one before.
   */
  cut(until: string | null, becomes: readonly [Window, Window, ...Window[]]): Promise<void>;
  /** Resolves when all that was taken is durable. @throws {Failure} when a commit failed, this one or one before. */
  flush(): Promise<void>;
  /** How many windows the lane has. */
  windows: number;
}

interface Open {
  pages: ReadyPage[];
  changes: PositionChange[];
  rows: number;
  bytes: number;
  /** Set when `seconds` have passed. */
  due: boolean;
  cancelTimer: () => void;
}

export interface LaneOptions {
  readonly context: StreamContext;
  readonly batching: Batching;
  readonly refresh: Refresh | null;
  /** Called once when a commit fails: nothing that comes later is committed. */
  readonly failed: (error: unknown) => void;
  /** Called after each commit with the changes that are durable now. */
  readonly committed: (changes: readonly PositionChange[]) => void;
}

export function createLane({ context, batching, refresh, failed, committed }: LaneOptions): Lane & { close(): void } {
  const { table, budget, timing } = context;
  let open = emptyBatch();
  let commits: Promise<void> = Promise.resolve();
  let underWay = 0;
  let broken: { error: unknown } | null = null;

  const full = () => open.rows >= batching.rows || open.bytes >= batching.bytes;
  const isEmpty = () => open.pages.length === 0 && open.changes.length === 0;

  function startTimer(): void {
    const stop = new AbortController();
    const batch = open;
    batch.cancelTimer = () => stop.abort();
    timing.sleep(batching.seconds * 1000, stop.signal).then(
      () => {
        batch.due = true;
        sealIfDue();
      },
      () => {},
    );
  }

  /** A full batch is committed in its turn; one that is only due, or in the way, waits until the lane is free, and grows. */
  function sealIfDue(): void {
    if (full() || (underWay === 0 && !isEmpty() && (open.due || budget.pressed))) seal();
  }

  function seal(): void {
    if (isEmpty()) return;
    const batch = open;
    open = emptyBatch();
    batch.cancelTimer();
    underWay++;
    commits = commits.then(() => write(batch));
  }

  function commitAlone(changes: PositionChange[]): void {
    underWay++;
    commits = commits.then(() => write({ ...emptyBatch(), changes }));
  }

  async function write(batch: Open): Promise<void> {
    const pages = batch.pages.length;
    const began = timing.monotonic();
    const release = () => {
      for (const page of batch.pages) page.release();
    };
    try {
      if (broken !== null) return;
      const done = await table.commit(asBatch(batch), release);
      context.happened({ type: 'committed', ms: timing.monotonic() - began, pages, done });
      countCommit(context.counts, done);
      committed(batch.changes);
      context.progressed(null);
    } catch (error) {
      broken = { error };
      const failure = asFailure(error);
      context.happened({ type: 'not committed', ms: timing.monotonic() - began, pages, failure });
      failed(error);
    } finally {
      underWay--;
      release();
    }
    sealIfDue();
  }

  /** The batch as the destination gets it; what a task commits holds its part in the stream. */
  function asBatch({ pages, changes }: Open): Batch<Prepared> {
    const begins = changes.some(({ type }) => type === 'begin');
    const held = context.part === null || begins ? changes : [context.part.renewal(), ...changes];
    return { pages: pages.map((page) => page.prepared), changes: held, refresh };
  }

  async function settled(): Promise<void> {
    await commits;
    if (broken !== null) throw (broken as { error: unknown }).error;
  }

  const stopListening = budget.onPressure(sealIfDue);

  return {
    windows: 0,
    add(page, changes) {
      if (isEmpty()) startTimer();
      open.pages.push(page);
      open.rows += page.prepared.records;
      open.bytes += page.prepared.bytes;
      open.changes = merge(open.changes, changes);
      sealIfDue();
    },
    change(change) {
      if (isEmpty()) startTimer();
      open.changes = merge(open.changes, [change]);
    },
    async cut(until, [first, ...others]) {
      const [begun, rest] = partition(open.changes, ({ type }) => type === 'begin' || type === 'plan');
      open.changes = rest.map((change) =>
        change.type === 'window' && change.until === until
          ? { ...change, until: first.until, becomes: [first] }
          : change,
      );
      if (isEmpty()) open.cancelTimer();
      commitAlone([...begun, { type: 'cut', until, others }]);
      await settled();
    },
    async flush() {
      seal();
      await settled();
    },
    close() {
      stopListening();
      open.cancelTimer();
      for (const page of open.pages) page.release();
      open = emptyBatch();
    },
  };
}

function emptyBatch(): Open {
  return { pages: [], changes: [], rows: 0, bytes: 0, due: false, cancelTimer: () => {} };
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

/** Appends changes; of a window that only went further, and of values seen, the last word says all. */
export function merge(changes: readonly PositionChange[], added: readonly PositionChange[]): PositionChange[] {
  const merged = [...changes];
  for (const change of added) {
    const at = merged.findIndex((earlier) => replaces(change, earlier));
    if (at !== -1) merged.splice(at, 1);
    merged.push(change);
  }
  return merged;
}

function replaces(change: PositionChange, earlier: PositionChange): boolean {
  if (change.type === 'seen') return earlier.type === 'seen' && change.value >= earlier.value;
  if (change.type !== 'window' || earlier.type !== 'window') return false;
  return earlier.until === change.until && earlier.becomes.length === 1 && earlier.becomes[0]!.until === change.until;
}
