import { randomUUID } from 'node:crypto';
import type { Stream } from '../../schemas/stream.ts';
import type { Batch, Committed, FinishedRefresh, FinishRefresh, Run, Table } from '../contract.ts';
import { systemError } from '../failure.ts';
import { judgeStored, refreshedPosition, TableReplaced } from '../stored.ts';
import { commitMarking } from './commit-sql.ts';
import type { Costs } from './costs.ts';
import { firstLoad } from './first-load.ts';
import { inPlace, tableNames } from './names.ts';
import { type LoadPage, pageEncoder } from './ndjson.ts';
import { type Progress, type Stored, streamProgress } from './progress.ts';
import { countUnseen, forgetSeen, markUnseen } from './rows-sql.ts';
import type { Session } from './session.ts';
import { totalsOf } from './stage.ts';
import { createTable } from './tables-sql.ts';
import { upsert } from './upsert.ts';
import { identityOf, type Whereabouts } from './whereabouts.ts';

export interface TableOptions {
  readonly session: Session;
  readonly stream: Stream;
  readonly run: Run;
  /** The run's fencing token. */
  readonly token: number;
  readonly costs: Costs;
}

/** What the ways to write a batch share. */
export interface WriteContext extends TableOptions {
  readonly progress: Progress;
  readonly names: ReturnType<typeof tableNames>;
}

/** Somebody stores positions for a stream whose lease this run has: it tries this often to come after. */
const MOST_TRIES = 3;
const MOST_TRIES_OF_TASKS = 30;

const NOTHING_STORED: Stored = { document: null, token: 0, sequence: 0 };

export function bigqueryTable(options: TableOptions): Table {
  const { session, stream, costs } = options;
  const names = tableNames(stream);
  const isShared = options.run.tasks !== undefined;
  const progress = streamProgress({ ...options, runId: options.run.id, isShared });
  const context: WriteContext = { ...options, progress, names };
  const encode = pageEncoder(stream);
  const oneAtATime = queue();

  async function whereabouts(): Promise<Whereabouts> {
    const table = await session.catalog.table(names.table);
    return { table, loading: table === null ? await session.catalog.table(names.loading) : null };
  }

  async function commit({ pages, changes, refresh }: Batch<LoadPage>): Promise<Committed> {
    const totals = totalsOf(pages);
    const once = randomUUID();
    return afterWhatIsStored(async (stored) => {
      const found = await whereabouts();
      const state = judgeStored(stream.name, stored.document, identityOf(found, stored.document), changes);
      const write = found.table === null && refresh === null ? firstLoad : upsert;
      // What a task loads it loads once, whatever others store meanwhile.
      const digest = (what: string) =>
        progress.digest(isShared ? NOTHING_STORED : stored, isShared ? `${what} ${once}` : what);
      return write({ context, found, stored, state, totals, changes, refreshing: refresh !== null, digest });
    });
  }

  async function finishRefresh({ since, until, at, allowMassDelete, part }: FinishRefresh): Promise<FinishedRefresh> {
    const tables = {
      table: inPlace(session.place, names.table),
      seen: inPlace(session.place, names.seen),
      staging: '',
    };
    const sql = commitMarking(session.place, {
      count: countUnseen(stream, tables),
      mark: markUnseen(stream, tables),
      forget: forgetSeen(tables),
      allowMassDelete,
    });
    const answer = await afterWhatIsStored(async (stored) => {
      const found = await whereabouts();
      const position = refreshedPosition(stream.name, stored.document, identityOf(found, stored.document), part);
      if (found.table === null) {
        const empty = createTable(stream, tables.table, found.loading?.identity ?? null, 'day');
        await session.run({ sql: empty }, { what: `make the table ${stream.name}`, stream: stream.name, costs });
      }
      return progress.advance(stored, JSON.stringify({ ...position, refresh: null }), sql, { since, until, at });
    });
    const { held, unseen, unmarked } = answer;
    if (held === true) return { held: Number(unseen), rows: Number(unmarked) };
    costs.modifications++;
    await session.catalog.deleteTable(names.seen).catch(() => {});
    return { deleted: Number(unseen) };
  }

  /** Works with what is stored, and again with what is stored then where that has changed under the work's hands. */
  async function afterWhatIsStored<T>(work: (stored: Stored) => Promise<T | null>): Promise<T> {
    let isLookedAtAnew = false;
    for (let attempt = 1; attempt <= (isShared ? MOST_TRIES_OF_TASKS : MOST_TRIES); attempt++) {
      try {
        const done = await work(await progress.known());
        if (done !== null) return done;
      } catch (error) {
        // Position and tables are not read at one instant: another task may have finished the first load between.
        if (!isShared || isLookedAtAnew || !(error instanceof TableReplaced)) throw error;
        isLookedAtAnew = true;
      }
    }
    throw systemError(`stream ${stream.name}: something else stores positions for it; nothing was written`);
  }

  return {
    token: String(options.token),
    async position() {
      const [stored, found] = await Promise.all([progress.read(), whereabouts()]);
      const table = identityOf(found, stored.document);
      const holdsRows = table !== null && (await session.catalog.holdsRows(found.table ? names.table : names.loading));
      return { document: stored.document, table, holdsRows };
    },
    prepare: encode,
    // What only holds a task's part does not wait for rows.
    commit: (batch) =>
      isShared && batch.pages.length === 0
        ? commit(batch as Batch<LoadPage>)
        : oneAtATime(() => commit(batch as Batch<LoadPage>)),
    finishRefresh: (request) => oneAtATime(() => finishRefresh(request)),
  };
}

/** Runs what it is given one after the other. */
function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
}
