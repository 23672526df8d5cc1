import type { Chunks, Item, Items } from '../accounts/input/item.ts';

/** An input in pieces of so many bytes. */
export async function* pieces(text: string | Uint8Array, size: number): Chunks {
  const bytes = Buffer.from(text as string);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function collect(items: Items): Promise<Item[]> {
  const all: Item[] = [];
  for await (const some of items) all.push(...some);
  return all;
}
