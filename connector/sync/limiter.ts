import pLimit from 'p-limit';

/**
 * How many pages are asked for at once, over all streams: one more after each success, half as many when the server asks for
 * less, between 1 and the configured concurrency.
 */
export interface Limiter {
  run<T>(task: () => Promise<T>): Promise<T>;
  succeeded(): void;
  /** The server asked for less: 429, 503 or 504. */
  overloaded(): void;
  /** Takes a walker's place until the returned function is called. A walker may join beyond what is idle: it then waits its turn. */
  join(): () => void;
  /** How many more walkers would find something to do. */
  readonly idle: number;
}

export function createLimiter(concurrency: number): Limiter {
  const limit = pLimit(concurrency);
  let walkers = 0;

  const resize = (to: number) => {
    limit.concurrency = Math.min(concurrency, Math.max(1, to));
  };

  return {
    run: (task) => limit(task),
    succeeded: () => resize(limit.concurrency + 1),
    overloaded: () => resize(Math.floor(limit.concurrency / 2)),
    join: () => {
      let joined = true;
      walkers++;
      return () => {
        if (joined) walkers--;
        joined = false;
      };
    },
    get idle() {
      return Math.max(0, limit.concurrency - walkers);
    },
  };
}
