import { Buffer, isUtf8 } from 'node:buffer';
import { type BrokenText, brokenText } from './values.ts';

/**
 * Reads a JSON text again, one that `JSON.parse` has accepted, and keeps what `JSON.parse` loses. Being known to be JSON, the text
 * needs no grammar here: separators are passed over, and nesting is a list instead of recursion, so that no depth is too deep.
 */

/** A list or object that is being read. */
interface Open {
  readonly value: unknown[] | Record<string, unknown>;
  /** The name whose value comes next; null in a list, and in an object before a name. */
  name: string | BrokenText | null;
  /** Members whose name is broken. They are added at the end, under a name that no other member has. */
  readonly broken: [BrokenText, unknown][];
}

type ReadString = (raw: string) => string | BrokenText;

/** Rereads a text that was well-formed UTF-8. */
export function rereadText(text: string): unknown {
  return reread(text, unescaped);
}

/** Rereads bytes that are not: `latin1` has one character a byte. */
export function rereadBytes(latin1: string): unknown {
  return reread(latin1, (raw) => {
    const bytes = Buffer.from(raw, 'latin1');
    const text = unescaped(bytes.toString('utf8'));
    return isUtf8(bytes) ? text : brokenText(text, bytes.toString('hex'));
  });
}

function reread(text: string, readString: ReadString): unknown {
  const open: Open[] = [];
  for (let at = 0; ; ) {
    const char = text[at]!;
    let value: unknown;
    if (char === '{' || char === '[') {
      open.push({ value: char === '{' ? {} : [], name: null, broken: [] });
      at += 1;
      continue;
    }
    if (char === '}' || char === ']') {
      value = close(open.pop()!);
      at += 1;
    } else if (char === '"') {
      const end = endOfString(text, at + 1);
      value = readString(text.slice(at + 1, end));
      at = end + 1;
      const container = open.at(-1);
      if (container?.name === null && !Array.isArray(container.value)) {
        container.name = value as string | BrokenText;
        continue;
      }
    } else if (isSeparator(char)) {
      at += 1;
      continue;
    } else {
      const start = at;
      while (at < text.length && !isSeparator(text[at]!) && text[at] !== '}' && text[at] !== ']') at += 1;
      value = literal(text.slice(start, at));
    }
    const container = open.at(-1);
    if (container === undefined) return value;
    place(container, value);
  }
}

function place(container: Open, value: unknown): void {
  const { name } = container;
  if (Array.isArray(container.value)) {
    container.value.push(value);
  } else if (typeof name === 'string') {
    set(container.value, name, value);
  } else {
    container.broken.push([name!, value]);
  }
  container.name = null;
}

function close({ value, broken }: Open): unknown {
  for (const [{ text, hex }, member] of broken) {
    let name = `${text} (${hex})`;
    while (Object.hasOwn(value, name)) name += '*';
    set(value as Record<string, unknown>, name, member);
  }
  return value;
}

function set(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Where the string that begins at `start` has its closing quotation mark: the first that an even number of backslashes precedes. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
}

function isSeparator(char: string): boolean {
  return char === ',' || char === ':' || char === ' ' || char === '\n' || char === '\r' || char === '\t';
}

function unescaped(raw: string): string {
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
}

function literal(token: string): unknown {
  if (token === 'true') return true;
  if (token === 'false') return false;
  if (token === 'null') return null;
  const number = Number(token);
  return String(number) === token ? number : JSON.rawJSON(token);
}
