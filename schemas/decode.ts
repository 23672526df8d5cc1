import { Buffer, isUtf8 } from 'node:buffer';
import { rereadBytes, rereadText } from './reread.ts';

/**
 * Decodes a JSON body so that nothing is lost: a number that a double cannot hold with the digits it came with becomes a raw JSON
 * object (`JSON.isRawJSON`, its text in `rawJSON`), a string with invalid UTF-8 a `BrokenText`. A body that holds neither, which is
 * nearly every one, costs `JSON.parse` and one search. Of a name that an object holds twice the last value counts, as in `JSON.parse`.
 *
 * @throws {SyntaxError} when the body is not JSON; its message holds nothing of the body.
 */
export function decodeJson(bytes: Uint8Array): unknown {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = body.toString('utf8', hasByteOrderMark(body) ? 3 : 0);
  const value = parse(text);
  if (!isUtf8(body)) return rereadBytes(body.toString('latin1', hasByteOrderMark(body) ? 3 : 0));
  return holdsInexactNumber(text) ? rereadText(text) : value;
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

/** A number of 16 digits or more, one with an exponent behind its whole part, or zero below zero, behind what may precede a number. */
const SUSPECT = /[:,[]\s*(?:[-\d]\d{15}|-?\d{1,15}[eE]|-0[,}\]\s])/g;

/**
 * Whether JavaScript would write a number of the text otherwise than it came. Only the few that could be so are looked at: those
 * above, and those with a point. What stands in a string is at worst suspected in vain.
 */
function holdsInexactNumber(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return true;
  for (let at = text.indexOf('.'); at !== -1; ) {
    const end = endOfNumber(text, at);
    if (isInexact(text, at, end)) return true;
    at = text.indexOf('.', end);
  }
  SUSPECT.lastIndex = 0;
  while (SUSPECT.test(text)) {
    const at = SUSPECT.lastIndex - 2;
    if (isInexact(text, at, endOfNumber(text, at))) return true;
  }
  return false;
}

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
