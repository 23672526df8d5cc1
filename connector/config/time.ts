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

/** What is wrong with a configured duration, or null. */
export function problemWithDuration(text: string): string | null {
  const duration = Duration.fromISO(text);
  if (!duration.isValid) return 'must be an ISO-8601 duration, such as PT15M or P30D';
  return duration.toMillis() < 0 ? 'must not be negative' : null;
}

/** A good duration in milliseconds; a month counts 30 days, a year 365. */
export function millisOf(duration: string): number {
  return Duration.fromISO(duration).toMillis();
}
