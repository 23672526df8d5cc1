/**
 * Memory that is used again, for pages on their way. What is half a megabyte large and comes and goes between longer-lived memory of
 * other sizes leaves a process of twice the size (measured); and the garbage collector, which sees little of it, lets it lie.
 */
export interface Buffers {
  /** Memory of that many bytes; what is in it is left over from somebody else. */
  take(length: number): Buffer;
  /** Takes back what `take` gave, or a part of it from its beginning. Nobody may read it any more; anything else is left alone. */
  giveBack(bytes: Uint8Array): void;
}

/** From so many bytes on, it is memory of its own. */
const LARGEST = 1024 * 1024;
const SMALLEST = 64 * 1024;

/** @param most how many of one size are kept for the next. */
export function createBuffers(most: number): Buffers {
  const unused = new Map<number, ArrayBuffer[]>();
  const lent = new WeakSet<ArrayBufferLike>();

  return {
    take(length) {
      if (length > LARGEST) return Buffer.allocUnsafeSlow(length);
      const size = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(length)));
      const memory = unused.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size).buffer;
      lent.add(memory);
      return Buffer.from(memory, 0, length);
    },
    giveBack({ buffer }) {
      if (!lent.delete(buffer)) return;
      const same = unused.get(buffer.byteLength) ?? [];
      unused.set(buffer.byteLength, same);
      if (same.length < most) same.push(buffer as ArrayBuffer);
    },
  };
}
