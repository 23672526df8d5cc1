import type { Timing } from '../../connector/timing.ts';

/** A seeded source of chance (mulberry32): the same seed gives the same run. */
export type Chance = ReturnType<typeof chance>;

export function chance(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    /** A whole number from 0 up to, not including, `end`. */
    below: (end: number) => Math.floor(next() * end),
    maybe: (probability: number) => next() < probability,
    pick: <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!,
  };
}

/** One process as time sees it: it can be frozen (SIGSTOP), go on, or be killed (nothing of it ever happens again). */
export interface Process extends Timing {
  frozen: boolean;
  kill(): void;
  readonly killed: boolean;
}

interface Timer {
  at: number;
  order: number;
  process: { frozen: boolean; killed: boolean };
  fire: () => void;
}

/** Time that passes only when everything waits. */
export function virtualTime(random: Chance) {
  let now = 0;
  let order = 0;
  let timers: Timer[] = [];

  function process(): Process {
    const state = { frozen: false, killed: false };
    const process: Process = {
      monotonic: () => now,
      random: random.next,
      turn: () => process.sleep(0),
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (state.killed) return;
          if (signal?.aborted) return reject(signal.reason);
          const timer: Timer = { at: now + ms, order: order++, process: state, fire: () => {} };
          const abort = () => {
            timers = timers.filter((other) => other !== timer);
            if (!state.killed) reject(signal!.reason);
          };
          timer.fire = () => {
            signal?.removeEventListener('abort', abort);
            resolve();
          };
          signal?.addEventListener('abort', abort, { once: true });
          timers.push(timer);
        }),
      get frozen() {
        return state.frozen;
      },
      set frozen(value) {
        state.frozen = value;
      },
      get killed() {
        return state.killed;
      },
      kill: () => {
        state.killed = true;
        timers = timers.filter((timer) => timer.process !== state);
      },
    };
    return process;
  }

  /** Lets everything happen that waits for no time, then moves to the next timer. @returns false when nothing is left to wait for. */
  async function step(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.process.frozen) continue;
      if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    if (!next) return false;
    const due = next;
    timers = timers.filter((timer) => timer !== due);
    now = Math.max(now, due.at);
    due.fire();
    return true;
  }

  return {
    now: () => now,
    process,
    step,
    /** Time passes while nothing runs. */
    pass: (ms: number) => {
      now += ms;
    },
  };
}
