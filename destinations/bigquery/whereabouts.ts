import type { TableInfo } from './catalog.ts';

/** Where a stream's rows are now. */
export interface Whereabouts {
  readonly table: TableInfo | null;
  /** Only looked for where there is no table. */
  readonly loading: TableInfo | null;
}

/**
 * The identity of the stream's table. One that was made of a loading table answers to that one's identity for as long as the
 * position names it: then its position was not stored any more after it was made.
 */
export function identityOf({ table, loading }: Whereabouts, document: string | null): string | null {
  if (table === null) return loading?.identity ?? null;
  return table.madeFrom !== null && tableIn(document) === table.madeFrom ? table.madeFrom : table.identity;
}

function tableIn(document: string | null): unknown {
  try {
    return (JSON.parse(document ?? 'null') as { table?: unknown } | null)?.table;
  } catch {
    return null;
  }
}
