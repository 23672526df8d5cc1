import { once } from 'node:events';
import type { Timing } from './timing.ts';

/**
 * How long what has been asked to stop is waited for, in milliseconds: a destination that does not answer keeps nobody from telling what
 * was done within the 8 s that a stop may take (design: aim). What is not finished by then is left as it is, which no position minds.
 */
export const PATIENCE_MS = { stream: 4_500, record: 1_000, close: 1_000, all: 7_000 } as const;

/**
 * Waits for work until a while after the signal to stop.
 *
 * @param ms from the signal on, or from now on where that has come already.
 * @throws the signal's reason once they are over; the work goes on unheeded then.
 */
export async function unlessStuck<T>(work: Promise<T>, signal: AbortSignal, ms: number, timing: Timing): Promise<T> {
  const ended = new AbortController();
  const stuck = async (): Promise<never> => {
    if (!signal.aborted) await once(signal, 'abort', { signal: ended.signal });
    await timing.sleep(ms, ended.signal);
    throw signal.reason;
  };
  try {
    return await Promise.race([work, stuck()]);
  } finally {
    ended.abort('ended');
  }
}
