import { type Dice, roll } from './random.ts';

/** How a dataset's records are spread over time. */
export interface HistoryOptions {
  /** Days from the first record to the last; default three years. */
  readonly days?: number;
  /**
   * When the last record was written; default the last midnight (UTC) that is a whole day before the API's clock at the start: at no time of
   * day does a look-back of minutes reach it.
   */
  readonly end?: string;
  /** A share of all records that lies in the last `days`: `{ share: 0.8, days: 30 }`. */
  readonly recent?: { readonly share: number; readonly days: number };
  /** How many records carry one and the same cursor value, as a bulk update leaves them. */
  readonly sharedInstant?: number;
}

const DAY = 86_400_000;

/** `count` cursor values in ascending order, in milliseconds. */
export function spreadTimes(count: number, endMs: number, history: HistoryOptions, dice: Dice): Float64Array {
  const days = history.days ?? 3 * 365;
  const { share, days: recentDays } = history.recent ?? { share: 0, days: 0 };
  const shared = Math.min(count, history.sharedInstant ?? 0);
  const sharedTime = Math.floor(endMs - (days * DAY) / 3);
  const times = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const span = roll(dice) < share ? recentDays : days;
    times[index] = index < shared ? sharedTime : Math.floor(endMs - roll(dice) * span * DAY);
  }
  return times.sort();
}
