import { transientError } from '../../destinations/failure.ts';
import type { Position } from '../../destinations/position.ts';
import { type Ended, freeWindows, isLed, PartLost, partsOf } from '../../destinations/tasks.ts';
import type { StreamContext } from './context.ts';
import { earlierBy } from './instants.ts';
import { judgePosition } from './judge.ts';
import { createPart, type TaskPart, type Tasks } from './part.ts';
import { readWindows } from './pass.ts';
import { type StreamOptions, syncStream } from './stream.ts';

/** What one task has read up to its start, another that begins within this time need not read again. */
const BEGUN_TOGETHER_MS = 10_000;

/** Nor must it refresh a stream whose refresh has ended, or goes on, within this time before it begins. */
const REFRESHED_TOGETHER_MS = 60_000;

/** A task that stops, or cannot reach the destination, waits no longer than this to say that it leaves. */
const LEAVING_MS = 3_000;

/**
 * Does what there is to do now for a task on a stream that it shares with others: brings it up to date as the one that leads, walks
 * windows for the one that does, or nothing.
 *
 * @returns whether the stream is up to date for the tasks of this job; if not, it is to be visited again.
 * @throws {Failure} what keeps the stream from it. What another task has taken meanwhile is none of that.
 */
export async function visitStream(context: StreamContext, options: StreamOptions, tasks: Tasks): Promise<boolean> {
  const { table, source, stream, limiter } = context;
  if (!source.hasServerClock) {
    throw transientError(
      `${stream.name}: the server told no time, by which tasks know for how long each of them holds what; try again later`,
    );
  }
  const part = createPart(table, source, tasks);
  const judgement = judgePosition(await table.position(), stream, source.lender, options.fullRefresh);
  if (judgement.verdict !== 'goes on') return take(() => lead(context, options, part));

  const { position } = judgement;
  options.moved(position);
  if (isUpToDate(position, table.token, options)) return true;
  const now = source.now();
  const leaderless = !isLed(position, now);
  if (!leaderless && (limiter.idle === 0 || freeWindows(position, now).length === 0)) return false;
  return take(async () => {
    const windows = await part.join(leaderless, leaderless ? 0 : limiter.idle);
    const joined = part.position!;
    if (partsOf(joined).some(({ id, leads }) => leads && id === part.id)) return lead(context, options, part);
    const { batching } = options;
    const reading = { batching, windows, changes: [], refresh: joined.refresh, committed: () => {} };
    if (windows.length > 0) await readWindows({ ...context, part }, reading);
    return null;
  });

  /** What a part does from when it joins until it leaves. */
  async function take(work: () => Promise<Ended | null>): Promise<boolean> {
    let ended: Ended | null = null;
    try {
      ended = await work();
    } catch (error) {
      if (!(error instanceof PartLost)) throw error;
    } finally {
      const left = part.leave(ended).catch(() => {});
      await Promise.race([left, context.timing.sleep(LEAVING_MS)]);
    }
    return ended !== null;
  }
}

/**
 * Whether another task of this job has done what this one is to do. One of the same token may also have begun long before: then there
 * is news since, and a full refresh to be made.
 */
function isUpToDate({ ended, complete }: Position, token: string, { until, fullRefresh }: StreamOptions): boolean {
  if (ended?.token !== token || complete === null || until === null) return false;
  const isRefreshed = (ended.refreshed ?? '') >= earlierBy(until, REFRESHED_TOGETHER_MS);
  return complete >= earlierBy(until, BEGUN_TOGETHER_MS) && (!fullRefresh || isRefreshed);
}

async function lead(context: StreamContext, options: StreamOptions, part: TaskPart): Promise<Ended> {
  const leading = { ...context, part };
  const refreshes = options.fullRefresh || (await part.read())?.refresh != null;
  await syncStream(leading, options);
  return { token: context.table.token, refreshed: refreshes ? context.source.now() : null };
}
