import duckdb, { type Vector } from '@duckdb/node-bindings';

/**
 * Texts in the form that DuckDB keeps them in, `duckdb_string_t` of its C interface: 16 bytes each, of which the first four are the
 * length in bytes. Up to 12 bytes of text follow; of a longer one, four bytes and the address of the whole.
 *
 * DuckDB's client takes texts one by one, which costs more than all else about a row (measured: 275 ns each). So short ones are written
 * here, and the long ones of a vector go to DuckDB as one text, of which each is a part.
 */

/** What a text takes in a vector. */
export const TEXT_BYTES = 16;

const INLINE_BYTES = 12;

/** A text of more characters goes to DuckDB alone: its own length is what it costs. */
const LONG_TEXT = 4096;

/** Lengths and addresses are written as words of 32 bits, lowest byte first, as on every machine that DuckDB's client is made for. */
const WORD_BYTES = 4;
const WORDS = TEXT_BYTES / WORD_BYTES;

/** Collects the texts of one vector. */
export interface Texts {
  /** @param text null where there is none. */
  add(text: string | null): void;
  /** Writes all of them into the vector, from its beginning. @returns how many bytes of text lie outside of it. */
  writeTo(vector: Vector): number;
}

/** For one vector after the other, of up to so many texts. */
export function createTexts(capacity: number): Texts {
  const bytes = new Uint8Array(capacity * TEXT_BYTES);
  const words = new Uint32Array(bytes.buffer);
  let count = 0;
  let long: Placed[] = [];
  let alone: Placed[] = [];

  /** Writes a text that fits here and is ASCII. @returns whether it is. */
  function inline(text: string, at: number): boolean {
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[at + 4 + index] = code;
    }
    words[at / WORD_BYTES] = text.length;
    return true;
  }

  function pointInto(whole: string, parts: readonly Placed[], address: number): void {
    let begin = 0;
    for (const { text, place } of parts) {
      const at = place * WORDS;
      words[at] = text.length;
      words[at + 1] =
        whole.charCodeAt(begin) |
        (whole.charCodeAt(begin + 1) << 8) |
        (whole.charCodeAt(begin + 2) << 16) |
        (whole.charCodeAt(begin + 3) << 24);
      const high = Math.floor((address + begin) / 2 ** 32);
      words[at + 2] = address + begin - high * 2 ** 32;
      words[at + 3] = high;
      begin += text.length;
    }
  }

  return {
    add(text) {
      // Also where there is no text, or a shorter one than the last time: DuckDB compares all 16 bytes.
      for (let word = 0; word < WORDS; word++) words[count * WORDS + word] = 0;
      if (text !== null && !(text.length <= INLINE_BYTES && inline(text, count * TEXT_BYTES))) {
        const list = text.length > INLINE_BYTES && text.length <= LONG_TEXT ? long : alone;
        list.push({ text, place: count });
      }
      count++;
    },

    writeTo(vector) {
      const [all, singles, bytesInVector] = [long, alone, count * TEXT_BYTES];
      // Whatever fails from here on leaves nothing behind for the next vector.
      [long, alone, count] = [[], [], 0];
      let whole = join(all);
      let parts = all;
      if (!isAscii(whole)) {
        // Where a part begins is counted in characters, so one that is not ASCII goes alone.
        parts = all.filter(({ text }) => isAscii(text));
        singles.push(...all.filter(({ text }) => !isAscii(text)));
        whole = join(parts);
      }
      if (whole !== '') pointInto(whole, parts, addressIn(vector, whole));
      duckdb.copy_data_to_vector(vector, 0, bytes.buffer, 0, bytesInVector);
      for (const { text, place } of singles) duckdb.vector_assign_string_element(vector, place, text);
      return singles.reduce((sum, { text }) => sum + text.length, whole.length);
    },
  };
}

interface Placed {
  readonly text: string;
  /** Its row. */
  readonly place: number;
}

const join = (parts: readonly Placed[]) => parts.map(({ text }) => text).join('');

/** Gives DuckDB a text of more than 12 bytes, which the vector keeps as long as its values. @returns the address that DuckDB has it at. */
function addressIn(vector: Vector, text: string): number {
  duckdb.vector_assign_string_element(vector, 0, text);
  const first = duckdb.vector_get_data(vector, TEXT_BYTES);
  const view = new DataView(first.buffer, first.byteOffset, TEXT_BYTES);
  return view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32;
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
