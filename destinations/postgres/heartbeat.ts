import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from './pool.ts';
import type { Session } from './session.ts';

const BEAT_MS = 10_000;
const ANSWER_MS = 25_000;

/** An answer that came while this process was frozen is still to be read. */
const GRACE_MS = 1_000;

/** Which of these server processes are there still: `$1`. */
const SELECT_ALIVE = 'select pid::text as pid from pg_stat_activity where pid = any($1::int[])';

/**
 * Asks the server now and then, in a session that has nothing else to do, whether it is still there, and which processes it has of the
 * run's other sessions: those that it has ended, with nobody at the other end being told, are cut. TCP notices a dead peer within 20 s
 * where a connection is silent, but takes a quarter of an hour where something sent was never acknowledged, and Node cannot set that
 * time. Where no answer comes within 26 s, all are cut.
 *
 * @param current the session, which may be another one each time.
 * @param pool the run's other sessions.
 * @returns the end of it.
 */
export function startHeartbeat(current: () => Session, pool: Pick<Pool, 'backends' | 'cut'>): () => void {
  const ended = new AbortController();
  const pause = (ms: number) => sleep(ms, undefined, { ref: false, signal: ended.signal });

  async function beat(session: Session): Promise<void> {
    const backends = pool.backends();
    const heard = session.rows(SELECT_ALIVE, [backends]).then(
      (rows) => new Set(rows.map(({ pid }) => pid!)),
      () => new Set(backends),
    );
    const silence = pause(ANSWER_MS)
      .then(() => pause(GRACE_MS))
      .then(() => null);
    const alive = await Promise.race([heard, silence]);
    if (alive !== null) return pool.cut(new Set(backends.filter((backend) => !alive.has(backend))));
    session.cut();
    pool.cut();
  }

  async function beats(): Promise<void> {
    for (;;) {
      await pause(BEAT_MS);
      const session = current();
      if (!session.isLost) await beat(session);
    }
  }

  beats().catch(() => {});
  return () => ended.abort();
}
