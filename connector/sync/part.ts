import { randomUUID } from 'node:crypto';
import type { Table } from '../../destinations/contract.ts';
import type { Position, PositionChange, Refresh, Window } from '../../destinations/position.ts';
import { type Ended, freeWindows, type Part, partLost, partsOf } from '../../destinations/tasks.ts';
import type { Source } from '../source.ts';
import { laterBy, millisSince } from './instants.ts';
import { parsePosition } from './judge.ts';

/** How long a part is held without a commit: what a task that dies held is given to others after this. */
const HELD_MS = 40_000;

/** A part that has brought no commit for this long is renewed by one of its own. */
const RENEWED_AFTER_MS = 10_000;

/** Task `index` (from 0) of `count`. */
export interface Task {
  readonly index: number;
  readonly count: number;
}

/** The tasks of a job, and how many pages each of them may ask for at once. */
export interface Tasks {
  readonly count: number;
  readonly concurrency: number;
}

/** This task's part in one stream, from when it joins until it leaves; what it holds is in the stream's position. */
export interface TaskPart {
  readonly id: string;
  /** As a position names it that this part begins: it leads. */
  entry(): Part;
  /** What each of its commits begins with. It holds the part for longer. */
  renewal(): PositionChange;
  /** Holds it by a commit of its own, if no other has for some time. @throws {PartLost} when the part has ended. */
  renewIfDue(): Promise<void>;
  /** A window as this part's. */
  own(window: Window): Window;
  /** The position as it was last read; null: there is none yet. */
  readonly position: Position | null;
  /** Reads it again. @throws {PartLost} when the part has ended. */
  read(): Promise<Position | null>;
  /**
   * Joins the stream, by leading it if nobody does and `leads`, and with up to `windows` that nobody walks.
   *
   * @returns the windows.
   */
  join(leads: boolean, windows: number): Promise<readonly Window[]>;
  /**
   * Reads the position, and takes up to `most` windows of this refresh (null: of none) that nobody walks.
   *
   * @throws {PartLost} when the part has ended.
   */
  take(most: number, refresh: Refresh | null): Promise<readonly Window[]>;
  /** How many more windows the other tasks would find something to do with. */
  readonly wanted: number;
  /** So many were cut off for them. */
  gave(windows: number): void;
  /** Ends the part. `ended`: what no other task of this job need do again. */
  leave(ended: Ended | null): Promise<void>;
}

/** How many pages task `index` may ask for at once, of so many for all of them. */
export function concurrencyOf(concurrency: number, { index, count }: Task): number {
  return Math.max(1, Math.floor(concurrency / count) + (index < concurrency % count ? 1 : 0));
}

export function createPart(table: Table, source: Source, { count, concurrency }: Tasks): TaskPart {
  const id = randomUUID();
  let position: Position | null = null;
  let renewed = source.now();
  let isStored = false;
  let turn = 0;
  let given = 0;

  const heldUntil = (): string => {
    renewed = source.now();
    return laterBy(renewed, HELD_MS);
  };
  const renewal = (): PositionChange => ({ type: 'renew', id, until: heldUntil() });

  async function read(): Promise<Position | null> {
    const { document } = await table.position();
    const parsed = document === null ? null : parsePosition(document);
    position = parsed !== null && 'position' in parsed ? parsed.position : null;
    given = 0;
    const isThere = position !== null && partsOf(position).some((part) => part.id === id);
    if (isStored && !isThere) throw partLost();
    isStored = isThere;
    return position;
  }

  async function store(changes: readonly PositionChange[]): Promise<void> {
    await table.commit({ pages: [], changes, refresh: null });
  }

  async function takePart(
    before: readonly PositionChange[],
    leads: boolean,
    windows: number,
  ): Promise<readonly Window[]> {
    const until = heldUntil();
    await store([...before, { type: 'take part', id, now: renewed, until, leads, windows, turn: ++turn }]);
    await read();
    return position!.windows.filter((window) => window.task === id && window.turn === turn);
  }

  return {
    id,
    entry: () => ({ id, until: heldUntil(), leads: true }),
    renewal,
    async renewIfDue() {
      if (isStored && millisSince(renewed, source.now()) > RENEWED_AFTER_MS) await store([renewal()]);
    },
    own: (window) => ({ ...window, task: id, turn }),
    get position() {
      return position;
    },
    read,
    join: (leads, windows) => takePart([], leads, windows),
    async take(most, refresh) {
      const stored = await read();
      if (most < 1 || stored === null || stored.refresh?.started !== refresh?.started) return [];
      return freeWindows(stored, source.now()).length === 0 ? [] : takePart([renewal()], false, most);
    },
    get wanted() {
      const others = position?.windows.filter((window) => window.task !== id).length ?? 0;
      return Math.max(0, (count - 1) * concurrency - others - given);
    },
    gave: (windows) => {
      given += windows;
    },
    async leave(ended) {
      await read();
      if (isStored) await store([{ type: 'leave', id, ended }]);
    },
  };
}
