/** What stands at one line of an input. */
export type Item =
  | { readonly line: number; readonly value: unknown }
  /** What cannot be read, and why; nothing of it. */
  | { readonly line: number; readonly problem: string };

/** What a reader makes of an input's bytes: lists of items, for speed, as large as the pieces the bytes come in. */
export type Items = AsyncIterable<readonly Item[]>;

/** Pieces of an input as they come; each is good until the next one is asked for. */
export type Chunks = AsyncIterable<Uint8Array>;

/** Longer accounts are refused: memory is bounded. */
export const LONGEST_BYTES = 1024 * 1024;

export const TOO_LONG = `is longer than ${LONGEST_BYTES / 1024 / 1024} MB`;

export const FORMATS = ['ndjson', 'json', 'csv'] as const;
export type Format = (typeof FORMATS)[number];
