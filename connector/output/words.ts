/** Numbers and spans of time as people read them. */

const number = new Intl.NumberFormat('en-US');

/** `1234567` as `1,234,567`. */
export const count = (value: number): string => number.format(Math.round(value));

/** `1 row`, `2 rows`. */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** A span in its largest unit and the next: `3 d 4 h`, `12 min`, `0.4 s`. */
export function span(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  const at = UNITS.findIndex(([, size]) => seconds >= size);
  const [unit, size] = UNITS[at]!;
  const whole = Math.floor(seconds / size);
  const next = UNITS[at + 1];
  const rest = next === undefined || whole >= 10 ? 0 : Math.floor((seconds % size) / next[1]);
  return rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${next![0]}`;
}

/** A span in its largest unit alone, where there is room for no more: `3 d`. */
export const roughly = (seconds: number): string => span(seconds).split(' ').slice(0, 2).join(' ');

/** How long ago that was: `12 min ago`. */
export const ago = (seconds: number): string => (seconds < 1 ? 'just now' : `${span(seconds)} ago`);

/** `2026-06-01T12:00:00.123456Z` as `2026-06-01 12:00:00`. */
export const moment = (instant: string): string => instant.slice(0, 19).replace('T', ' ');
