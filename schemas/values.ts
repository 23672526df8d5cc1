/**
 * What `decodeJson` gives beside JSON's own values, so that nothing is lost: numbers that a double would not write back as
 * they came, and text whose bytes are no UTF-8.
 */

declare global {
  // TypeScript's library does not know these yet.
  interface JSON {
    rawJSON(text: string): RawNumber;
    isRawJSON(value: unknown): value is RawNumber;
  }
}

/** A number as its JSON text; `JSON.stringify` writes it as it is. */
export interface RawNumber {
  readonly rawJSON: string;
}

const BROKEN = Symbol('broken text');

/** A string whose bytes are no UTF-8. */
export interface BrokenText {
  readonly [BROKEN]: true;
  /** The text, with U+FFFD for what could not be read. */
  readonly text: string;
  /** The bytes between its quotation marks in hex, JSON's escapes left as they came. */
  readonly hex: string;
}

export function brokenText(text: string, hex: string): BrokenText {
  return { [BROKEN]: true, text, hex };
}

export function isBrokenText(value: object): value is BrokenText {
  return BROKEN in value;
}

/** A JSON object, as opposed to a list, a number kept as text or a broken text. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !JSON.isRawJSON(value) &&
    !isBrokenText(value)
  );
}
