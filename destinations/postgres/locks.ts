import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientConfig } from 'pg';
import type { Stream } from '../../schemas/stream.ts';
import type { Run } from '../contract.ts';
import { locked, takenOver } from '../refusals.ts';
import { ensureBookkeeping } from './bookkeeping.ts';
import { claimStreams, positionsTable, selectHolder } from './bookkeeping-sql.ts';
import { untilDone } from './retry.ts';
import { openSession, type Session } from './session.ts';

/**
 * The locks of a run: one session holds an advisory lock for each of its streams, which end with it. What keeps a run that lost them from
 * writing is its token, in the position's row of each stream; the locks only say so before any work is done.
 */
export interface Locks {
  /** The run's fencing token. */
  readonly token: string;
  /** Sees to it that the locks are held; takes them again where their session was lost. @throws {Failure} when another run has them. */
  ensure(): Promise<void>;
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
 * Takes the locks of all streams, and with them a token greater than any before.
 *
 * @throws {LockedFailure} when one of them is taken for longer than 5 s; nothing is locked then.
 */
export async function takeLocks(
  config: ClientConfig,
  schema: string,
  streams: readonly Pick<Stream, 'name'>[],
  run: Pick<Run, 'id' | 'startedAt'>,
): Promise<Locks> {
  const keys = streams.map(({ name }) => advisoryKey(schema, name));
  // What others are told of this run: the name of the session that holds the locks.
  const name = `cleargrid ${run.startedAt}`;
  let session = await lock();
  const token = await claim(session);
  let ensuring: Promise<void> | null = null;

  async function lock(): Promise<Session> {
    const opened = await untilDone(() => openSession(config, name), 20_000);
    try {
      const deadline = performance.now() + LOCK_WAIT_MS;
      for (;;) {
        const taken = await firstTaken(opened, keys);
        if (taken === null) return opened;
        if (performance.now() > deadline) throw await refusal(opened, streams[taken]!, keys[taken]!);
        await sleep(LOCK_POLL_MS);
      }
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  async function claim(held: Session): Promise<string> {
    try {
      await ensureBookkeeping(held, schema);
      return await held.transaction(async () => {
        await held.rows('select pg_advisory_xact_lock($1::bigint)', [advisoryKey(schema, '')]);
        const names = streams.map((stream) => stream.name);
        const claimed = await held.rows(claimStreams(schema), [names, run.id]);
        return claimed[0]?.token ?? '0';
      });
    } catch (error) {
      await held.close();
      throw error;
    }
  }

  async function refusal(asking: Session, stream: Pick<Stream, 'name'>, key: string): Promise<Error> {
    const [holder] = await asking.rows(SELECT_LOCK_SESSION, [key]);
    const since =
      /^cleargrid (\S+)$/.exec(holder?.application_name ?? '')?.[1] ?? holder?.since ?? 'an unknown instant';
    const [claimed] = await asking.rows(selectHolder(schema), [stream.name]).catch(() => []);
    return locked(`stream ${stream.name}`, claimed?.run_id ?? 'unknown', since);
  }

  async function retake(): Promise<void> {
    await session.close();
    session = await lock().catch((error: unknown) => {
      throw (error as Error).name === 'LockedFailure' ? takenOver(streams[0]!) : error;
    });
    const sql = `select "stream" from ${positionsTable(schema)} where "stream" = any($1::text[]) and "token" > $2::bigint`;
    const [lost] = await session.rows(sql, [streams.map((stream) => stream.name), token]);
    if (lost) throw takenOver(streams.find((stream) => stream.name === lost.stream)!);
  }

  return {
    token,
    async ensure() {
      if (!session.isLost) return;
      ensuring ??= retake().finally(() => {
        ensuring = null;
      });
      await ensuring;
    },
    close: () => session.close(),
  };
}

/** Takes all locks or none. @returns null, or the place of the first that is taken. */
async function firstTaken(session: Session, keys: readonly string[]): Promise<number | null> {
  const answers = await session.rows(
    'select k.key::text as key, pg_try_advisory_lock(k.key) as locked from unnest($1::bigint[]) as k(key)',
    [keys],
  );
  const taken = answers.find(({ locked: isOurs }) => isOurs !== 't');
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
