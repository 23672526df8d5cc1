import { setTimeout as sleep } from 'node:timers/promises';
import { isOfServer, isPassing, isUnresolved } from './errors.ts';

/** A server that restarts, or fails over, is back within a minute. */
const PATIENCE_MS = 60_000;
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;

/** Tries again what may pass, for all that a run does with one server. */
export interface Retries {
  /**
   * Tries until it succeeds, fails for a reason that will not pass, or its patience has gone by since it first failed. A server that one
   * call has waited for in vain is not waited for again before something has succeeded: else each stream of a run would wait in its turn.
   *
   * @param attempt called with how many attempts came before.
   */
  untilDone<T>(attempt: (before: number) => Promise<T>, options?: RetryOptions): Promise<T>;
}

export interface RetryOptions {
  /** Default: a minute. */
  readonly patienceMs?: number;
  /** Set for what is part of another attempt, which goes on waiting where this gives up. */
  readonly within?: boolean;
}

export function createRetries(): Retries {
  let waitedInVain = false;
  /** A name that was known will be again, as when a container starts anew; one that never was is misspelt. */
  let reached = false;
  return {
    async untilDone(attempt, { patienceMs = PATIENCE_MS, within = false } = {}) {
      let givenUpAt = Number.POSITIVE_INFINITY;
      for (let before = 0; ; before++) {
        try {
          const result = await attempt(before);
          waitedInVain = false;
          reached = true;
          return result;
        } catch (error) {
          const passes = isPassing(error) || (reached && isUnresolved(error));
          if (!passes || (waitedInVain && isOfServer(error))) throw error;
          const now = performance.now();
          givenUpAt = Math.min(givenUpAt, now + patienceMs);
          const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** before) * (0.5 + Math.random() / 2);
          if (now + delay > givenUpAt) {
            if (!within) waitedInVain = isOfServer(error);
            throw error;
          }
          await sleep(delay);
        }
      }
    },
  };
}
