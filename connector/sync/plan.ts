import { later, type Position, type Window } from '../../destinations/position.ts';
import { earlierBy } from './instants.ts';
import { restarted } from './windows.ts';

/**
 * Where the next increment of a stream begins: the smaller of what is complete and the greatest cursor value ever seen, less the
 * look-back, so that neither a wrong clock nor a late commit loses a row (rule 4). Nothing seen yet: from the start.
 *
 * @param startDate nothing older is read; null: from the first row.
 */
export function incrementSince(
  position: Pick<Position, 'complete' | 'seen'>,
  lookBackMs: number,
  startDate: string | null,
): string | null {
  const { complete, seen } = position;
  if (complete === null || seen === null) return startDate;
  return notBefore(startDate, earlierBy(later(complete, seen) === complete ? seen : complete, lookBackMs));
}

/** The instant, or the start date where that is later. */
export function notBefore(startDate: string | null, instant: string): string {
  return later(startDate, instant) ?? instant;
}

/** Whether data from `start` on reaches further back than data from `from` on; null is the beginning of all data. */
export function reachesFurther(start: string | null, from: string | null): boolean {
  if (from === null) return false;
  return start === null || start < from;
}

/**
 * What becomes of an unfinished window without end when a later run takes it over: it ends at the greatest value seen by then. What
 * came after is the next increment's, which looks back from there; a window that simply went on would skip that look-back.
 */
export function endedAt(seen: string | null, window: Window): Window[] {
  const since = window.last ?? window.since;
  if (seen === null || (since !== null && since >= seen)) return [];
  return [{ ...restarted(window), until: seen }];
}
