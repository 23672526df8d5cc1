/** The part of pg-copy-streams that is used here; the package brings no types. */
declare module 'pg-copy-streams' {
  import type { Writable } from 'node:stream';
  import type { Submittable } from 'pg';

  /** A query that is also a stream to write COPY's data to; it finishes once the server has taken all of it. */
  export function from(sql: string): Writable & Submittable & { readonly rowCount: number };
}
