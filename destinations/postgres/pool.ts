import type { ClientConfig } from 'pg';
import { codeOf } from './errors.ts';
import { openSession, type Session } from './session.ts';

/** Sessions that are opened when needed and used again. */
export interface Pool {
  /** Runs `work` with a session of its own; one that has ended is not used again. */
  use<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function createPool(config: ClientConfig, name: string): Pool {
  const idle: Session[] = [];
  const busy = new Set<Session>();
  const waiting: (() => void)[] = [];

  async function take(): Promise<Session> {
    for (;;) {
      const session = idle.pop();
      if (session === undefined) break;
      if (!session.isLost) return session;
      await session.close();
    }
    try {
      return await openSession(config, name);
    } catch (error) {
      // The server takes no more connections: one of ours will do.
      if (codeOf(error) !== '53300' || busy.size === 0) throw error;
      await new Promise<void>((resolve) => waiting.push(resolve));
      return take();
    }
  }

  return {
    async use(work) {
      const session = await take();
      busy.add(session);
      try {
        return await work(session);
      } finally {
        busy.delete(session);
        if (session.isLost) await session.close();
        else idle.push(session);
        waiting.shift()?.();
      }
    },
    async close() {
      await Promise.all([...idle.splice(0), ...busy].map((session) => session.close()));
    },
  };
}
