import type { Steps } from './steps.ts';

/**
 * Records written out beforehand, sorted by (cursor value, `_id`): a page is one slice of `bytes` between two offsets.
 * A segment never changes, except that records in it die when a newer version is written to another segment.
 */
export interface Segment {
  readonly size: number;
  /** Every record's JSON, each followed by a comma. */
  readonly bytes: Buffer;
  /** Record `i` with its comma is `bytes[offsets[i] .. offsets[i + 1]]`. */
  readonly offsets: Float64Array;
  /** Cursor values in milliseconds. */
  readonly times: Float64Array;
  readonly ids: Uint32Array;
  /** 1 where a record is no longer there. */
  readonly dead: Uint8Array;
  live: number;
}

/**
 * A place in the order of records, between two of them or at one: the rank of record `id` is `4 * id`, and the ranks in
 * between belong to records of other lenders, which a query through a parent passes over.
 */
export interface Key {
  readonly time: number;
  readonly rank: number;
}

export const rankOf = (id: number) => 4 * id;

export const FIRST: Key = { time: -Infinity, rank: 0 };
export const END: Key = { time: Infinity, rank: 0 };

/** Where the records whose cursor value is `ms` or later begin. */
export const startOf = (ms: number): Key => ({ time: ms, rank: -Infinity });

export function keyAt(segment: Segment, index: number): Key {
  return { time: segment.times[index] as number, rank: rankOf(segment.ids[index] as number) };
}

/** The index of the first record at or after `key`. */
export function indexOf(segment: Segment, key: Key): number {
  let low = 0;
  let high = segment.size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const time = segment.times[middle] as number;
    const before = time < key.time || (time === key.time && rankOf(segment.ids[middle] as number) < key.rank);
    if (before) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function recordBytes(segment: Segment, index: number): Buffer {
  return segment.bytes.subarray(segment.offsets[index], (segment.offsets[index + 1] as number) - 1);
}

/** Stands for three bytes that are no UTF-8, which a text cannot hold. */
export const BROKEN_UTF8 = '\ue0ff';

function breakUtf8(bytes: Buffer): void {
  for (let at = bytes.indexOf(BROKEN_UTF8); at !== -1; at = bytes.indexOf(BROKEN_UTF8, at))
    bytes.set([0xff, 0xc3, 0x28], at);
}

/** Records after which whoever makes them may pause. */
const STEP = 4096;

/** Writes `ids`, already in the order of their `times`, into a segment, in steps. `write` gives a record's JSON. */
export function* buildSegment(ids: Uint32Array, times: Float64Array, write: (id: number) => string): Steps<Segment> {
  const size = ids.length;
  const offsets = new Float64Array(size + 1);
  let bytes: Buffer = Buffer.allocUnsafe(1024 * Math.min(size + 1, 256));
  let end = 0;
  for (let index = 0; index < size; index++) {
    const text = write(ids[index] as number);
    if (bytes.length - end < 3 * text.length + 1)
      bytes = grown(bytes, end, (end / (index + 1)) * size, 3 * text.length);
    const length = bytes.write(text, end);
    if (text.includes(BROKEN_UTF8)) breakUtf8(bytes.subarray(end, end + length));
    end += length;
    bytes[end++] = 0x2c;
    offsets[index + 1] = end;
    if (index % STEP === STEP - 1) yield STEP;
  }
  return { size, bytes: bytes.subarray(0, end), offsets, times, ids, dead: new Uint8Array(size), live: size };
}

/** Memory that is never touched costs nothing, so a generous guess is better than a second copy. */
function grown(bytes: Buffer, used: number, expected: number, atLeast: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.ceil(Math.max(expected * 1.2, bytes.length * 1.5)) + atLeast + 65_536);
  bytes.copy(larger, 0, 0, used);
  return larger;
}

/** The live records of two segments in one. */
export function mergeSegments(a: Segment, b: Segment): Segment {
  const size = a.live + b.live;
  const [offsets, times, ids] = [new Float64Array(size + 1), new Float64Array(size), new Uint32Array(size)];
  const bytes = Buffer.allocUnsafe(a.bytes.length + b.bytes.length);
  let count = 0;
  let end = 0;
  for (const { segment, from, to } of runs([a, b], FIRST, END)) {
    const start = segment.offsets[from] as number;
    segment.bytes.copy(bytes, end, start, segment.offsets[to]);
    for (let index = from; index < to; index++, count++) {
      times[count] = segment.times[index] as number;
      ids[count] = segment.ids[index] as number;
      offsets[count + 1] = end + (segment.offsets[index + 1] as number) - start;
    }
    end = offsets[count] as number;
  }
  return { size, bytes: bytes.subarray(0, end), offsets, times, ids, dead: new Uint8Array(size), live: size };
}

/** Neighbouring live records of one segment, with no live record of another segment between them. */
export interface Run {
  readonly segment: Segment;
  readonly from: number;
  readonly to: number;
}

const isBefore = (a: Key, b: Key) => a.time < b.time || (a.time === b.time && a.rank < b.rank);

/** The live records from `low` (inclusive) to `high` (exclusive), in order. */
export function* runs(segments: readonly Segment[], low: Key, high: Key): Generator<Run> {
  const heads = spans(segments, low, high);
  while (heads.length > 0) {
    heads.sort((a, b) => (isBefore(keyAt(a.segment, a.from), keyAt(b.segment, b.from)) ? -1 : 1));
    const [head, next] = heads as [Span, Span | undefined];
    const before = next === undefined ? head.to : indexOf(head.segment, keyAt(next.segment, next.from));
    // Two versions of a record may stand at one key, one of them dead: then it goes on by one.
    const to = Math.min(head.to, Math.max(head.from + 1, before));
    yield* liveRuns(head.segment, head.from, to);
    head.from = to;
    if (head.from === head.to) heads.shift();
  }
}

/** As `runs`, last run first; a run itself still goes from its first record to its last. */
export function* runsBackwards(segments: readonly Segment[], low: Key, high: Key): Generator<Run> {
  const tails = spans(segments, low, high);
  while (tails.length > 0) {
    tails.sort((a, b) => (isBefore(keyAt(a.segment, a.to - 1), keyAt(b.segment, b.to - 1)) ? 1 : -1));
    const [tail, next] = tails as [Span, Span | undefined];
    const from =
      next === undefined ? tail.from : Math.max(tail.from, indexOf(tail.segment, keyAt(next.segment, next.to - 1)));
    yield* [...liveRuns(tail.segment, from, tail.to)].reverse();
    tail.to = from;
    if (tail.from === tail.to) tails.shift();
  }
}

interface Span {
  readonly segment: Segment;
  from: number;
  to: number;
}

function spans(segments: readonly Segment[], low: Key, high: Key): Span[] {
  return segments
    .map((segment) => ({ segment, from: indexOf(segment, low), to: indexOf(segment, high) }))
    .filter(({ from, to }) => from < to);
}

function* liveRuns(segment: Segment, from: number, to: number): Generator<Run> {
  if (segment.live === segment.size) {
    if (from < to) yield { segment, from, to };
    return;
  }
  for (let start = from; start < to; ) {
    if (segment.dead[start] === 1) {
      start++;
      continue;
    }
    const died = segment.dead.indexOf(1, start);
    const end = died === -1 || died > to ? to : died;
    yield { segment, from: start, to: end };
    start = end;
  }
}
