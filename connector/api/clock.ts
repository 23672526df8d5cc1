/** A clock that is read once and advanced by the monotonic one: steps of any wall clock do not reach it. */
export interface ServerClock {
  /**
   * Sets the clock by an answer's `Date` header. The first that can be read counts, and none does once the clock has been read: time
   * never jumps.
   */
  observe(date: string | null): void;
  /** `YYYY-MM-DDTHH:MM:SS.ffffffZ`, strictly greater with every reading. */
  now(): string;
  /** Whether a server has told the time; until then it is our own. */
  readonly isServers: boolean;
}

export interface ClockSources {
  /** Milliseconds on a clock that never steps. */
  monotonic(): number;
  /** Milliseconds since 1970 on this machine's clock. */
  wall(): number;
}

/**
 * A `Date` header is cut to whole seconds and has travelled, so the clock is never ahead of the server's and up to a second behind:
 * the safe side for the end of a window.
 */
export function createServerClock({ monotonic, wall }: ClockSources): ServerClock {
  let epochMs = wall() - monotonic();
  let isServers = false;
  let lastMicros = 0;

  return {
    observe: (date) => {
      const ms = date === null || isServers || lastMicros > 0 ? Number.NaN : Date.parse(date);
      if (Number.isNaN(ms)) return;
      epochMs = ms - monotonic();
      isServers = true;
    },
    now: () => {
      const micros = Math.floor((epochMs + monotonic()) * 1000);
      lastMicros = Math.max(micros, lastMicros + 1);
      return instantOf(lastMicros);
    },
    get isServers() {
      return isServers;
    },
  };
}

function instantOf(micros: number): string {
  const ms = Math.floor(micros / 1000);
  return `${new Date(ms).toISOString().slice(0, -1)}${String(micros - ms * 1000).padStart(3, '0')}Z`;
}
