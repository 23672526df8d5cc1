import { DateTime, Duration } from 'luxon';

/** Configured dates and durations, as ISO-8601 text; luxon knows which of them are real. */

const DATE_OR_INSTANT = /^\d{4}-\d\d-\d\d(T.+)?$/;

/** What is wrong with a configured instant, or null. */
export function problemWithInstant(text: string): string | null {
  if (!DATE_OR_INSTANT.test(text)) return 'must be an ISO-8601 date or instant, such as 2025-01-01T00:00:00Z';
  const instant = DateTime.fromISO(text, { zone: 'utc' });
  if (!instant.isValid || instant.year < 1) return 'is no real date and time';
  return null;
}

/** A good configured instant as UTC text of fixed width, `YYYY-MM-DDTHH:MM:SS.ffffffZ`; without an offset it is UTC. */
export function normalizedInstant(text: string): string {
  return DateTime.fromISO(text, { zone: 'utc' }).toFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'000Z'");
}

const LONGEST_MS = Duration.fromISO('P10Y').toMillis();

/** What is wrong with a configured duration, or null. */
export function problemWithDuration(text: string): string | null {
  const duration = Duration.fromISO(text);
  if (!duration.isValid || !/\d/.test(text)) return 'must be an ISO-8601 duration, such as PT15M or P30D';
  if (duration.toMillis() > LONGEST_MS) return 'must not be longer than P10Y';
  return duration.toMillis() < 0 ? 'must not be negative' : null;
}

/** A good duration in milliseconds; a month counts 30 days, a year 365. */
export function millisOf(duration: string): number {
  return Duration.fromISO(duration).toMillis();
}

/** A warning where nothing can be read yet, because the configured start is still to come; none otherwise. */
export function futureStart(startDate: string | undefined, now: string): string[] {
  if (startDate === undefined || startDate <= now) return [];
  return [`start_date (${startDate}) is in the future: until then, nothing is read`];
}
