import { setTimeout as wait } from 'node:timers/promises';

/** Time and chance, as the loop uses them; a test puts its own in their place. */
export interface Timing {
  /** Milliseconds on a clock that never steps. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when that comes first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
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
};
