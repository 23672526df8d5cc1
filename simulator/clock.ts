/** The API's own clock, which is not the client's: it may be hours off, and tests may move it. */
export interface Clock {
  /** Milliseconds since 1970. */
  ms(): number;
  /** ISO-8601 with milliseconds and `Z`. */
  text(): string;
  /** Moves the clock forward. Everything written before is then strictly in its past. */
  advance(ms: number): void;
}

/** A clock that shows the system's time plus `offsetMs`, but runs on the monotonic one: a step of the machine's clock does not move it. */
export function startClock(offsetMs: number): Clock {
  const origin = Date.now() - performance.now() + offsetMs;
  let advanced = 0;
  const ms = () => Math.floor(origin + performance.now() + advanced);
  return {
    ms,
    text: () => isoText(ms()),
    advance(by) {
      advanced += by;
    },
  };
}

const DAY = 86_400_000;
const DIGITS = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, '0'));
const TWO_DIGITS = DIGITS.slice(0, 100).map((text) => text.slice(1));
const days = new Map<number, string>();

/** As `Date.toISOString`, for whole milliseconds, and several times as fast: a million records hold two million instants. */
export function isoText(ms: number): string {
  const day = Math.floor(ms / DAY);
  let date = days.get(day);
  if (date === undefined) {
    date = new Date(day * DAY).toISOString().slice(0, -13);
    days.set(day, date);
  }
  const seconds = Math.floor((ms - day * DAY) / 1000);
  const minutes = Math.floor(seconds / 60);
  const time = `${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[seconds % 60]}`;
  return `${date}${time}.${DIGITS[ms - day * DAY - seconds * 1000]}Z`;
}

/**
 * The instant that an ISO-8601 text names, in milliseconds with fractions of them, so that bounds given to the
 * microsecond compare exactly; null when it is none. A text without an offset is taken as UTC, as Mongo's tools do.
 */
export function instantMs(text: string): number | null {
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?)?$/i.exec(text);
  if (match === null) return null;
  const [, day, minutes = '00:00', seconds = '00', fraction = '', offset = 'Z'] = match;
  const zone = /^[+-]\d{4}$/.test(offset) ? `${offset.slice(0, 3)}:${offset.slice(3)}` : offset.toUpperCase();
  const whole = Date.parse(`${day}T${minutes}:${seconds}${zone}`);
  return Number.isNaN(whole) ? null : whole + Number(`${fraction.slice(0, 3).padEnd(3, '0')}.${fraction.slice(3)}0`);
}
