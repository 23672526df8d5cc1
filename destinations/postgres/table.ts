import type { Stream } from '../../schemas/stream.ts';
import type { Buffers } from '../buffers.ts';
import type { Batch, Committed, FinishedRefresh, FinishRefresh, Run, StoredPosition, Table } from '../contract.ts';
import { lostSeenKeys, refreshedPosition, TableReplaced } from '../stored.ts';
import { positionsTable, selectPosition } from './bookkeeping-sql.ts';
import { lockPosition, storePosition, type Writer, writeBatch } from './commit.ts';
import { codeOf, LOCK_NOT_AVAILABLE, postgresFailure } from './errors.ts';
import { loadedColumns } from './kinds.ts';
import { type Layout, readLayout } from './layout.ts';
import type { Locks } from './locks.ts';
import { type PreparedPage, pagePreparer } from './page.ts';
import type { Pool } from './pool.ts';
import type { Retries } from './retry.ts';
import type { Session } from './session.ts';
import { countUnseen, markUnseen, namesOf, quote } from './sql.ts';
import type { Expected } from './write.ts';

export interface TableOptions {
  readonly pool: Pool;
  readonly retries: Retries;
  readonly locks: Locks;
  readonly schema: string;
  readonly stream: Stream;
  readonly run: Run;
  /** The server and database, as messages name them. */
  readonly where: string;
  /** For pages on their way, shared by all streams. */
  readonly buffers: Buffers;
}

/** How long a COPY may wait for its next data before the task that sends it is taken to be frozen. */
const FROZEN_AFTER = '20 seconds';

/**
 * Ends the sessions of fellow tasks that are frozen in the midst of a COPY and hold locks on one of these tables (`$1`): no time limit of the
 * server's ends a COPY that waits for data, and what such a task sent is undone and, once it wakes, written again.
 */
const END_FROZEN = `select pg_terminate_backend(a.pid) from pg_stat_activity a
where a.usename = current_user and a.application_name like 'cleargrid%' and a.pid <> pg_backend_pid()
  and a.state = 'active' and a.wait_event = 'ClientRead' and a.query_start < now() - interval '${FROZEN_AFTER}'
  and exists (
    select from pg_locks l
    where l.pid = a.pid and l.granted and l.locktype = 'relation'
      and l.database = (select oid from pg_database where datname = current_database())
      and l.relation in (select to_regclass(name) from unnest($1::text[]) name)
  )`;

/** Another task may make the table between two statements: its position would seem to be of a table that is gone. */
const ONE_INSTANT = 'set transaction isolation level repeatable read, read only';

/** So many rows marked deleted are never marked without leave, if they are most of the table. */
const MASS_DELETE = { rows: 100, share: 0.5 };

export function postgresTable(options: TableOptions): Table {
  const { pool, retries, locks, schema, stream, run, where, buffers } = options;
  const names = namesOf(schema, stream, loadedColumns(stream));
  const writer: Writer = {
    names,
    runId: run.id,
    get token() {
      return locks.tokenOf(stream.name);
    },
  };
  /** The table as the last commit left it; null once something went wrong, and at the start. */
  let known: Layout | null = null;
  /** What the last batch has shown. At the start, rows of the look-back. */
  let expected: Expected = 'unchanged';

  /** Tries again what passes, with the locks held, and tells what does not in words of ours. */
  async function persistently<T>(work: (session: Session, before: number) => Promise<T>): Promise<T> {
    let isLookedAtAnew = false;
    try {
      return await retries.untilDone(async (before) => {
        await locks.ensure(stream);
        try {
          return await pool.use((session) => work(session, before));
        } catch (error) {
          if (run.tasks !== undefined && codeOf(error) === LOCK_NOT_AVAILABLE) await endFrozen();
          const wasKnown = known !== null;
          known = null;
          // The table is not what it was (another task may have finished its first load, another lane brought a key that was new): a second
          // look tells what has become of it.
          const isOther = isAboutTable(error) || (wasKnown && error instanceof TableReplaced);
          if (isLookedAtAnew || !isOther) throw error;
          isLookedAtAnew = true;
          return await pool.use((session) => work(session, before + 1));
        }
      });
    } catch (error) {
      throw postgresFailure(error, where);
    }
  }

  async function endFrozen(): Promise<void> {
    const tables = [names.table, names.loading, positionsTable(schema)];
    await pool.use((session) => session.rows(END_FROZEN, [tables]));
  }

  async function position(): Promise<StoredPosition> {
    return persistently((session) =>
      session.transaction(async () => {
        await session.run(ONE_INSTANT);
        const layout = await readLayout(session, schema, stream);
        const [stored] = await session.rows(selectPosition(schema, false), [stream.name, stream.name, schema]);
        const any =
          layout === null ? [] : await session.rows(`select from ${quote(schema)}.${quote(layout.name)} limit 1`);
        return { document: stored?.position ?? null, table: layout?.identity ?? null, holdsRows: any.length > 0 };
      }),
    );
  }

  async function commit(batch: Batch<PreparedPage>): Promise<Committed> {
    const begins = batch.changes.some(({ type }) => type === 'begin' || type === 'plan');
    let sent: Committed | null = null;
    return persistently(async (session, before) => {
      const { done, layout, next } = await session.transaction(async () => {
        const isAlone = begins || before > 0;
        const options = { batch, known, expected: before > 0 ? 'unchanged' : expected, sent, isAlone } as const;
        const written = await writeBatch(session, writer, options);
        sent = written.done;
        return written;
      });
      known = layout;
      expected = next;
      return done;
    });
  }

  async function finishRefresh({ since, until, at, allowMassDelete, part }: FinishRefresh): Promise<FinishedRefresh> {
    let sent: FinishedRefresh | null = null;
    return persistently((session) =>
      session.transaction(async () => {
        const { document, identity } = await lockPosition(session, writer, stream.name);
        // A COMMIT that got no answer has ended the refresh.
        if (sent !== null && document !== null && JSON.parse(document).refresh === null) return sent;
        const refreshed = refreshedPosition(stream.name, document, identity, part);
        if (!(await readLayout(session, schema, stream))?.hasSeen) throw lostSeenKeys(stream.name);
        const [counted] = await session.rows(countUnseen(names), [since, until], { slow: true });
        const [unmarked, unseen] = [Number(counted!.unmarked), Number(counted!.unseen)];
        const isMassDelete = unseen >= MASS_DELETE.rows && unseen > unmarked * MASS_DELETE.share;
        if (isMassDelete && !allowMassDelete) return { held: unseen, rows: unmarked };
        const deleted = unseen === 0 ? 0 : await session.run(markUnseen(names), [since, until, at], { slow: true });
        await session.run(`drop table ${names.seen}`);
        await storePosition(session, writer, JSON.stringify({ ...refreshed, refresh: null }));
        sent = { deleted };
        return sent;
      }),
    );
  }

  return {
    get token() {
      return writer.token;
    },
    position,
    prepare: pagePreparer(stream, names.columns, buffers),
    async commit(batch) {
      const { pages } = batch as Batch<PreparedPage>;
      const done = await commit(batch as Batch<PreparedPage>);
      for (const { data } of pages) buffers.giveBack(data);
      return done;
    },
    finishRefresh,
  };
}

/** Undefined table or column, no such key: someone has altered the table. A key that is there: someone has just inserted it. */
function isAboutTable(error: unknown): boolean {
  return /^(42P01|42703|42P10|23505)$/.test(codeOf(error) ?? '');
}
