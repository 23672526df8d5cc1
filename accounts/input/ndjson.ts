import { configError } from '../../destinations/failure.ts';
import { decodeJson } from '../../schemas/decode.ts';
import { type Chunks, type Item, type Items, LONGEST_BYTES, TOO_LONG } from './item.ts';

const NEWLINE = 0x0a;
const MARK = [0xef, 0xbb, 0xbf];

/**
 * One JSON value a line; empty lines are passed over, and counted.
 *
 * @throws {Failure} `config_error` when the input begins as a JSON array or as CSV.
 */
export async function* ndjsonItems(chunks: Chunks): Items {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  let line = 0;
  let isFirst = true;

  /** Takes the end of a line; what was too long to be kept has been let go of. */
  function ended(end: Uint8Array): Item | null {
    line += 1;
    const bytes = restBytes + end.length;
    const whole = rest.length === 0 ? end : Buffer.concat([...rest, end]);
    rest = [];
    restBytes = 0;
    if (bytes > LONGEST_BYTES) return { line, problem: TOO_LONG };
    if (isBlank(whole, line)) return null;
    if (isFirst) refuseOthers(whole);
    isFirst = false;
    return decoded(line, whole);
  }

  for await (const chunk of chunks) {
    const items: Item[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const item = ended(chunk.subarray(start, end));
      if (item !== null) items.push(item);
      start = end + 1;
    }
    if (start < chunk.length) {
      restBytes += chunk.length - start;
      if (restBytes <= LONGEST_BYTES) rest.push(Buffer.from(chunk.subarray(start)));
      else rest = [];
    }
    yield items;
  }
  const last = restBytes > 0 ? ended(new Uint8Array()) : null;
  if (last !== null) yield [last];
}

/** What else people have is told at its first line, and not at each. */
function refuseOthers(line: Uint8Array): void {
  const text = Buffer.from(line)
    .toString()
    .replace(/^\ufeff?\s*/, '');
  if (text.startsWith('[')) throw configError('the input is a JSON array: give --format json');
  if (/^"?\w+"?,/.test(text) && text.includes('accountId')) throw configError('the input is CSV: give --format csv');
}

export function decoded(line: number, bytes: Uint8Array): Item {
  try {
    return { line, value: decodeJson(bytes) };
  } catch {
    return { line, problem: 'is not JSON' };
  }
}

function isBlank(bytes: Uint8Array, line: number): boolean {
  let at = line === 1 && MARK.every((byte, index) => bytes[index] === byte) ? MARK.length : 0;
  while (bytes[at] === 0x20 || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  return at === bytes.length;
}
