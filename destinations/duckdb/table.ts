import { isDeepStrictEqual } from 'node:util';
import type { Stream } from '../../schemas/stream.ts';
import type { Batch, Committed, FinishedRefresh, FinishRefresh, Page, Prepared, Run, Table } from '../contract.ts';
import { takenOver } from '../refusals.ts';
import { documentAfter, judgeStored, lostSeenKeys, refreshedPosition, replacedTable } from '../stored.ts';
import { insertRejects, REJECT_COLUMNS, selectPosition, updatePosition } from './bookkeeping-sql.ts';
import { nativeColumns } from './kinds.ts';
import { type Mark, makeTable, readLayout, writeMark } from './layout.ts';
import { type DatedReject, repeatedKeys } from './repeated.ts';
import type { Session } from './session.ts';
import {
  countUnseen,
  createSeen,
  dropSeen,
  holdsRows,
  insertRows,
  judgeKeys,
  markUnseen,
  mergeRows,
  mergeSeen,
  namesOf,
  type Place,
} from './sql.ts';
import { rowVectors, type VectorPool, type Vectors } from './vectors.ts';

export interface TableOptions {
  readonly session: Session;
  readonly place: Place;
  readonly stream: Stream;
  readonly run: Run;
  /** The run's fencing token. */
  readonly token: number;
  /** Shared by all streams of the destination. */
  readonly pool: VectorPool;
  /** Lets one transaction at a time write to the file. */
  readonly inTurn: Queue;
  /** Our clock, for what people read. */
  readonly now: () => string;
}

/** Runs what it is given one after the other. */
export type Queue = <T>(work: () => Promise<T>) => Promise<T>;

interface PreparedPage extends Prepared {
  readonly rows: number;
  readonly vectors: Vectors;
  readonly rejects: readonly DatedReject[];
  readonly changedFields: number;
  readonly unparsedDates: number;
}

/** From so many rows on, a page is made into vectors at once. */
const MANY_ROWS = 256;

export function duckdbTable({ session, place, stream, run, token, pool, inTurn, now }: TableOptions): Table {
  const { name } = stream;
  const names = namesOf(place, name);
  const columns = nativeColumns(stream);
  const arriving = columns.slice(0, -1);
  const types = arriving.map(({ type }) => type);
  const repeated = repeatedKeys(session, stream, names, columns);

  async function storedDocument(): Promise<string | null> {
    const [stored] = await session.rows(selectPosition(place), { stream: name });
    if (!stored || Number(stored.token) > token) throw takenOver(stream);
    return stored.position as string | null;
  }

  function storeDocument(document: string): Promise<number> {
    return session.run(updatePosition(place), { stream: name, position: document, run: run.id, at: now() });
  }

  /** The stream's table as it is now, and null where there is none. */
  async function findMark(): Promise<Mark | null> {
    const layout = await readLayout(session, place, name);
    if (layout !== null && layout.mark === null) throw replacedTable(name);
    return layout?.mark ?? null;
  }

  async function commit(batch: Batch<PreparedPage>, taken?: () => void): Promise<Committed> {
    const { pages } = batch;
    await session.allowFor(meanRow(pages));
    await session.load(
      'arrivals',
      arriving,
      pages.map((page) => page.vectors),
    );
    return inTurn(() => {
      // Not before its turn, or one batch of each stream would be held beside what is being read. Rejects are held to the end.
      if (pages.every(({ rejects }) => rejects.length === 0)) taken?.();
      return session.transaction(() => write(batch));
    });
  }

  async function write({ pages, changes, refresh }: Batch<PreparedPage>): Promise<Committed> {
    const refreshing = refresh !== null;
    const document = await storedDocument();
    const found = await findMark();
    const state = judgeStored(name, document, found?.identity ?? null, changes);
    const mark = found ?? (await makeTable(session, place, stream));
    const rejects = pages.flatMap((page) => page.rejects);
    const collided = await rekey(mark);
    if (state.forgetsSeen) await session.run(dropSeen(names));
    if (refreshing) await openSeen(state.forgetsSeen);

    await repeated.before(refreshing);
    const written = await writeArrivals(refreshing);
    const { rejects: shared, arrived } = await repeated.after();
    if (refreshing) await session.run(mergeSeen(stream, names));

    await storeRejects([...rejects, ...collided, ...shared]);
    const arrivals = sum(pages, (page) => page.rows);
    const facts = { table: mark.identity, holdsRows: arrivals > 0 };
    await storeDocument(documentAfter(state, changes, facts));
    return {
      written,
      unchanged: arrivals - written - arrived,
      changedFields: sum(pages, (page) => page.changedFields),
      unparsedDates: sum(pages, (page) => page.unparsedDates),
      rejects: rejects.length + collided.length + shared.length,
      repeatedKeys: collided.length + shared.length,
    };
  }

  async function writeArrivals(refreshing: boolean): Promise<number> {
    const [keys] = await session.rows(judgeKeys(stream, names));
    if (keys!.stored === true) return session.run(mergeRows(stream, names, columns, refreshing));
    return session.run(insertRows(stream, names, columns, { repeated: keys!.repeated === true }));
  }

  /** A full refresh may change the key: then the table holds one row of each new one. */
  async function rekey(mark: Mark): Promise<DatedReject[]> {
    if (isDeepStrictEqual(mark.key, stream.primaryKey)) return [];
    const collided = await repeated.removeCollided(mark.key);
    await writeMark(session, place, stream, mark.identity);
    return collided;
  }

  async function openSeen(begins: boolean): Promise<void> {
    if (begins) await session.run(createSeen(stream, names, columns));
    else if ((await readLayout(session, place, `_cleargrid_seen_${name}`)) === null) throw lostSeenKeys(name);
  }

  async function storeRejects(rejects: readonly DatedReject[]): Promise<void> {
    if (rejects.length === 0) return;
    const rows = rejects.map(({ id, record, reason, seenAt }) => [id, record, reason, seenAt]);
    await session.loadRows('rejects', REJECT_COLUMNS, rows);
    await session.run(insertRejects(place), { stream: name, run: run.id });
  }

  async function finishRefresh({ since, until, at, allowMassDelete }: FinishRefresh): Promise<FinishedRefresh> {
    const document = await storedDocument();
    const mark = await findMark();
    const position = refreshedPosition(name, document, mark?.identity ?? null, undefined);
    await openSeen(false);
    const [counts] = await session.rows(countUnseen(stream, names), { since, until });
    const [unmarked, unseen] = [Number(counts!.unmarked), Number(counts!.unseen)];
    if (!allowMassDelete && unseen >= 100 && unseen * 2 > unmarked) return { held: unseen, rows: unmarked };
    const deleted = unseen === 0 ? 0 : await session.run(markUnseen(stream, names), { since, until, at });
    await session.run(dropSeen(names));
    await storeDocument(JSON.stringify({ ...position, refresh: null }));
    return { deleted };
  }

  const oneAtATime = queue();
  return {
    token: String(token),
    position: () =>
      oneAtATime(async () => {
        const [stored] = await session.rows(selectPosition(place), { stream: name });
        const layout = await readLayout(session, place, name);
        const [rows] = layout === null ? [] : await session.rows(holdsRows(names));
        return {
          document: (stored?.position ?? null) as string | null,
          table: layout?.mark?.identity ?? null,
          holdsRows: rows?.holds === true,
        };
      }),
    prepare(page: Page): PreparedPage {
      const { rows, rejects, changedFields, unparsedDates } = page.rows();
      const vectors =
        rows.length < MANY_ROWS ? rowVectors(types, rows, page.bytes.byteLength) : pool.encode(types, rows);
      return {
        records: rows.length + rejects.length,
        bytes: vectors.bytes + sum(rejects, ({ record }) => record.length),
        rows: rows.length,
        vectors,
        rejects: rejects.map((reject) => ({ ...reject, seenAt: page.askedAt })),
        changedFields,
        unparsedDates,
      };
    },
    commit: (batch, taken) =>
      oneAtATime(() => commit(batch as Batch<PreparedPage>, taken).finally(() => session.unload('arrivals'))),
    finishRefresh: (request) => oneAtATime(() => inTurn(() => session.transaction(() => finishRefresh(request)))),
  };
}

/** What a row weighs, in bytes: what counts is how much many of them weigh together. */
const meanRow = (pages: readonly PreparedPage[]) =>
  sum(pages, ({ bytes }) => bytes) /
  Math.max(
    1,
    sum(pages, ({ rows }) => rows),
  );

export function queue(): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
