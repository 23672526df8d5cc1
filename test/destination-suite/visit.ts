import { afterEach, beforeEach } from 'vitest';
import type {
  Committed,
  Destination,
  Page,
  Prepared,
  Run,
  StoredPosition,
  Table,
} from '../../destinations/contract.ts';
import type { Position, PositionChange, Refresh, Window } from '../../destinations/position.ts';
import { decodeJson } from '../../schemas/decode.ts';
import type { Kinds } from '../../schemas/kinds.ts';
import { compileMapper } from '../../schemas/mapper.ts';
import type { Stream } from '../../schemas/stream.ts';
import { at } from './streams.ts';
import type { MakeTarget, Target } from './target.ts';

export type Row = Readonly<Record<string, unknown>>;

/** Records (objects, or JSON text where the digits matter) that one page brings, and when it was asked for. */
export interface PageOf {
  readonly askedAt: string;
  readonly records: readonly (object | string)[];
}

export interface WriteOptions {
  /** Default: `begin` where the stream has no position yet, else none. */
  readonly changes?: readonly PositionChange[];
  readonly refresh?: Refresh | null;
}

/** A run that has opened its streams. */
export interface OpenRun {
  readonly destination: Destination;
  readonly run: Run;
  /** What opening it has warned of. */
  readonly warnings: readonly string[];
  /** What it was told of work on tables. */
  readonly notes: readonly string[];
  table(stream: Stream): Table;
  /** Commits these pages as one batch. */
  write(stream: Stream, pages: readonly PageOf[], options?: WriteOptions): Promise<Committed>;
  position(stream: Stream): Promise<StoredPosition & { readonly parsed: Position }>;
}

export interface RunOptions {
  readonly fullRefresh?: readonly Stream[];
  /** Of how many tasks the run is one. */
  readonly tasks?: number;
}

/** What a test of the suite works with: a target of its own, and destinations that are closed when it ends. */
export interface Visit {
  readonly target: Target;
  /** A destination that is closed when the test ends. */
  destination(): Destination;
  /** Ends the runs before, and opens the streams in the next. */
  open(streams: readonly Stream[], options?: RunOptions): Promise<OpenRun>;
  /** Opens the streams in the next run, whatever else is open. */
  openBeside(streams: readonly Stream[], options?: RunOptions): Promise<OpenRun>;
  /** All rows of a table, ordered by their first column. */
  rows(table: string): Promise<Row[]>;
  /** The row of that `public_id`; throws unless there is exactly one. */
  row(stream: Stream, publicId: string): Promise<Row>;
  /** Closes all destinations. */
  closeAll(): Promise<void>;
}

export function visits(make: MakeTarget): Visit {
  let target: Target;
  let destinations: Destination[] = [];
  let runs = 0;

  const closeAll = async () => {
    for (const destination of destinations) await destination.close();
    destinations = [];
  };
  beforeEach(async () => {
    target = await make();
  });
  afterEach(async () => {
    await closeAll();
    await target.remove();
  });

  function destination(): Destination {
    const made = target.destination();
    destinations.push(made);
    return made;
  }

  /** Through a destination that is open, where there is one. */
  async function rows(table: string): Promise<Row[]> {
    const found: Row[] = [];
    const reader = destinations.at(-1) ?? destination();
    for await (const row of reader.query(`select * from ${target.spell(table)}`)) found.push(row);
    const order = (row: Row) => String(Object.values(row)[0]);
    return found.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  const openBeside: Visit['openBeside'] = async (streams, { fullRefresh = [], tasks } = {}) => {
    const opened = destination();
    const names = new Set(fullRefresh.map(({ name }) => name));
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    const notes: string[] = [];
    const note = (message: string) => void notes.push(message);
    const id = `run-${++runs}`;
    const shared = tasks === undefined ? {} : { tasks };
    const run: Run = { id, command: 'sync', startedAt: at(runs), fullRefresh: names, warn, note, ...shared };
    return { ...openRun(opened, run, await opened.open(streams, run)), warnings, notes };
  };

  return {
    get target() {
      return target;
    },
    destination,
    rows,
    closeAll,
    async row(stream, publicId) {
      const found = (await rows(stream.name)).filter((row) => row.public_id === publicId);
      if (found.length !== 1) throw new Error(`${found.length} rows of ${stream.name} have the key ${publicId}`);
      return found[0]!;
    },
    async open(streams, options) {
      await closeAll();
      return openBeside(streams, options);
    },
    openBeside,
  };
}

function openRun(
  destination: Destination,
  run: Run,
  tables: ReadonlyMap<string, Table>,
): Omit<OpenRun, 'warnings' | 'notes'> {
  const table = (stream: Stream) => tables.get(stream.name)!;
  return {
    destination,
    run,
    table,
    async write(stream, pages, { changes, refresh = null } = {}) {
      const { document } = await table(stream).position();
      const begins: PositionChange[] = document === null ? [{ type: 'begin', position: newPosition(stream) }] : [];
      const prepared = pages.map((page) => prepare(table(stream), stream, destination.kinds, page));
      return table(stream).commit({ pages: prepared, changes: changes ?? begins, refresh });
    },
    async position(stream) {
      const stored = await table(stream).position();
      return { ...stored, parsed: JSON.parse(stored.document ?? 'null') as Position };
    },
  };
}

export function prepare(table: Table, stream: Stream, kinds: Kinds, page: PageOf): Prepared {
  const made = pageOf(stream, kinds, page);
  const prepared = table.prepare(made);
  // As the loop does: the next page may come to lie in the same memory.
  made.bytes.fill(0);
  return prepared;
}

/** A page as the loop makes it. */
export function pageOf(stream: Stream, kinds: Kinds, { askedAt, records }: PageOf): Page {
  const texts = records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record)));
  return pageOfBytes(stream, kinds, askedAt, Buffer.from(`[${texts.join(',')}]`));
}

export function pageOfBytes(stream: Stream, kinds: Kinds, askedAt: string, bytes: Uint8Array): Page {
  const rows = () => compileMapper(stream, kinds).map(decodeJson(bytes) as unknown[], askedAt);
  return { bytes, askedAt, span: null, rows };
}

/** A position with nothing read and nothing planned. */
export function newPosition(stream: Stream, changes: Partial<Position> = {}): Position {
  return {
    version: 1,
    lender: '5b0c1b58-0000-4000-8000-000000000001',
    table: null,
    cursor_field: stream.cursor,
    key: [...stream.primaryKey],
    rows: false,
    from: null,
    complete: null,
    seen: null,
    until: null,
    windows: [],
    refresh: null,
    ...changes,
  };
}

export function newWindow(since: string | null, until: string | null): Window {
  return { since, until, cursor: null, last: null };
}
