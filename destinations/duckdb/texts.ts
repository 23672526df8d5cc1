import duckdb, { type Vector } from '@duckdb/node-bindings';

/**
 * Texts in the form that DuckDB keeps them in, `duckdb_string_t` of its C interface: 16 bytes each, of which the first four are the
 * length in bytes. Up to 12 bytes of text follow; of a longer one, four bytes and the address of the whole.
 *
 * DuckDB's client takes texts one by one, which costs more than all else about a row (measured: 275 ns each). So short ones are written here, and the long ones of a vector go to DuckDB as one text, of which each is a part.
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
  let joined: string[] = [];
  let joinedAt: number[] = [];
  let alone: string[] = [];
  let aloneAt: number[] = [];

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

  /** Those that are not ASCII go alone: where they begin in the whole is not known by counting characters. */
  function sortOut(): string {
    const whole = joined.join('');
    if (isAscii(whole)) return whole;
    const [texts, places] = [joined, joinedAt];
    joined = [];
    joinedAt = [];
    texts.forEach((text, index) => {
      const ascii = isAscii(text);
      (ascii ? joined : alone).push(text);
      (ascii ? joinedAt : aloneAt).push(places[index]!);
    });
    return joined.join('');
  }

  function pointInto(whole: string, address: number): void {
    let begin = 0;
    for (let index = 0; index < joined.length; index++) {
      const at = joinedAt[index]! * WORDS;
      words[at] = joined[index]!.length;
      words[at + 1] =
        whole.charCodeAt(begin) |
        (whole.charCodeAt(begin + 1) << 8) |
        (whole.charCodeAt(begin + 2) << 16) |
        (whole.charCodeAt(begin + 3) << 24);
      const high = Math.floor((address + begin) / 2 ** 32);
      words[at + 2] = address + begin - high * 2 ** 32;
      words[at + 3] = high;
      begin += joined[index]!.length;
    }
  }

  return {
    add(text) {
      const at = count * TEXT_BYTES;
      // Also where there is no text, or a shorter one than the last time: DuckDB compares all 16 bytes.
      for (let word = 0; word < WORDS; word++) words[count * WORDS + word] = 0;
      if (text !== null && !(text.length <= INLINE_BYTES && inline(text, at))) {
        const together = text.length > INLINE_BYTES && text.length <= LONG_TEXT;
        (together ? joined : alone).push(text);
        (together ? joinedAt : aloneAt).push(count);
      }
      count++;
    },

    writeTo(vector) {
      const whole = sortOut();
      if (whole !== '') pointInto(whole, addressIn(vector, whole));
      duckdb.copy_data_to_vector(vector, 0, bytes.buffer, 0, count * TEXT_BYTES);
      let outside = whole.length;
      alone.forEach((text, index) => {
        duckdb.vector_assign_string_element(vector, aloneAt[index]!, text);
        outside += text.length;
      });
      count = 0;
      joined = [];
      joinedAt = [];
      alone = [];
      aloneAt = [];
      return outside;
    },
  };
}

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
