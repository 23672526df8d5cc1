import type { Refresh } from '../position.ts';
import type { Layout } from './layout.ts';
import { copyData, type PreparedPage } from './page.ts';
import { keepDisplaced, type Repeated, readRepeated } from './repeated.ts';
import type { Session } from './session.ts';
import { copyInto, createStaged, mergeRefreshed, mergeRows, mergeSeen, type Names } from './sql.ts';

/** What became of a batch's rows. */
export interface Written {
  readonly written: number;
  readonly unchanged: number;
  /** Rows that share a key with another row. */
  readonly repeated: Repeated['rejects'];
}

/** Below this part of a table, looking up each row of a batch in the table's key is quicker than reading the table. */
const SMALL_PART = 0.05;

export interface MergeOptions {
  readonly layout: Layout;
  readonly refresh: Refresh | null;
  /** By these columns rows of one key are told apart, or null. */
  readonly telling: readonly string[] | null;
  /** Whether most rows are expected to be there already. */
  readonly lookFirst: boolean;
}

/** A first load: rows go straight into the keyless table; what is older of one key is removed when the key is made. */
export async function loadRows(session: Session, names: Names, pages: readonly PreparedPage[]): Promise<Written> {
  return { written: await copyPages(session, names.loading, pages), unchanged: 0, repeated: [] };
}

/** Everything else: rows are staged, and merged by their key. */
export async function mergePages(
  session: Session,
  names: Names,
  pages: readonly PreparedPage[],
  { layout, refresh, telling, lookFirst }: MergeOptions,
): Promise<Written> {
  if (pages.every(({ rows }) => rows === 0)) return { written: 0, unchanged: 0, repeated: [] };
  await session.run(createStaged(names));
  const arrived = await copyPages(session, names.staged, pages);
  if (arrived < layout.estimatedRows * SMALL_PART) {
    await session.run(`select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)`);
  }
  if (telling !== null) await keepDisplaced(session, names, telling, refresh !== null);
  if (refresh !== null) await session.run(mergeSeen(names));
  const written = await session.run(refresh === null ? mergeRows(names, lookFirst) : mergeRefreshed(names));
  const repeated = telling === null ? { rejects: [], arrivals: 0 } : await readRepeated(session, names, telling);
  return { written, unchanged: arrived - written - repeated.arrivals, repeated: repeated.rejects };
}

/** @returns how many rows there were. */
async function copyPages(session: Session, table: string, pages: readonly PreparedPage[]): Promise<number> {
  let rows = 0;
  for (const { columns, chunks } of copyData(pages)) rows += await session.copy(copyInto(table, columns), chunks);
  return rows;
}
