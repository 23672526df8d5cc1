import type { ClientConfig } from 'pg';
import { codeOf } from './errors.ts';
import { openSession, type Session } from './session.ts';

/** Sessions that are opened when needed and used again. */
export interface Pool {
  /** Runs `work` with a session of its own; one that has ended is not used again. */
  use<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** The server's processes of all sessions. */
  backends(): string[];
  /** Ends these connections from this side, or all; new ones are made when they are needed. */
  cut(backends?: ReadonlySet<string>): void;
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
      const session = await take().catch((error: unknown) => {
        // Whoever waits behind learns by trying, too.
        waiting.shift()?.();
        throw error;
      });
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
    backends: () => [...idle, ...busy].flatMap(({ isLost, backend }) => (isLost || backend === null ? [] : [backend])),
    cut(backends) {
      for (const session of [...idle, ...busy])
        if (backends === undefined || backends.has(session.backend ?? '')) session.cut();
    },
    async close() {
      await Promise.all([...idle.splice(0), ...busy].map((session) => session.close()));
    },
  };
}
