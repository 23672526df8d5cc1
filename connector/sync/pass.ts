import type { Batching } from '../../destinations/contract.ts';
import { asFailure, type Failure } from '../../destinations/failure.ts';
import type { PositionChange, Refresh, Window } from '../../destinations/position.ts';
import type { StreamContext } from './context.ts';
import { createLane } from './lane.ts';
import type { TaskPart } from './part.ts';
import { pageReader } from './reader.ts';
import { walk } from './walker.ts';
import { BEGINNING_OF_DATA } from './windows.ts';

const POLLS_A_BATCH = 20;
const MOST_POLL_MS = 5_000;

/** How often a task looks at a stream's position, in milliseconds. */
export function pollMsOf({ seconds }: Batching): number {
  return Math.min(MOST_POLL_MS, (seconds * 1000) / POLLS_A_BATCH);
}

/** At most this many windows of a stream are unfinished at once: the position stays one small document. */
const MOST_WINDOWS = 64;

export interface PassOptions {
  readonly batching: Batching;
  /** The unfinished windows to read to their end. Several only when the stored position has them already. */
  readonly windows: readonly Window[];
  /** What the position must become before any of them is recorded: goes with the first batch. */
  readonly changes: readonly PositionChange[];
  readonly refresh: Refresh | null;
  /** Of a task: whether it waits for the windows that others walk. */
  readonly waits?: boolean;
  /** Called after each commit with what is durable now. */
  readonly committed: (changes: readonly PositionChange[]) => void;
}

/**
 * Reads windows to their end, several at once, and commits what they bring. When it fails or is stopped, the pages that have
 * arrived are committed before it throws: a crash costs time, a failure not even that.
 *
 * @returns how many pages were read.
 */
export async function readWindows(context: StreamContext, options: PassOptions): Promise<number> {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const inner: StreamContext = { ...context, signal };
  const readPage = pageReader(inner);
  const { limiter, counts, part, timing } = context;

  let failure: { error: unknown } | null = null;
  const fail = (error: unknown) => {
    failure ??= { error };
    stop.abort(error);
  };

  const lanes = Array.from({ length: options.batching.lanes }, () =>
    createLane({
      context: inner,
      batching: options.batching,
      refresh: options.refresh,
      failed: fail,
      committed: options.committed,
    }),
  );
  for (const change of options.changes) lanes[0]!.change(change);

  let beginning: Promise<string> | null = null;
  const askBeginning = async () => {
    try {
      const page = await readPage({ since: null, until: null, cursor: null, limit: 1 });
      page.release();
      return page.last ?? BEGINNING_OF_DATA;
    } catch {
      return BEGINNING_OF_DATA;
    }
  };

  const walks = new Set<Promise<void>>();
  let pages = 0;
  const begin = (window: Window): void => {
    const lane = lanes.reduce((least, other) => (other.windows < least.windows ? other : least));
    const leave = limiter.join();
    lane.windows++;
    counts.windows++;
    context.happened({ type: 'window begun', window });
    let ended: Failure | null = null;
    const started = walk({
      context: inner,
      window,
      lane,
      readPage: async (...asked) => {
        const page = await readPage(...asked);
        pages++;
        return page;
      },
      idle: () => Math.min(limiter.idle, room()),
      wanted: () => Math.min(part?.wanted ?? 0, room()),
      room,
      start: begin,
      beginning: () => {
        beginning ??= askBeginning();
        return beginning;
      },
    })
      .catch((error) => {
        if (!signal.aborted) ended = asFailure(error);
        fail(error);
      })
      .finally(() => {
        context.happened({ type: 'window ended', window, failure: ended });
        leave();
        lane.windows--;
        counts.windows--;
        walks.delete(started);
      });
    walks.add(started);
  };

  const room = () => Math.max(0, MOST_WINDOWS - Math.max(walks.size, part?.position?.windows.length ?? 0));
  const flush = () => Promise.all(lanes.map((lane) => lane.flush().catch(fail)));

  /** Looks every so often what there is to do for a task beside its own windows, until all have ended or nothing is left for it. */
  async function walkTogether(held: TaskPart): Promise<void> {
    const pollMs = pollMsOf(options.batching);
    let none: Promise<void> | null = null;
    const forget = () => {
      none = null;
    };
    while (failure === null) {
      const ended = new AbortController();
      const polled = timing.sleep(pollMs, AbortSignal.any([signal, ended.signal])).catch(() => {});
      none ??= untilNone(walks).then(forget);
      await Promise.race([polled, none]);
      ended.abort();
      signal.throwIfAborted();
      if (walks.size === 0) await flush();
      await held.renewIfDue();
      if (failure !== null) return;
      const most = Math.min(limiter.idle, MOST_WINDOWS - walks.size);
      for (const window of await held.take(most, options.refresh)) begin(window);
      if (walks.size > 0) continue;
      if (!options.waits || held.position === null || held.position.windows.length === 0) return;
      await timing.sleep(pollMs, signal);
    }
  }

  try {
    for (const window of options.windows) begin(window);
    if (part !== null) await walkTogether(part).catch(fail);
    while (walks.size > 0) await Promise.race(walks);
    await flush();
  } finally {
    for (const lane of lanes) lane.close();
  }
  if (failure !== null) throw (failure as { error: unknown }).error;
  return pages;
}

async function untilNone(walks: ReadonlySet<Promise<void>>): Promise<void> {
  while (walks.size > 0) await Promise.race(walks);
}
