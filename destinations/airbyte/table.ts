import type { Mapping } from '../../schemas/row.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { Batch, Batching, Committed, Page, Prepared, Table } from '../contract.ts';
import { systemError } from '../failure.ts';
import { applyChanges, type Position } from '../position.ts';
import { logLine, stateLine, statusLine } from './messages.ts';
import type { Output } from './output.ts';
import { type PlainLines, plainPages } from './plain-page.ts';
import { recordWriter } from './records.ts';

/**
 * One lane: a STATE stands for all RECORDs of its stream before it. Often enough that a run which is killed has little to do again,
 * and rarely enough that it costs nothing. The budget keeps 16 requests busy, and is little beside the limit of a small container while
 * a slow reader is waited for.
 */
export const airbyteBatching: Batching = {
  lanes: 1,
  rows: 5_000,
  bytes: 4_000_000,
  seconds: 5,
  budget: 32 * 1024 * 1024,
};

export interface PrintedTableOptions {
  readonly stream: Stream;
  readonly output: Output;
  /** The position to go on from, or null. @throws {Failure} `config_error` when going on from it would be a guess. */
  readonly given: () => Position | null;
  /** What each STATE holds beside the position. */
  readonly beside: object;
}

interface PrintedPage extends Prepared {
  readonly lines: Uint8Array;
  /** Called once they are written. */
  readonly release: () => void;
  readonly rows: number;
  /** Why each record that is no row is none. */
  readonly rejects: readonly string[];
  readonly changedFields: number;
  readonly unparsedDates: number;
}

/**
 * A table that prints: a commit is the batch's RECORDs and then the STATE that holds once they are read. What a reader has taken up
 * to any STATE can be gone on from.
 */
export function printedTable({ stream, output, given, beside }: PrintedTableOptions): Table {
  const { name } = stream;
  const writer = recordWriter(stream);
  const plain = plainPages(stream);
  let position: Position | null = null;
  let running = false;

  async function commit({ pages, changes }: Batch<PrintedPage>): Promise<Committed> {
    if (!running) output.tell(statusLine(name, 'RUNNING'));
    running = true;
    const rejects = pages.flatMap((page) => page.rejects);
    const records = sum(pages, (page) => page.rows);
    position = applyChanges(position, changes, { table: null, holdsRows: records > 0 });
    for (const page of pages) await output.write(page.lines, page.release);
    if (rejects.length > 0) output.tell(logLine('WARN', rejectsText(name, rejects)));
    await output.write(stateLine(name, { ...position, ...beside }, { records, rejected: rejects.length }));
    return {
      written: records,
      unchanged: 0,
      changedFields: sum(pages, (page) => page.changedFields),
      unparsedDates: sum(pages, (page) => page.unparsedDates),
      rejects: rejects.length,
      repeatedKeys: 0,
    };
  }

  function ordinary(mapping: Mapping, askedAt: string): PrintedPage {
    const { rows, rejects, changedFields, unparsedDates } = mapping;
    const lines = Buffer.from(writer.lines(mapping, askedAt));
    const page = printed({ lines, rows: rows.length, release: () => {} });
    const reasons = rejects.map(({ reason }) => reason);
    return { ...page, records: rows.length + rejects.length, rejects: reasons, changedFields, unparsedDates };
  }

  return {
    token: '',
    async position() {
      position = given();
      const document = position === null ? null : JSON.stringify(position);
      return { document, table: null, holdsRows: position?.rows ?? false };
    },
    prepare: ({ bytes, askedAt, rows: map }: Page) => {
      const ready = plain.lines(bytes, askedAt);
      return ready === null ? ordinary(map(), askedAt) : { ...NOTHING_SPECIAL, ...printed(ready) };
    },
    commit: (batch) => commit(batch as Batch<PrintedPage>),
    finishRefresh: () => Promise.reject(systemError(`${name}: a printed stream has no deletions to mark`)),
  };
}

const NOTHING_SPECIAL = { rejects: [], changedFields: 0, unparsedDates: 0 };

function printed(page: PlainLines) {
  return { ...page, records: page.rows, bytes: page.lines.length };
}

/** `borrowers: 3 records are left out: public_id is missing (2), public_id is empty (1)`. */
function rejectsText(stream: string, reasons: readonly string[]): string {
  const counts = [...Map.groupBy(reasons, (reason) => reason)].map(([reason, of]) => `${reason} (${of.length})`);
  const count = reasons.length === 1 ? '1 record is' : `${reasons.length} records are`;
  return `${stream}: ${count} left out: ${counts.join(', ')}`;
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
