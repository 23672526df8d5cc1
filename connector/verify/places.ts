import type { Page, Prepared, Table } from '../../destinations/contract.ts';
import type { Window } from '../../destinations/position.ts';
import type { RowValues } from '../../schemas/row.ts';
import { type Stream, tableColumns } from '../../schemas/stream.ts';
import type { StreamContext } from '../sync/context.ts';
import { readWindows } from '../sync/pass.ts';

/** Where the API has a row: its key, and its value of the cursor field. */
export interface Place {
  readonly key: RowValues;
  readonly cursor: string | null;
}

/** What a reading has brought, by the keys' text. */
export interface Places {
  readonly rows: ReadonlyMap<string, Place>;
  /** Records, of which those without a usable key are no rows and have none here. */
  readonly records: number;
}

const BATCHING = { lanes: 2, rows: 10_000, bytes: 8_000_000, seconds: 1, budget: 0 };

/**
 * Reads a span by the loop that `sync` reads it by, into a table that keeps nothing but where rows are.
 *
 * @returns null when there are more than `most`.
 */
export async function readPlaces(
  context: StreamContext,
  { since, until }: Pick<Window, 'since' | 'until'>,
  most: number,
): Promise<Places | null> {
  const tooMany = new AbortController();
  const found = { rows: new Map<string, Place>(), records: 0 };
  const table = placesTable(context.stream, (places, records) => {
    for (const place of places) found.rows.set(keyText(place.key), place);
    found.records += records;
    if (found.rows.size > most) tooMany.abort();
  });
  const signal = AbortSignal.any([context.signal, tooMany.signal]);
  const windows = [{ since, until, cursor: null, last: null }];
  try {
    const [changes, refresh, committed] = [[], null, () => {}];
    await readWindows({ ...context, table, signal }, { batching: BATCHING, windows, changes, refresh, committed });
  } catch (error) {
    if (!tooMany.signal.aborted || context.signal.aborted) throw error;
  }
  return tooMany.signal.aborted ? null : found;
}

interface PreparedPlaces extends Prepared {
  readonly places: readonly Place[];
}

function placesTable(stream: Stream, took: (places: readonly Place[], records: number) => void): Table {
  const columns = tableColumns(stream);
  const key = stream.primaryKey.map((name) => columns.indexOf(name));
  const cursor = columns.indexOf(stream.cursor);
  const placeOf = (values: RowValues): Place => ({
    key: key.map((at) => values[at]!),
    cursor: values[cursor] as string | null,
  });
  return {
    token: '',
    position: async () => ({ document: null, table: null, holdsRows: false }),
    prepare(page: Page): PreparedPlaces {
      const { rows, rejects } = page.rows();
      return { places: rows.map(placeOf), records: rows.length + rejects.length, bytes: page.bytes.byteLength };
    },
    async commit({ pages }) {
      for (const { places, records } of pages as readonly PreparedPlaces[]) took(places, records);
      return { written: 0, unchanged: 0, changedFields: 0, unparsedDates: 0, rejects: 0, repeatedKeys: 0 };
    },
    finishRefresh: async () => ({ deleted: 0 }),
  };
}

function keyText(key: RowValues): string {
  return JSON.stringify(key.map(String));
}
