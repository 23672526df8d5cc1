/** Arithmetic on instants, which everywhere are UTC text of fixed width: `YYYY-MM-DDTHH:MM:SS.ffffffZ`. */

const MICROS_PER_MS = 1000n;

/** The instant `ms` milliseconds earlier; never before year 1. */
export function earlierBy(instant: string, ms: number): string {
  return fromMicros(toMicros(instant) - BigInt(Math.round(ms)) * MICROS_PER_MS);
}

/** The instant `ms` milliseconds later. */
export function laterBy(instant: string, ms: number): string {
  return earlierBy(instant, -ms);
}

/** Milliseconds from `earlier` to `instant`. */
export function millisSince(earlier: string, instant: string): number {
  return Number(toMicros(instant) - toMicros(earlier)) / 1000;
}

/**
 * The instants that cut `[since, until)` into `parts` spans of equal length, each a whole millisecond (the API's own
 * precision) and strictly inside; fewer where the span is too short for that many.
 */
export function cuts(since: string, until: string, parts: number): string[] {
  const start = toMicros(since);
  const length = toMicros(until) - start;
  const inner = Array.from({ length: parts - 1 }, (_, at) => {
    const micros = start + (length * BigInt(at + 1)) / BigInt(parts);
    return fromMicros(micros - (micros % MICROS_PER_MS));
  });
  return [...new Set(inner)].filter((cut) => cut > since && cut < until);
}

/** 0001-01-01T00:00:00Z, the first instant that every destination holds. */
const FIRST_MICROS = -62_135_596_800_000_000n;

function toMicros(instant: string): bigint {
  return BigInt(Date.parse(`${instant.slice(0, 23)}Z`)) * MICROS_PER_MS + BigInt(instant.slice(23, 26));
}

function fromMicros(micros: bigint): string {
  const clamped = micros < FIRST_MICROS ? FIRST_MICROS : micros;
  const remainder = ((clamped % MICROS_PER_MS) + MICROS_PER_MS) % MICROS_PER_MS;
  const ms = new Date(Number((clamped - remainder) / MICROS_PER_MS)).toISOString();
  return `${ms.slice(0, 23)}${String(remainder).padStart(3, '0')}Z`;
}
