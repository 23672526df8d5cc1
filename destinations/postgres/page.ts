import type { Reject } from '../../schemas/row.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { Buffers } from '../buffers.ts';
import type { Page, Prepared } from '../contract.ts';
import { COPY_HEADER, COPY_TRAILER, rowEncoder } from './encode.ts';
import type { NativeColumn } from './kinds.ts';
import { plainEncoder } from './plain.ts';

/** A page as it will be sent. */
export interface PreparedPage extends Prepared {
  readonly rows: number;
  /** The rows in the form of binary COPY. */
  readonly data: Buffer;
  /** The columns that `data` has. */
  readonly columns: readonly string[];
  readonly rejects: readonly (Reject & { readonly seenAt: string })[];
  readonly changedFields: number;
  readonly unparsedDates: number;
}

/**
 * Prepares a stream's pages: those that hold no surprise from their bytes, all others from their mapped rows.
 *
 * @param buffers what `data` is taken from; whoever has written a page gives it back.
 */
export function pagePreparer(
  stream: Stream,
  columns: readonly NativeColumn[],
  buffers: Buffers,
): (page: Page) => PreparedPage {
  const plain = plainEncoder(stream);
  const encodeRows = rowEncoder(columns);
  const names = columns.map(({ name }) => name);

  function fromRows(page: Page): PreparedPage {
    const { rows, rejects, changedFields, unparsedDates } = page.rows();
    const data = encodeRows(rows);
    return {
      records: rows.length + rejects.length,
      bytes: data.length + rejects.reduce((sum, { record }) => sum + record.length * 2, 0),
      rows: rows.length,
      data,
      columns: names,
      rejects: rejects.map((reject) => ({ ...reject, seenAt: page.askedAt })),
      changedFields,
      unparsedDates,
    };
  }

  return (page) => {
    const encoded = plain.encode(page);
    if (encoded === null) return fromRows(page);
    const { records, unparsedDates } = encoded;
    const data = buffers.take(encoded.data.length);
    data.set(encoded.data);
    const none = { rejects: [], changedFields: 0 };
    return { records, bytes: data.length, rows: records, data, columns: encoded.columns, ...none, unparsedDates };
  };
}

/** What one COPY brings: pages of the same columns. */
export interface CopyData {
  readonly columns: readonly string[];
  readonly chunks: readonly Uint8Array[];
}

export function copyData(pages: readonly PreparedPage[]): CopyData[] {
  const groups = Map.groupBy(
    pages.filter(({ rows }) => rows > 0),
    ({ columns }) => columns,
  );
  return [...groups].map(([columns, group]) => ({
    columns,
    chunks: [COPY_HEADER, ...group.map(({ data }) => data), COPY_TRAILER],
  }));
}
