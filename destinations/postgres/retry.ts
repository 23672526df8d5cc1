import { setTimeout as sleep } from 'node:timers/promises';
import { isPassing } from './errors.ts';

/** A server that restarts, or fails over, is back within a minute. */
const PATIENCE_MS = 60_000;
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;

/**
 * Tries until it succeeds, fails for a reason that will not pass, or a minute has gone by since it first failed.
 *
 * @param attempt called with how many attempts came before.
 */
export async function untilDone<T>(attempt: (before: number) => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  let givenUpAt = Number.POSITIVE_INFINITY;
  for (let before = 0; ; before++) {
    try {
      return await attempt(before);
    } catch (error) {
      if (!isPassing(error)) throw error;
      const now = performance.now();
      givenUpAt = Math.min(givenUpAt, now + patienceMs);
      const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** before) * (0.5 + Math.random() / 2);
      if (now + delay > givenUpAt) throw error;
      await sleep(delay);
    }
  }
}
