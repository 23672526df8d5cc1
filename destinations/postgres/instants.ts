/** Dates and instants as Postgres counts them: from 2000-01-01, in days and in microseconds. */

const EPOCH_MS = Date.UTC(2000, 0, 1);
const DAY_MS = 86_400_000;

/** @param date `YYYY-MM-DD`. */
export function daysOf(date: string): number {
  return (Date.parse(`${date}T00:00:00Z`) - EPOCH_MS) / DAY_MS;
}

/** @param instant `YYYY-MM-DDTHH:MM:SS.ffffffZ`. */
export function microsOf(instant: string): bigint {
  const seconds = (Date.parse(`${instant.slice(0, 19)}Z`) - EPOCH_MS) / 1000;
  return BigInt(seconds) * 1_000_000n + BigInt(instant.slice(20, 26));
}
