import type { Clock } from './clock.ts';
import type { DatasetInfo } from './datasets.ts';
import { type HistoryOptions, spreadTimes } from './history.ts';
import { createLives } from './lives.ts';
import { type Dice, mix, mixText, roll, rollBelow } from './random.ts';
import {
  buildSegment,
  END,
  FIRST,
  indexOf,
  type Key,
  mergeSegments,
  rankOf,
  recordBytes,
  runs,
  type Segment,
} from './segment.ts';
import { shapeOf } from './shapes/index.ts';
import { atOnce, type Steps } from './steps.ts';
import type { Unknowns } from './unknowns.ts';
import { createWriter, type Edits } from './writer.ts';

/** A record as the API returns it now. */
export interface TruthRecord {
  /** Its bytes, exactly as they stand in a page. */
  readonly bytes: Buffer;
  /** The same as text: for what `JSON.parse` would round, such as integers beyond 2^53. */
  readonly text: string;
  readonly json: Record<string, unknown>;
}

export interface StoreOptions {
  readonly info: DatasetInfo;
  readonly rows: number;
  readonly seed: number;
  readonly history: HistoryOptions;
  readonly historyEndMs: number;
  readonly clock: Clock;
  readonly difficult: boolean;
  readonly unknowns: Unknowns;
}

/** The records of one dataset, in the order of (cursor value, `_id`). */
export interface Store {
  readonly info: DatasetInfo;
  readonly size: number;
  /** Sorted parts that together hold every record once. */
  readonly segments: readonly Segment[];
  count(low: Key, high: Key): number;
  truth(): Generator<TruthRecord>;
  /** New versions of the given records (or of `which` picked at random), written in the last `spreadMs`; gives their keys. */
  change(which: number | readonly string[], edits?: Edits, spreadMs?: number): string[];
  /** New records as of `behindMs` before now, or with the given values; gives their keys. */
  insert(count: number, behindMs: number, edits?: Edits): string[];
  remove(which: number | readonly string[]): string[];
}

/** Makes a dataset's records, in steps. */
export function* createStore(options: StoreOptions): Steps<Store> {
  const { info, seed, clock, unknowns } = options;
  const field = info.cursorField ?? 'updated_at';
  const dice: Dice = { state: mix(seed, mixText(`${info.code} times`)) };
  const lives = createLives(options.rows);
  const writer = createWriter({ ...options, shape: shapeOf(info.code, unknowns), cursorField: field, lives });
  let segments: Segment[] = [];
  let byKey: Map<string, number[]> | null = null;

  for (const time of spreadTimes(options.rows, options.historyEndMs, options.history, dice)) {
    const id = lives.add();
    lives.cursor[id] = time;
    // Written after the event where the event's time is the cursor; changed since creation where the change's is.
    const age = field === 'updated_at' ? Math.floor(roll(dice) ** 4 * 100 * 86_400_000) : 0;
    lives.created[id] = field === 'communicated_at' ? time + rollBelow(dice, 60_000) : time - age;
    lives.updated[id] = field === 'communicated_at' ? (lives.created[id] as number) + rollBelow(dice, 600_000) : time;
  }
  yield* append(Uint32Array.from({ length: lives.length }, (_, id) => id));

  /** Writes the current version of `ids` into a segment of its own, and joins parts that have become alike in size. */
  function* append(ids: Uint32Array): Steps<void> {
    if (ids.length > 0)
      segments.push(
        yield* buildSegment(
          ids,
          Float64Array.from(ids, (id) => lives.cursor[id] as number),
          writer.write,
        ),
      );
    segments = segments.filter(({ live }) => live > 0);
    for (let [a, b] = segments.slice(-2); a && b && a.live < 2 * b.live; [a, b] = segments.slice(-2)) {
      segments.splice(-2, 2, mergeSegments(a, b));
    }
  }

  function kill(id: number): void {
    const key = { time: lives.cursor[id] as number, rank: rankOf(id) };
    for (const segment of segments) {
      const index = indexOf(segment, key);
      if (segment.ids[index] !== id || segment.times[index] !== key.time || segment.dead[index] === 1) continue;
      segment.dead[index] = 1;
      segment.live--;
      return;
    }
  }

  function idsOf(which: number | readonly string[]): number[] {
    if (typeof which !== 'number') return which.flatMap((key) => keys().get(key) ?? []).filter(isLive);
    const size = segments.reduce((sum, { live }) => sum + live, 0);
    if (which * 2 >= size) {
      const all = Array.from({ length: lives.length }, (_, id) => id).filter(isLive);
      for (let at = all.length - 1; at > 0; at--) {
        const other = rollBelow(dice, at + 1);
        [all[at], all[other]] = [all[other] as number, all[at] as number];
      }
      return all.slice(0, which);
    }
    const picked = new Set<number>();
    while (picked.size < which) {
      const id = rollBelow(dice, lives.length);
      if (isLive(id)) picked.add(id);
    }
    return [...picked];
  }

  const isLive = (id: number) => !Number.isNaN(lives.cursor[id]);

  function keys(): Map<string, number[]> {
    if (byKey === null) {
      byKey = new Map();
      for (let id = 0; id < lives.length; id++) remember(byKey, id);
    }
    return byKey;
  }

  function remember(map: Map<string, number[]>, id: number): void {
    const key = writer.keyOf(id);
    map.set(key, [...(map.get(key) ?? []), id]);
  }

  const inOrder = (ids: number[]) =>
    Uint32Array.from(ids.sort((a, b) => (lives.cursor[a] as number) - (lives.cursor[b] as number) || a - b));

  /** What is written now is strictly before whatever the clock shows next: `until` is exclusive. */
  function written(ids: number[]): string[] {
    atOnce(append(inOrder(ids)));
    clock.advance(1);
    return ids.map(writer.keyOf);
  }

  function change(which: number | readonly string[], edits?: Edits, spreadMs = 0): string[] {
    const ids = idsOf(which);
    const now = clock.ms();
    for (const id of ids) {
      kill(id);
      lives.version[id] = (lives.version[id] as number) + 1;
      lives.updated[id] = spreadMs === 0 ? now : now - rollBelow(dice, spreadMs + 1);
      // An event keeps its time: later changes of it never come back through the cursor.
      if (field === 'updated_at') lives.cursor[id] = lives.updated[id] as number;
      if (edits !== undefined) writer.edit(id, edits);
    }
    return written(ids);
  }

  return {
    info,
    get size() {
      return segments.reduce((sum, { live }) => sum + live, 0);
    },
    get segments() {
      return segments;
    },
    count(low, high) {
      let count = 0;
      for (const { from, to } of runs(segments, low, high)) count += to - from;
      return count;
    },
    *truth() {
      for (const { segment, from, to } of runs(segments, FIRST, END)) {
        for (let index = from; index < to; index++) yield truthRecord(recordBytes(segment, index));
      }
    },
    change,
    insert(count, behindMs, edits) {
      const now = clock.ms();
      const ids = Array.from({ length: count }, () => {
        const id = lives.add();
        lives.cursor[id] = now - behindMs;
        lives.created[id] = field === 'communicated_at' ? now : now - behindMs;
        lives.updated[id] = lives.created[id] as number;
        if (edits !== undefined) writer.edit(id, edits);
        if (byKey !== null) remember(byKey, id);
        return id;
      });
      return written(ids);
    },
    remove(which) {
      if (unknowns.deletes === 'flagged') return change(which, { is_deleted: 'true' });
      const ids = idsOf(which);
      const removed = ids.map(writer.keyOf);
      for (const id of ids) {
        kill(id);
        lives.cursor[id] = Number.NaN;
      }
      atOnce(append(new Uint32Array()));
      return removed;
    },
  };
}

function truthRecord(bytes: Buffer): TruthRecord {
  return {
    bytes,
    get text() {
      return bytes.toString();
    },
    get json() {
      return JSON.parse(bytes.toString()) as Record<string, unknown>;
    },
  };
}
