import { decodeJson } from '../../schemas/decode.ts';
import { readEnvelope } from '../api/envelope.ts';
import { cursorRange } from './cursor-values.ts';

/** What the loop needs to know of a page. All but `span` holds once its records have been read, from the span or by `records`. */
export interface PageParts {
  readonly nextCursor: string | null;
  /** The cursor field's valid values at both ends of the page; null when no record has one. */
  readonly first: string | null;
  readonly last: string | null;
  /** The last record as it came, where it could be told without decoding the page. */
  readonly tail: Uint8Array | null;
  /** Where the records seem to stand, from the first one's brace to behind the last one's; null when the page had to be decoded. */
  readonly span: { readonly start: number; readonly end: number } | null;
  /** The records, decoded when asked for. @throws {SyntaxError} when they are not JSON. */
  records(): readonly unknown[];
}

/**
 * Opens a page. One in the envelope's usual shape is not decoded as a whole: what is around its records is, and its first and last
 * record. If then what lies in the span is a list of records, that is all of the page, exactly: each part is JSON by itself, and one that
 * began or ended inside of something else would not be. If it is not, the page is decoded after all.
 *
 * @param before the record that the walk read last, if it starts again there: where it stands first once more, just as it was, it is left
 *   out.
 * @throws {Error} saying what is missing; `SyntaxError` when the page is not JSON.
 */
export function openPage(bytes: Uint8Array, cursorField: string, before: Uint8Array | null = null): PageParts {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const usual = openUsual(body, cursorField, before);
  if (usual === null) return openAny(bytes, cursorField);
  let parts = usual;
  return {
    get nextCursor() {
      return parts.nextCursor;
    },
    get first() {
      return parts.first;
    },
    get last() {
      return parts.last;
    },
    tail: usual.tail,
    span: usual.span,
    records() {
      try {
        return usual.records();
      } catch {
        parts = openAny(bytes, cursorField);
        return parts.records();
      }
    },
  };
}

function openAny(bytes: Uint8Array, cursorField: string): PageParts {
  const { records, nextCursor } = readEnvelope(bytes);
  return { nextCursor, ...cursorRange(records, cursorField), tail: null, span: null, records: () => records };
}

/** The usual beginning, `{"code":200,"message":"success","body":{"rows":[`, whatever the message. */
const BEGINNING = /^\{"code":200,"message":(?:null|"[^"\\]{0,100}"),"body":\{"rows":\[/;
const LONGEST_BEGINNING = 200;
const END = Buffer.from('],"pagination":{"nextCursor":');
const BETWEEN = Buffer.from('},{');

/** @returns null when anything looks otherwise; then only decoding all of it can tell what the page is. */
function openUsual(body: Buffer, cursorField: string, before: Uint8Array | null): PageParts | null {
  const beginning = BEGINNING.exec(body.toString('latin1', 0, LONGEST_BEGINNING))?.[0];
  const end = body.lastIndexOf(END);
  if (beginning === undefined || end < beginning.length) return null;
  const start = beginning.length;
  const afterFirst = body.indexOf(BETWEEN, start) + 1;
  const beforeLast = body.lastIndexOf(BETWEEN, end) + 2;
  if (afterFirst <= start || afterFirst > end || beforeLast < afterFirst) return null;
  try {
    const { nextCursor, records } = readEnvelope(Buffer.concat([body.subarray(0, start), body.subarray(end)]));
    if (records.length > 0) return null;
    const ends = [body.subarray(start, afterFirst), body.subarray(beforeLast, end)].map(decodeJson);
    const { first, last } = {
      first: cursorRange([ends[0]], cursorField).first,
      last: cursorRange([ends[1]], cursorField).last,
    };
    if (first === null || last === null) return null;
    const isAgain = before !== null && body.subarray(start, afterFirst).equals(before);
    const decode = () => {
      const all = decodeJson(body.subarray(start - 1, end + 1)) as unknown[];
      return isAgain ? all.slice(1) : all;
    };
    const span = { start: isAgain ? afterFirst + 1 : start, end };
    return { nextCursor, first, last, tail: Buffer.from(body.subarray(beforeLast, end)), span, records: decode };
  } catch {
    return null;
  }
}
