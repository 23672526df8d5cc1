import { configError } from '../../destinations/failure.ts';
import { parseTimestamp } from '../../schemas/dates.ts';
import type { Dataset } from '../../schemas/stream.ts';
import { isJsonObject } from '../../schemas/values.ts';
import { readEnvelope } from '../api/envelope.ts';
import { withRetries } from '../api/retry.ts';
import { PageFailure, type Source } from '../source.ts';
import { cuts } from '../sync/instants.ts';
import { systemTiming } from '../timing.ts';

/** Records from places all over a dataset, each once, and how the pages came that brought them. */
export interface Sample {
  readonly records: readonly Readonly<Record<string, unknown>>[];
  readonly pages: number;
  /** Pages that were not the last ones: as long as asked for, and shorter. */
  readonly full: number;
  readonly short: number;
}

/** Small pages, and so many of them: that pages may be short before the end shows in one of some ten. */
const LIMIT = 100;
/** How many places pages are asked for at, from the beginning to now, and how many pages in a row. */
const PLACES = 5;
const PAGES_IN_A_ROW = 8;
/** Empty pages may come before one that is not. */
const EMPTY_IN_A_ROW = 5;
const BOUNDS = { tries: 5, budgetMs: 60_000 };

/**
 * Reads a few pages of a dataset.
 *
 * @param cursorField what the dataset is paged by; null where nobody tells: then only its beginning is read.
 * @throws {Failure} when it is not available, or has no records.
 */
export async function takeSample(
  source: Source,
  dataset: Dataset,
  cursorField: string | null,
  signal: AbortSignal,
): Promise<Sample> {
  const records = new Map<string, Readonly<Record<string, unknown>>>();
  const counts = { pages: 0, full: 0, short: 0 };

  async function readFrom(since: string | null): Promise<void> {
    let cursor: string | null = null;
    for (let filled = 0, empty = 0; filled < PAGES_IN_A_ROW && empty < EMPTY_IN_A_ROW; ) {
      const page = await readPage(source, dataset, since, cursor, signal);
      counts.pages++;
      if (page.records.length === 0) empty++;
      else filled++;
      for (const record of page.records) if (isJsonObject(record)) records.set(JSON.stringify(record), record);
      cursor = page.nextCursor;
      if (cursor === null) return;
      if (page.records.length < LIMIT) counts.short++;
      else counts.full++;
    }
  }

  await readFrom(null);
  for (const since of places(records.values().next().value, cursorField, source.now())) await readFrom(since);
  if (records.size === 0) {
    throw configError(
      `dataset ${dataset.code} has no records for this lender: there is nothing to tell its columns from. Try again once it has ` +
        'some, or declare it by hand (docs/adding-a-stream.md).',
    );
  }
  return { records: [...records.values()], ...counts };
}

function readPage(source: Source, dataset: Dataset, since: string | null, cursor: string | null, signal: AbortSignal) {
  return withRetries(BOUNDS, systemTiming, signal, async () => {
    const page = await source.fetchPage(dataset, { since, until: null, cursor, limit: LIMIT }, signal);
    try {
      return readEnvelope(page.bytes);
    } catch (error) {
      throw new PageFailure('interrupted', `dataset ${dataset.code}: ${(error as Error).message}`);
    } finally {
      page.release();
    }
  });
}

/** Instants between the first record and now. */
function places(
  first: Readonly<Record<string, unknown>> | undefined,
  cursorField: string | null,
  now: string,
): readonly string[] {
  const value = cursorField === null ? undefined : first?.[cursorField];
  const begin = typeof value === 'string' ? parseTimestamp(value, { minYear: 1, maxYear: 9999 }) : null;
  return begin === null ? [] : cuts(begin, now, PLACES);
}
