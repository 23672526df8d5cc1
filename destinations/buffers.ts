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

/** Sizes come in steps of a quarter to an eighth of themselves: pages of a stream are much alike, and little is left unused. */
const sizeFor = (length: number): number => {
  if (length <= SMALLEST) return SMALLEST;
  const step = 2 ** (Math.ceil(Math.log2(length)) - 3);
  return Math.ceil(length / step) * step;
};

/** @param mostBytes how much is kept for the next; what goes is of the size that was not asked for the longest. */
export function createBuffers(mostBytes: number): Buffers {
  /** By size, the one used last at the end. */
  const unused = new Map<number, ArrayBuffer[]>();
  const lent = new WeakSet<ArrayBufferLike>();
  let held = 0;

  /** Those of one size, which is now the one used last. */
  function ofSize(size: number): ArrayBuffer[] {
    const same = unused.get(size) ?? [];
    unused.delete(size);
    unused.set(size, same);
    return same;
  }

  function letGo(): void {
    for (const [size, same] of unused) {
      if (same.pop() === undefined) unused.delete(size);
      else {
        held -= size;
        return;
      }
    }
  }

  return {
    take(length) {
      if (length > LARGEST) return Buffer.allocUnsafeSlow(length);
      const size = sizeFor(length);
      const kept = ofSize(size).pop();
      if (kept !== undefined) held -= size;
      const memory = kept ?? Buffer.allocUnsafeSlow(size).buffer;
      lent.add(memory);
      return Buffer.from(memory, 0, length);
    },
    giveBack({ buffer }) {
      if (!lent.delete(buffer)) return;
      ofSize(buffer.byteLength).push(buffer as ArrayBuffer);
      held += buffer.byteLength;
      while (held > mostBytes) letGo();
    },
  };
}
