import { configError } from '../../destinations/failure.ts';
import { type Chunks, type Item, type Items, LONGEST_BYTES, TOO_LONG } from './item.ts';
import { decoded } from './ndjson.ts';

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
/** A byte order mark, in whatever pieces it comes. */
const isMark = (byte: number) => byte === 0xef || byte === 0xbb || byte === 0xbf;

/**
 * The elements of one JSON array, of any length, each counted as a line. Only where an element ends is found here, by its strings
 * and brackets; what it is, is read as everywhere.
 *
 * @throws {Failure} `config_error` when the input does not begin with an array.
 */
export async function* jsonArrayItems(chunks: Chunks): Items {
  let state: 'before' | 'inside' | 'behind' = 'before';
  let depth = 0;
  let inString = false;
  let escaped = false;
  let line = 0;
  /** The element so far: whether anything of it has come, and its bytes while they are not too many. */
  let begun = false;
  let parts: Uint8Array[] = [];
  let size = 0;

  function keep(part: Uint8Array): void {
    size += part.length;
    if (size <= LONGEST_BYTES) parts.push(Buffer.from(part));
    else parts = [];
  }

  function ended(): Item {
    line += 1;
    const item = size > LONGEST_BYTES ? { line, problem: TOO_LONG } : decoded(line, Buffer.concat(parts));
    parts = [];
    size = 0;
    begun = false;
    return item;
  }

  for await (const chunk of chunks) {
    const items: Item[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
        continue;
      }
      if (isSpace(byte)) continue;
      if (state === 'before') {
        if (isMark(byte)) continue;
        if (byte !== OPEN_LIST)
          throw configError('the input is no JSON array: it must begin with [ (or give --format ndjson)');
        state = 'inside';
        start = at + 1;
        continue;
      }
      if (state === 'behind') {
        items.push({ line: line + 1, problem: 'stands behind the end of the JSON array' });
        yield items;
        return;
      }
      if (depth === 0 && (byte === COMMA || byte === CLOSE_LIST)) {
        keep(chunk.subarray(start, at));
        start = at + 1;
        // An empty array has no element; a comma always has one before it, if a bad one.
        if (begun || byte === COMMA || line > 0) items.push(ended());
        if (byte === CLOSE_LIST) state = 'behind';
        continue;
      }
      begun = true;
      if (byte === QUOTE) inString = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth -= 1;
    }
    if (state === 'inside') keep(chunk.subarray(start));
    yield items;
  }
  if (state === 'before') throw configError('the input is no JSON array: it is empty');
  if (state === 'inside') yield [{ line: line + 1, problem: 'is cut short: the JSON array has no end' }];
}
