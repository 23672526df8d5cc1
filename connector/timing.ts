import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';

/** Time and chance, as the loop uses them; a test puts its own in their place. */
export interface Timing {
  /** Milliseconds on a clock that never steps. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when that comes first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
  /**
   * Resolves when it is the caller's turn to work on a page for some milliseconds: one after another, and between two of them what is to
   * be sent is sent and what has come is taken in.
   */
  turn(): Promise<void>;
}

/** undici waits a turn before it uses a connection again, and another to see whether the server closes it; then the request is written. */
const TURNS_FOR_THE_NETWORK = 3;

let turns: Promise<void> = Promise.resolve();

async function serveTheNetwork(): Promise<void> {
  for (let turn = 0; turn < TURNS_FOR_THE_NETWORK; turn++) await nextTurn();
}

export const systemTiming: Timing = {
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await wait(ms, undefined, signal ? { signal } : undefined);
    } catch (error) {
      throw signal?.reason ?? error;
    }
  },
  random: Math.random,
  turn: () => {
    turns = turns.then(serveTheNetwork);
    return turns;
  },
};
