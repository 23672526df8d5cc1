import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientConfig } from 'pg';
import type { Stream } from '../../schemas/stream.ts';
import type { Run } from '../contract.ts';
import { LockedFailure } from '../failure.ts';
import { locked, takenOver, tasksIn } from '../refusals.ts';
import { ensureBookkeeping } from './bookkeeping.ts';
import { claimStreams, selectHolder, selectTokens } from './bookkeeping-sql.ts';
import { startHeartbeat } from './heartbeat.ts';
import type { Pool } from './pool.ts';
import type { Retries } from './retry.ts';
import { openSession, type Session } from './session.ts';

/**
 * The locks of a run: one session holds an advisory lock for each of its streams, which end with it. What keeps a run that lost them from
 * writing is its token, in the position's row of each stream; the locks only say so before any work is done.
 */
export interface Locks {
  /** The fencing token by which the run, or the tasks that it is one of, may write a stream. */
  tokenOf(stream: string): string;
  /** Sees to it that the locks are held; takes them again where their session was lost. @throws {Failure} when another run has this stream's. */
  ensure(stream: Pick<Stream, 'name'>): Promise<void>;
  close(): Promise<void>;
}

/** A dead run's locks end within this time. */
const LOCK_WAIT_MS = 5_000;
const LOCK_POLL_MS = 200;

/** Names our lock among all advisory locks of a database: a schema's stream, or (without stream) the schema. */
export function advisoryKey(schema: string, stream: string): string {
  const digest = hash('sha256', JSON.stringify(['cleargrid', schema, stream]), 'buffer');
  return digest.readBigInt64BE(0).toString();
}

/**
 * Takes the locks of all streams, and with them a token greater than any before. Tasks take them together, and the first of them the token:
 * those that come later have the same.
 *
 * @param shared.pool the other sessions of the run, which are cut where the server is gone.
 * @throws {LockedFailure} when one of them is taken for longer than 5 s; nothing is locked then.
 */
export async function takeLocks(
  config: ClientConfig,
  schema: string,
  streams: readonly Pick<Stream, 'name'>[],
  run: Pick<Run, 'id' | 'startedAt' | 'tasks'>,
  { pool, retries }: { pool: Pick<Pool, 'backends' | 'cut'>; retries: Retries },
): Promise<Locks> {
  const names = streams.map((stream) => stream.name);
  const keys = names.map((name) => advisoryKey(schema, name));
  // What others are told of this run: the name of the session that holds the locks.
  const together = run.tasks === undefined ? '' : ` of ${run.tasks}`;
  const sessionName = `cleargrid ${run.startedAt}${together}`;
  let tokens: ReadonlyMap<string, string> = new Map();
  let session = await lock(takeAll);
  let ensuring: Promise<ReadonlySet<string>> | null = null;
  const endHeartbeat = startHeartbeat(() => session, pool);

  /** Takes the locks and the token. */
  async function takeAll(opened: Session): Promise<number | null> {
    await ensureBookkeeping(opened, schema);
    return opened.transaction(async () => {
      await opened.rows('select pg_advisory_xact_lock($1::bigint)', [advisoryKey(schema, '')]);
      const taken = await firstTaken(opened, keys, together);
      if (taken === null) tokens = await claim(opened);
      return taken;
    });
  }

  /** @param take takes all locks in a session, or none, and gives the place of the first that is taken. */
  async function lock(take: (session: Session) => Promise<number | null>): Promise<Session> {
    const opening = () => openSession(config, sessionName);
    const opened = await retries.untilDone(opening, { patienceMs: 20_000, within: true });
    try {
      const deadline = performance.now() + LOCK_WAIT_MS;
      for (;;) {
        const taken = await take(opened);
        if (taken === null) return opened;
        if (performance.now() > deadline) throw await refusal(opened, streams[taken]!, keys[taken]!);
        await sleep(LOCK_POLL_MS);
      }
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  /** Gives this run the streams that no other task has. Nobody else takes locks meanwhile. */
  async function claim(held: Session): Promise<ReadonlyMap<string, string>> {
    const joined = new Set((await held.rows(SELECT_OTHER_HOLDERS, [keys])).map(({ key }) => key!));
    const free = names.filter((_, at) => !joined.has(keys[at]!));
    if (free.length > 0) await held.rows(claimStreams(schema), [free, run.id]);
    const claimed = await held.rows(selectTokens(schema), [names]);
    return new Map(claimed.map(({ stream, token }) => [stream!, token!]));
  }

  async function refusal(asking: Session, stream: Pick<Stream, 'name'>, key: string): Promise<Error> {
    const [holder] = await asking.rows(SELECT_LOCK_SESSION, [key]);
    const name = holder?.application_name ?? '';
    const since = /^cleargrid (\S+)/.exec(name)?.[1] ?? holder?.since ?? 'an unknown instant';
    const [claimed] = await asking.rows(selectHolder(schema), [stream.name]).catch(() => []);
    return locked(`stream ${stream.name}`, { runId: claimed?.run_id ?? 'unknown', since, tasks: tasksIn(name) });
  }

  /**
   * After its session was lost. A task joins the others again, under whatever token they have by then: what it held meanwhile is told by its
   * parts in the positions.
   *
   * @returns the streams that another run has.
   */
  async function retake(): Promise<ReadonlySet<string>> {
    const { backend } = session;
    await session.close();
    const take = together === '' ? (opened: Session) => firstTaken(opened, keys, together) : takeAll;
    const takeFromOurselves = async (opened: Session) => {
      await opened.rows(END_SESSION, [backend, sessionName]);
      return take(opened);
    };
    try {
      session = await lock(takeFromOurselves);
    } catch (error) {
      if (!(error instanceof LockedFailure)) throw error;
      return new Set(names);
    }
    if (together !== '') return new Set();
    const stored = await session.rows(selectTokens(schema), [names]);
    const lost = stored.filter(({ stream, token }) => token !== tokens.get(stream!));
    return new Set(lost.map(({ stream }) => stream!));
  }

  return {
    tokenOf: (stream) => tokens.get(stream)!,
    async ensure(stream) {
      if (!session.isLost) return;
      ensuring ??= retake().finally(() => {
        ensuring = null;
      });
      if ((await ensuring).has(stream.name)) throw takenOver(stream);
    },
    async close() {
      endHeartbeat();
      await session.close();
    },
  };
}

/**
 * Takes all locks or none: each alone, or together with sessions whose name ends like ours.
 *
 * @param together how the names of sessions end that may have the locks as well; empty: none may.
 * @returns null, or the place of the first that is taken.
 */
async function firstTaken(session: Session, keys: readonly string[], together: string): Promise<number | null> {
  const take = together === '' ? 'pg_try_advisory_lock' : 'pg_try_advisory_lock_shared';
  const answers = await session.rows(
    `select k.key::text as key, ${take}(k.key) as locked from unnest($1::bigint[]) as k(key)`,
    [keys],
  );
  const strangers = together === '' ? [] : await session.rows(SELECT_OTHER_HOLDERS, [keys]);
  const taken =
    answers.find(({ locked: isOurs }) => isOurs !== 't') ??
    strangers.find(({ application_name }) => !application_name?.endsWith(together));
  if (taken === undefined) return null;
  await session.rows('select pg_advisory_unlock_all()');
  return keys.indexOf(taken.key!);
}

/** The session that holds an advisory lock: `$1` key. */
const SELECT_LOCK_SESSION = `select a.application_name,
  to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as since
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_database where datname = current_database())
  and (l.classid::bigint << 32) | l.objid::bigint = $1::bigint and l.objsubid = 1`;

/** A session of our own that the server takes for alive still, though nobody is at its other end: `$1` process, `$2` name. */
const END_SESSION = `select pg_terminate_backend(pid) from pg_stat_activity
where pid = $1::int and application_name = $2 and pid <> pg_backend_pid()`;

/** Who else holds advisory locks: `$1` keys. */
const SELECT_OTHER_HOLDERS = `select ((l.classid::bigint << 32) | l.objid::bigint)::text as key, a.application_name
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_database where datname = current_database())
  and (l.classid::bigint << 32) | l.objid::bigint = any($1::bigint[]) and l.objsubid = 1 and l.pid <> pg_backend_pid()`;
