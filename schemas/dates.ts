/** Dates and instants in the two forms that the API sends, read strictly: what is not certain is null. */

/** The years that a destination's type holds. */
export interface Years {
  readonly minYear: number;
  readonly maxYear: number;
}

/** `DD/MM/YYYY`, day first, as `YYYY-MM-DD`; null when the text is not that, or not a day of the calendar. */
export function parseBusinessDate(text: string, { minYear, maxYear }: Years): string | null {
  if (text.length !== 10 || text[2] !== '/' || text[5] !== '/') return null;
  const year = yearAt(text, 6);
  if (!isDay(year, twoDigits(text, 3), twoDigits(text, 0)) || year < minYear || year > maxYear) return null;
  return `${text.slice(6)}-${text.slice(3, 5)}-${text.slice(0, 2)}`;
}

/**
 * `YYYY-MM-DDTHH:MM:SS`, a fraction of up to six digits (more where they are zeros), and an offset (`Z`, `+03:00`, `+0300`), as UTC
 * text of fixed width, `YYYY-MM-DDTHH:MM:SS.ffffffZ`; null when the text is not that, not an instant of the calendar (a leap second and
 * hour 24 are not), or its year in UTC is out of range.
 */
export function parseTimestamp(text: string, { minYear, maxYear }: Years): string | null {
  if (text[10] !== 'T' || text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return null;
  const year = yearAt(text, 0);
  if (!isDay(year, twoDigits(text, 5), twoDigits(text, 8))) return null;
  if (!isIn(twoDigits(text, 11), 23) || !isIn(twoDigits(text, 14), 59) || !isIn(twoDigits(text, 17), 59)) return null;
  const end = endOfFraction(text);
  const offset = offsetMinutes(text, end);
  if (offset === null) return null;
  const fraction = end === 19 ? '' : text.slice(20, end);
  if (fraction.length > 6 && /[1-9]/.test(fraction.slice(6))) return null;
  const micros = fraction.length === 3 ? `${fraction}000` : fraction.slice(0, 6).padEnd(6, '0');
  if (offset === 0) return year < minYear || year > maxYear ? null : `${text.slice(0, 19)}.${micros}Z`;
  const instant = new Date(Date.parse(`${text.slice(0, 19)}Z`) - offset * 60_000);
  const inUtc = instant.getUTCFullYear();
  if (inUtc < minYear || inUtc > Math.min(maxYear, 9999)) return null;
  return `${instant.toISOString().slice(0, 19)}.${micros}Z`;
}

/** The end of the fraction that begins at 19; 19 where there is none, -1 where a point has no digits behind it. */
function endOfFraction(text: string): number {
  if (text[19] !== '.') return 19;
  let end = 20;
  while (isIn(text.charCodeAt(end) - 48, 9)) end += 1;
  return end === 20 ? -1 : end;
}

/** The offset from UTC that ends the text at `at`, in minutes, or null. */
function offsetMinutes(text: string, at: number): number | null {
  const sign = text[at];
  if (sign === 'Z') return text.length === at + 1 ? 0 : null;
  if (sign !== '+' && sign !== '-') return null;
  const colon = text[at + 3] === ':' ? 1 : 0;
  if (text.length !== at + 5 + colon) return null;
  const hours = twoDigits(text, at + 1);
  const minutes = twoDigits(text, at + 3 + colon);
  if (!isIn(hours, 23) || !isIn(minutes, 59)) return null;
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes);
}

/** Whether there is such a day; a part that is no number comes as -1. */
export function isDay(year: number, month: number, day: number): boolean {
  if (year < 0 || month < 1 || month > 12 || day < 1) return false;
  return day <= 28 || day <= daysIn(year, month);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** The year that four digits make, or -1 where they are none. */
function yearAt(text: string, at: number): number {
  const century = twoDigits(text, at);
  const year = twoDigits(text, at + 2);
  return century < 0 || year < 0 ? -1 : century * 100 + year;
}

/** The number that two digits make, or -1 where they are none. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return isIn(tens, 9) && isIn(ones, 9) ? tens * 10 + ones : -1;
}

/** Whether a value lies in 0 to `max`; what is no number does not. */
function isIn(value: number, max: number): boolean {
  return value >= 0 && value <= max;
}
