import { Buffer, isUtf8 } from 'node:buffer';
import { rereadBytes, rereadText } from './reread.ts';

/**
 * Decodes a JSON body so that nothing is lost: a number that a double cannot hold with the digits it came with becomes a raw JSON
 * object (`JSON.isRawJSON`, its text in `rawJSON`), a string with invalid UTF-8 a `BrokenText`. A body that holds neither, which is
 * nearly every one, costs `JSON.parse` and a third more. Of a name that an object holds twice the last value counts, as in `JSON.parse`.
 *
 * @throws {SyntaxError} when the body is not JSON; its message holds nothing of the body.
 */
export function decodeJson(bytes: Uint8Array): unknown {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = body.toString('utf8', hasByteOrderMark(body) ? 3 : 0);
  const value = parse(text);
  if (!isUtf8(body)) return rereadBytes(body.toString('latin1', hasByteOrderMark(body) ? 3 : 0));
  return mayHoldInexactNumber(text, value) ? rereadText(text) : value;
}

function hasByteOrderMark(body: Buffer): boolean {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    // The engine's message quotes the text; its position is all that may be told.
    const position = thrown instanceof Error ? / at position (\d+)/.exec(thrown.message)?.[1] : undefined;
    throw new SyntaxError(`the body is not JSON${position === undefined ? '' : ` at position ${position}`}`);
  }
}

/** What may be the end of a number with an exponent. Searching for this is cheap: few characters precede an `e` so. */
const EXPONENT = /\d[eE][-+]?\d+[,}\]\s]/g;

/**
 * Whether JavaScript may write a number of the text otherwise than it came. Of the text, only what may have a point or an exponent is
 * looked at; what stands in a string is at worst suspected in vain. A whole number without them tells by its value (to search for
 * long ones in the text cost as much as `JSON.parse`).
 */
function mayHoldInexactNumber(text: string, value: unknown): boolean {
  for (let at = text.indexOf('.'); at !== -1; ) {
    const end = endOfNumber(text, at);
    if (isInexact(text, at, end)) return true;
    at = text.indexOf('.', end);
  }
  EXPONENT.lastIndex = 0;
  while (EXPONENT.test(text)) {
    const at = EXPONENT.lastIndex - 2;
    if (isInexact(text, at, endOfNumber(text, at))) return true;
  }
  return typeof value !== 'object' || value === null || holdsOddNumber(value);
}

/** Whether a number is among the values that is too large to be counted one by one, or is zero below zero. */
function holdsOddNumber(whole: object): boolean {
  const containers: object[] = [whole];
  const isOdd = (member: unknown): boolean => {
    if (typeof member === 'object' && member !== null) containers.push(member);
    return typeof member === 'number' && (member > MAX_SAFE || member < -MAX_SAFE || Object.is(member, -0));
  };
  for (let container = containers.pop(); container !== undefined; container = containers.pop()) {
    if (Array.isArray(container)) {
      if (container.some(isOdd)) return true;
    } else {
      for (const name in container) if (isOdd((container as Record<string, unknown>)[name])) return true;
    }
  }
  return false;
}

const MAX_SAFE = Number.MAX_SAFE_INTEGER;

function endOfNumber(text: string, at: number): number {
  let end = at + 1;
  while (isNumberChar(text.charCodeAt(end))) end += 1;
  return end;
}

/** Whether the characters around `at` are a number in a number's place, and one that would be written otherwise. */
function isInexact(text: string, at: number, end: number): boolean {
  if (!endsNumber(text.charCodeAt(end))) return false;
  let start = at;
  while (isNumberChar(text.charCodeAt(start - 1))) start -= 1;
  if (!beforeNumber(text.charCodeAt(start - 1))) return false;
  const token = text.slice(start, end);
  return String(Number(token)) !== token;
}

/** Digits, `+ - . e E`. */
function isNumberChar(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 43 || code === 45 || code === 46 || code === 69 || code === 101;
}

/** `: , [` and white space. */
function beforeNumber(code: number): boolean {
  return code === 58 || code === 44 || code === 91 || isWhite(code);
}

/** `, } ]` and white space. */
function endsNumber(code: number): boolean {
  return code === 44 || code === 125 || code === 93 || isWhite(code);
}

function isWhite(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}
