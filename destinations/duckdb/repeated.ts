import type { DuckDBValue } from '@duckdb/node-api';
import type { Reject } from '../../schemas/row.ts';
import type { Stream } from '../../schemas/stream.ts';
import { repeatedKeyReject } from '../repeated-key.ts';
import { asValue } from './decode.ts';
import type { NativeColumn } from './kinds.ts';
import { deleteDisplaced, keepCollided, keepDisplaced, selectDisplaced, selectRepeated } from './repeated-sql.ts';
import type { Session } from './session.ts';
import type { Names } from './sql.ts';

/** A reject and the instant at which the page that brought it was asked for. */
export interface DatedReject extends Reject {
  readonly seenAt: string;
}

/** Notices rows that share their key with another row, around the writing of a batch (design rule 14). */
export interface RepeatedKeys {
  before(refreshing: boolean): Promise<void>;
  /** `arrived`: how many of the rejects were rows of the batch. */
  after(): Promise<{ readonly rejects: readonly DatedReject[]; readonly arrived: number }>;
  /** Takes out the rows that cannot stay when the table's key, `oldKey`, becomes the stream's. */
  removeCollided(oldKey: readonly string[]): Promise<DatedReject[]>;
}

export function repeatedKeys(
  session: Session,
  stream: Stream,
  names: Names,
  columns: readonly NativeColumn[],
): RepeatedKeys {
  const telling = stream.suspectKey?.by ?? null;
  const kept = columns.slice(0, -1);

  function asReject(row: Record<string, DuckDBValue>): DatedReject {
    const reject = repeatedKeyReject(stream, (column) => asValue(row[column] ?? null));
    return { ...reject, seenAt: asValue(row._synced_at!) as string };
  }

  return {
    async before(refreshing) {
      if (telling !== null) await session.run(keepDisplaced(stream, names, kept, telling, refreshing));
    },
    async after() {
      if (telling === null) return { rejects: [], arrived: 0 };
      const rows = await session.rows(selectRepeated(stream, names, kept, telling));
      return {
        rejects: rows.map(asReject),
        arrived: rows.filter((row) => row._cleargrid_displaced === false).length,
      };
    },
    async removeCollided(oldKey) {
      await session.run(keepCollided(stream, names, kept, oldKey));
      const rows = await session.rows(selectDisplaced(names, kept));
      await session.run(deleteDisplaced(names, oldKey));
      return rows.map(asReject);
    },
  };
}
