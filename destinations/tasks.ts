import { z } from 'zod';
import { Failure } from './failure.ts';
import type { Position, Window } from './position.ts';

/**
 * Several tasks at work on one stream. All that they share is the stream's position, and each takes a part in it: windows that it alone
 * walks, and for one of them the lead, which plans spans and ends them. A part is held until an instant, which every commit of the
 * task moves on; whoever finds one that has run out may give its windows to others. A task that comes back late finds its part gone, and
 * commits nothing: the id of a part is never used again.
 */

/** One task's part in a stream. */
export const partSchema = z.strictObject({
  id: z.string(),
  /** Server-clock instant until which it is held. */
  until: z.string(),
  /** Whether it plans and ends spans; one part at most does. */
  leads: z.boolean(),
});

export type Part = Readonly<z.infer<typeof partSchema>>;

/** What tasks have done with a stream last: others of the same job need not do it again. */
export const endedSchema = z.strictObject({
  /** Their fencing token. */
  token: z.string(),
  /** Server-clock instant at which they had read all of it again, or null. */
  refreshed: z.string().nullable(),
});

export type Ended = Readonly<z.infer<typeof endedSchema>>;

/**
 * - `take part`: parts that have run out by `now` end; the part `id` is held until `until`, leads if `leads` and nobody else does, and
 *   gets up to `windows` of those that nobody has (not one without end: only the lead may give it one), marked with `turn`.
 * - `renew`: what every commit of the part begins with. @throws {PartLost} when it has ended.
 * - `leave`: the part ends. `ended` is told by the one that has brought the stream up to date, else null.
 * - `alone`: a run that has the stream to itself ends all parts.
 */
export type PartChange =
  | {
      readonly type: 'take part';
      readonly id: string;
      readonly now: string;
      readonly until: string;
      readonly leads: boolean;
      readonly windows: number;
      readonly turn: number;
    }
  | { readonly type: 'renew'; readonly id: string; readonly until: string }
  | { readonly type: 'leave'; readonly id: string; readonly ended: Ended | null }
  | { readonly type: 'alone' };

export const partLost = () => new PartLost('the part of this task has ended');

/** The task's part has ended, or the stream began anew: what it holds of the stream is void, and nothing was written. */
export class PartLost extends Failure {
  constructor(message: string) {
    super('transient_error', message);
    this.name = 'PartLost';
  }
}

export function isPartChange(change: { readonly type: string }): change is PartChange {
  return ['take part', 'renew', 'leave', 'alone'].includes(change.type);
}

/** The document after a change of the parts in it. */
export function applyPartChange(position: Position, change: PartChange): Position {
  switch (change.type) {
    case 'take part':
      return takePart(
        withoutParts(position, ({ id, until }) => id !== change.id && until <= change.now),
        change,
      );
    case 'renew':
      if (!partsOf(position).some(({ id }) => id === change.id)) throw partLost();
      return withPart(position, change.id, (part) => ({ ...part, until: change.until }));
    case 'leave': {
      const left = withoutParts(position, ({ id }) => id === change.id);
      return change.ended === null ? left : { ...left, ended: change.ended };
    }
    case 'alone':
      return withoutParts(position, () => true);
  }
}

/** Whether the stored document has the change already. */
export function hasPartChange(position: Position, change: PartChange): boolean {
  if (change.type === 'alone') return partsOf(position).length === 0;
  const part = partsOf(position).find(({ id }) => id === change.id);
  return change.type === 'leave' ? part === undefined : part !== undefined && part.until >= change.until;
}

/** The windows that nobody walks at `now`, and that anybody may. */
export function freeWindows(position: Position, now: string): Window[] {
  const held = new Set(partsOf(position).flatMap(({ id, until }) => (until > now ? [id] : [])));
  return position.windows.filter(({ task, until }) => until !== null && (task === undefined || !held.has(task)));
}

/** Whether somebody leads at `now`. */
export function isLed(position: Position, now: string): boolean {
  return partsOf(position).some(({ leads, until }) => leads && until > now);
}

export function partsOf(position: Position): readonly Part[] {
  return position.parts ?? [];
}

/** The window, held by nobody. */
export function freed({ task: _, turn: __, ...window }: Window): Window {
  return window;
}

function takePart(position: Position, change: PartChange & { type: 'take part' }): Position {
  const { id, until, turn } = change;
  const parts = partsOf(position);
  const leads = change.leads && !parts.some((part) => part.leads && part.id !== id);
  const own = { id, until, leads: leads || parts.some((part) => part.id === id && part.leads) };
  let left = change.windows;
  const windows = position.windows.map((window) => {
    if (window.task !== undefined || window.until === null || left === 0) return window;
    left--;
    return { ...window, task: id, turn };
  });
  return { ...position, windows, parts: [...parts.filter((part) => part.id !== id), own] };
}

function withPart(position: Position, id: string, change: (part: Part) => Part): Position {
  return { ...position, parts: partsOf(position).map((part) => (part.id === id ? change(part) : part)) };
}

/** Ends parts; what they held is free, and so is what nobody known holds. */
function withoutParts(position: Position, isEnded: (part: Part) => boolean): Position {
  const { parts: _, ...rest } = position;
  const parts = partsOf(position).filter((part) => !isEnded(part));
  const held = new Set(parts.map(({ id }) => id));
  const windows = position.windows.map((window) =>
    window.task === undefined || held.has(window.task) ? window : freed(window),
  );
  return parts.length === 0 ? { ...rest, windows } : { ...rest, windows, parts };
}
