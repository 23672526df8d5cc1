import { isBrokenText } from './values.ts';

/** A value as JSON text, and what a database must know before it takes it. */
export interface JsonText {
  readonly text: string;
  /** How deep lists and objects nest; 0 for a value that is neither. */
  readonly depth: number;
  /** Whether no string and no name in it holds a character that databases do not keep (see `isStorable`). */
  readonly storable: boolean;
  /** Whether every number passes `holdsNumber`. */
  readonly numbersHeld: boolean;
  /** Whether a string in it came with bytes that are no UTF-8. */
  readonly broken: boolean;
}

/** A list or object that is being written. */
interface Open {
  readonly names: readonly string[] | null;
  readonly values: readonly unknown[];
  next: number;
}

export interface JsonOptions {
  readonly holdsNumber: (text: string) => boolean;
  /** What a broken text becomes: its text alone, or (by default) an object of `text` and `hex`. */
  readonly brokenAsText?: boolean;
}

/**
 * Writes any decoded value as JSON, every number with the digits it came with. Control characters and lone surrogates come out
 * escaped. Nesting is a list instead of recursion, so that no depth is too deep.
 */
export function writeJson(value: unknown, { holdsNumber, brokenAsText = false }: JsonOptions): JsonText {
  const open: Open[] = [];
  let text = '';
  let depth = 0;
  let storable = true;
  let numbersHeld = true;
  let broken = false;

  const writeString = (string: string) => {
    storable &&= isStorable(string);
    text += JSON.stringify(string);
  };
  const writeNumber = (number: string) => {
    numbersHeld &&= holdsNumber(number);
    text += number;
  };
  const enter = (names: readonly string[] | null, values: readonly unknown[]) => {
    open.push({ names, values, next: 0 });
    depth = Math.max(depth, open.length);
    text += names === null ? '[' : '{';
  };
  const write = (item: unknown) => {
    if (typeof item === 'string') writeString(item);
    else if (typeof item === 'number') writeNumber(JSON.stringify(item));
    else if (typeof item !== 'object' || item === null) text += String(item);
    else if (JSON.isRawJSON(item)) writeNumber(item.rawJSON);
    else if (Array.isArray(item)) enter(null, item);
    else if (isBrokenText(item)) {
      broken = true;
      if (brokenAsText) writeString(item.text);
      else enter(['text', 'hex'], [item.text, item.hex]);
    } else enter(Object.keys(item), Object.values(item));
  };

  write(value);
  for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
    const at = last.next++;
    if (at === last.values.length) {
      text += last.names === null ? ']' : '}';
      open.pop();
      continue;
    }
    if (at > 0) text += ',';
    if (last.names !== null) {
      writeString(last.names[at]!);
      text += ':';
    }
    write(last.values[at]);
  }
  return { text, depth, storable, numbersHeld, broken };
}

/** Whether databases keep every character of a text: none keeps half a surrogate pair, and Postgres no NUL. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** The text without the characters that databases do not keep. */
export function storablePart(text: string): string {
  return text.replace(/[\0\p{Surrogate}]/gu, '');
}

/** Whether the text's UTF-8 takes no more than that many bytes. */
export function fitsBytes(text: string, maxBytes: number): boolean {
  // Three bytes is the most that one UTF-16 unit takes: only a text near the limit is measured.
  return text.length * 3 <= maxBytes || Buffer.byteLength(text, 'utf8') <= maxBytes;
}
