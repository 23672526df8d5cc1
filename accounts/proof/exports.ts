import type { Reporter } from '../../connector/report.ts';
import type { Source } from '../../connector/source.ts';
import { syncStreams } from '../../connector/sync/streams.ts';
import type { Timing } from '../../connector/timing.ts';
import type { Batch, Page, Prepared, Table } from '../../destinations/contract.ts';
import { Failure } from '../../destinations/failure.ts';
import { memoryKinds } from '../../destinations/memory/kinds.ts';
import { applyChanges, type Position } from '../../destinations/position.ts';
import { streamNamed } from '../../schemas/registry.ts';
import type { RowValues } from '../../schemas/row.ts';
import { type Stream, tableColumns } from '../../schemas/stream.ts';

/** A row by its columns' names. */
export type ExportedRow = (column: string) => string | null;

export interface Exports {
  /**
   * Reads what has changed since it was read last, or at first since `start`; null, or a `start` further back than before, reads what
   * lies before as well.
   *
   * @throws {Failure} when a stream cannot be read to its end.
   */
  read(start: string | null): Promise<void>;
}

export interface ExportsOptions {
  readonly source: Source;
  readonly timing: Timing;
  readonly signal: AbortSignal;
  readonly concurrency: number;
  /** By stream: called with each of its rows, some of them more than once. */
  readonly streams: Readonly<Record<string, (row: ExportedRow) => void>>;
  readonly reporter: Reporter;
}

/** A row that was committed while it was being read is seen by the next reading. */
const LOOK_BACK_MS = 60_000;

/** Reads streams by the loop that `sync` reads them by, into tables that keep nothing: each row is shown once it has been read. */
export function openExports({ source, timing, signal, concurrency, streams, reporter }: ExportsOptions): Exports {
  const read = Object.entries(streams).map(([name, show]) => ({ stream: streamNamed(name)!, show }));
  const tables = new Map(read.map(({ stream, show }) => [stream.name, showingTable(stream, show)]));
  // To the API's own now, and not to that of a clock which is up to a second behind: rows of that second count.
  const endless: Source = {
    lender: source.lender,
    now: source.now,
    hasServerClock: false,
    fetchPage: source.fetchPage,
  };

  return {
    async read(start) {
      const summaries = await syncStreams({
        streams: read.map(({ stream }) => ({ stream, lookBackMs: LOOK_BACK_MS })),
        tables,
        destination: {
          kinds: memoryKinds,
          batching: { lanes: 2, rows: 10_000, bytes: 8_000_000, seconds: 1, budget: 32_000_000 },
        },
        ...{ source: endless, timing, reporter, signal, concurrency, streamsAtOnce: read.length, startDate: start },
        fullRefresh: false,
        allowMassDelete: false,
      });
      signal.throwIfAborted();
      for (const { error } of summaries) {
        if (error !== null) throw new Failure(error.kind, error.message, { requestId: error.request_id });
      }
    },
  };
}

interface ReadPage extends Prepared {
  readonly rows: readonly RowValues[];
}

function showingTable(stream: Stream, show: (row: ExportedRow) => void): Table {
  const columns = new Map(tableColumns(stream).map((name, at) => [name, at]));
  let position: Position | null = null;
  const rowOf =
    (values: RowValues): ExportedRow =>
    (column) => {
      const value = values[columns.get(column)!];
      return value === null || value === undefined ? null : String(value);
    };

  return {
    token: '',
    position: async () => ({
      document: position === null ? null : JSON.stringify(position),
      table: position === null ? null : stream.name,
      holdsRows: position !== null,
    }),
    prepare(page: Page): ReadPage {
      const { rows, rejects } = page.rows();
      return { rows, records: rows.length + rejects.length, bytes: page.bytes.byteLength * 2 };
    },
    async commit({ pages, changes }) {
      for (const { rows } of pages as Batch<ReadPage>['pages']) for (const values of rows) show(rowOf(values));
      position = applyChanges(position, changes, { table: stream.name, holdsRows: true });
      return { written: 0, unchanged: 0, changedFields: 0, unparsedDates: 0, rejects: 0, repeatedKeys: 0 };
    },
    finishRefresh: async () => ({ deleted: 0 }),
  };
}
