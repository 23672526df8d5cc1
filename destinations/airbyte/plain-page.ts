import { isUtf8 } from 'node:buffer';
import { parsedName, type Stream } from '../../schemas/stream.ts';
import { type CopyValue, copyFor, copyText, copyWord, put, type Tape } from './plain-values.ts';

/**
 * Makes RECORD messages of a plain page straight from its bytes: one whose records hold every declared field, no other, in one
 * order, and no value that is a surprise. It is what rows give, several times as fast; the order of keys is the page's.
 */
export interface PlainPages {
  /** @returns the lines, or null: the page is not plain. */
  lines(bytes: Uint8Array, askedAt: string): PlainLines | null;
}

export interface PlainLines {
  readonly lines: Uint8Array;
  readonly rows: number;
  /** Lets the memory of `lines` be used for the next page: freed page by page, it would wait for the garbage collector in heaps. */
  release(): void;
}

/** What is before the records. It must be there once, or it may be the name of something else. */
const ROWS = Buffer.from('"rows":[');
const TAIL = Buffer.from(',"_extra":null}}}\n');
const QUOTE = 34;
const COMMA = 44;
const CLOSE_LIST = 93;
const N = 110;
const OPEN = 123;
const CLOSE = 125;

/** A longer key is no key, an empty one neither: bytes with both quotation marks. */
const SHORTEST_KEY = 3;
const LONGEST_KEY = 1026;

/** A value of such a page may be too long for a column. */
const LONGEST_PAGE_BYTES = 8_000_000;

interface Field {
  /** `,"field":` as the page has it, and `,"name":` as the RECORD has it; the first of a record without the comma. */
  readonly sent: Uint8Array;
  readonly printed: Uint8Array;
  readonly isSame: boolean;
  readonly copy: CopyValue;
}

export function plainPages(stream: Stream): PlainPages {
  const head = `{"type":"RECORD","record":{"stream":${JSON.stringify(stream.name)},"emitted_at":`;
  const fields = new Map(stream.columns.map((column) => [column.field, fieldOf(stream, column)]));
  /** What a record may grow by: each timestamp by three bytes, each name and date by its own. */
  const growth = sum([...fields.values()], ({ printed }) => printed.length * 2 + 32) + head.length + TAIL.length + 32;
  const spare: Uint8Array<ArrayBuffer>[] = [];

  /** The fields in the order of the page's first record; null when they are not exactly the declared ones. */
  function shapeOf(bytes: Buffer, at: number): readonly Field[] | null {
    const names = namesAt(bytes, at, fields.size);
    if (names === null || new Set(names).size !== fields.size) return null;
    const shape = names.flatMap((name) => fields.get(name) ?? []);
    return shape.length === fields.size ? shape.map((field, at) => (at === 0 ? withoutComma(field) : field)) : null;
  }

  return {
    lines(bytes, askedAt) {
      const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (body.length > LONGEST_PAGE_BYTES || !isUtf8(body)) return null;
      const start = body.indexOf(ROWS) + ROWS.length;
      if (start < ROWS.length || body[start] !== OPEN) return null;
      const shape = shapeOf(body, start);
      if (shape === null) return null;

      const begin = Buffer.from(`${head}${Date.parse(askedAt)},"data":{`);
      let room = spare.pop() ?? new Uint8Array(0);
      const tape: Tape = { from: bytes, at: start, to: room, end: 0 };
      for (let rows = 1; ; rows++) {
        tape.to = room = roomFor(room, tape.end, growth + bytes.length - tape.at);
        if (!copyRecord(tape, shape, begin)) return null;
        const next = bytes[tape.at++];
        if (next === CLOSE_LIST) {
          if (body.indexOf(ROWS, tape.at) !== -1) return null;
          return { lines: room.subarray(0, tape.end), rows, release: () => spare.push(room) };
        }
        if (next !== COMMA || bytes[tape.at] !== OPEN) return null;
      }
    },
  };
}

function copyRecord(tape: Tape, shape: readonly Field[], begin: Uint8Array): boolean {
  put(tape, begin);
  tape.at += 1;
  for (let i = 0; i < shape.length; i++) {
    const { sent, printed, isSame, copy } = shape[i]!;
    if (!copyWord(tape, sent)) return false;
    if (!isSame) {
      tape.end -= sent.length;
      put(tape, printed);
    }
    if (!copy(tape)) return false;
  }
  if (tape.from[tape.at++] !== CLOSE) return false;
  return put(tape, TAIL);
}

function fieldOf(stream: Stream, { name, field, kind }: Stream['columns'][number]): Field {
  const printed = Buffer.from(`,${JSON.stringify(name)}:`);
  const sent = Buffer.from(`,${JSON.stringify(field)}:`);
  const copy = copyFor(kind, Buffer.from(`,${JSON.stringify(parsedName(name))}:`));
  const isKey = stream.primaryKey.includes(name);
  return { sent, printed, isSame: name === field, copy: isKey ? keyCopy(kind === 'text' ? copyText : copy) : copy };
}

function withoutComma(field: Field): Field {
  return { ...field, sent: field.sent.subarray(1), printed: field.printed.subarray(1) };
}

/** A key must be there, and be neither empty nor too long. */
function keyCopy(copy: CopyValue): CopyValue {
  return (tape) => {
    const start = tape.at;
    if (tape.from[start] === N || !copy(tape)) return false;
    const bytes = tape.at - start;
    return tape.from[start] !== QUOTE || (bytes >= SHORTEST_KEY && bytes <= LONGEST_KEY);
  };
}

/** The first `count` names of the object that begins at `at`; null when its names are not plain. */
function namesAt(bytes: Buffer, at: number, count: number): string[] | null {
  const end = bytes.indexOf(CLOSE, at);
  if (end === -1) return null;
  try {
    // Only a record without nested values can be plain, and so its first closing brace ends it.
    return Object.keys(JSON.parse(bytes.toString('utf8', at, end + 1)) as object).slice(0, count + 1);
  } catch {
    return null;
  }
}

/** The bytes, or a copy of them where what is left of the page would not fit. */
function roomFor(bytes: Uint8Array<ArrayBuffer>, used: number, more: number): Uint8Array<ArrayBuffer> {
  if (used + more <= bytes.length) return bytes;
  const grown = new Uint8Array(Math.max(used + more, Math.ceil(bytes.length * 1.5)));
  grown.set(bytes.subarray(0, used));
  return grown;
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
