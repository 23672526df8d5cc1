import type { Batch, Committed } from '../contract.ts';
import { positionSchema } from '../position.ts';
import { takenOver } from '../refusals.ts';
import { documentAfter, judgeStored, lostSeenKeys } from '../stored.ts';
import { insertRejects, selectPosition, updatePosition } from './bookkeeping-sql.ts';
import { promote } from './ddl.ts';
import { type Layout, readLayout } from './layout.ts';
import type { PreparedPage } from './page.ts';
import type { Session } from './session.ts';
import { type Settled, settleTable } from './settle.ts';
import type { Names } from './sql.ts';
import { type Expected, loadRows, mergePages } from './write.ts';

/** Who writes, and where. */
export interface Writer {
  readonly names: Names;
  readonly runId: string;
  /** The run's fencing token. */
  readonly token: string;
}

/** The stored document, locked by this transaction, and the table that has the name now. */
export interface LockedPosition {
  readonly document: string | null;
  readonly identity: string | null;
}

/** @throws {Failure} when another run has taken the stream over. */
export async function lockPosition(session: Session, { names, token }: Writer, table: string): Promise<LockedPosition> {
  const { schema, stream } = names;
  const [stored] = await session.rows(selectPosition(schema, true), [stream.name, table, schema]);
  if (stored?.token !== token) throw takenOver(stream);
  return { document: stored.position!, identity: stored.identity! };
}

/** The last statement of a transaction: it counts only if the run still holds the stream. */
export async function storePosition(session: Session, writer: Writer, document: string): Promise<void> {
  const { names, runId, token } = writer;
  const stored = await session.run(updatePosition(names.schema), [document, runId, names.stream.name, token]);
  if (stored !== 1) throw takenOver(names.stream);
}

export interface BatchOptions {
  readonly batch: Batch<PreparedPage>;
  /** The table as the last commit left it, or null: then it is looked at. */
  readonly known: Layout | null;
  readonly expected: Expected;
  /** What an earlier attempt did whose COMMIT got no answer, or null. */
  readonly sent: Committed | null;
  /** Whether the position must be locked before anything is written. */
  readonly isAlone: boolean;
}

/**
 * Writes a batch in the caller's transaction: rows, rejects, and the position last. Lanes write their rows side by side and wait for each
 * other only for the position; a batch that changes more than rows locks it first.
 *
 * @returns the table as the commit leaves it, or null where it must be looked at again; and what to expect of the next batch.
 */
export async function writeBatch(
  session: Session,
  writer: Writer,
  { batch, known, expected, sent, isAlone }: BatchOptions,
): Promise<{ readonly done: Committed; readonly layout: Layout | null; readonly next: Expected }> {
  const { names, runId } = writer;
  const { stream, schema } = names;
  const { pages, changes, refresh } = batch;
  const telling = stream.suspectKey?.by ?? null;
  const judge = ({ document, identity }: LockedPosition) => judgeStored(stream.name, document, identity, changes);

  // A refresh that another task has opened since is news.
  const isKnown = known !== null && (refresh === null || known.hasSeen);
  let layout = isKnown ? known : await readLayout(session, schema, stream);
  let collided: Settled['collided'] = [];
  let stored: LockedPosition | null = null;
  const isToBeJudged = refresh !== null && (layout?.isLoading || !layout?.hasSeen);
  if (isAlone || layout === null || telling !== null || isToBeJudged) {
    stored = await lockPosition(session, writer, layout?.name ?? stream.name);
    const state = judge(stored);
    if (state.applied && sent !== null) return { done: sent, layout: null, next: expected };
    ({ layout, collided } = await settleTable(session, names, refresh, state.forgetsSeen));
  }
  if (refresh !== null && !layout.hasSeen) throw lostSeenKeys(stream.name);

  if (layout.isLoading) await session.run('savepoint "unloaded"');
  let rows = layout.isLoading
    ? await loadRows(session, names, pages)
    : await mergePages(session, names, pages, { layout, refresh, telling, expected });
  const repeated = [...collided, ...rows.repeated];
  const rejects = [...repeated, ...pages.flatMap((page) => page.rejects)];
  if (rejects.length > 0) {
    await session.run(insertRejects(schema), [
      rejects.map(({ id }) => id),
      rejects.map(({ record }) => record),
      rejects.map(({ reason }) => reason),
      rejects.map(({ seenAt }) => seenAt),
      stream.name,
      runId,
    ]);
  }

  // What is locked already has been judged; a table that was made since then has no identity in that judgement.
  let state = judge(stored ?? (await lockPosition(session, writer, layout.name)));
  if (state.applied && layout.isLoading) {
    // These rows came with that commit: here they would only be there twice. The lock ends with what is undone.
    await session.run('rollback to savepoint "unloaded"');
    rows = { ...rows, written: 0, unchanged: rows.written };
    state = judge(await lockPosition(session, writer, layout.name));
  }
  const document = documentAfter(state, changes, {
    table: layout.identity,
    holdsRows: rows.written + rows.unchanged > 0,
  });
  const isLoaded = layout.isLoading && positionSchema.parse(JSON.parse(document)).windows.length === 0;
  const removed = isLoaded ? await promote(session, names) : 0;
  await storePosition(session, writer, document);
  return {
    done: {
      written: rows.written - removed,
      unchanged: rows.unchanged + removed,
      changedFields: sum(pages, (page) => page.changedFields),
      unparsedDates: sum(pages, (page) => page.unparsedDates),
      rejects: rejects.length,
      repeatedKeys: repeated.length,
    },
    layout: isLoaded ? null : layout,
    next: rows.next,
  };
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
