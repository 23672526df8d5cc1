import {
  type FetchedPage,
  PageFailure,
  type PageFailureReason,
  type PageRequest,
  type Source,
} from '../../connector/source.ts';
import type { Dataset, Stream } from '../../schemas/stream.ts';
import type { Chance, Process } from './virtual-time.ts';

/** A record of the model: what the API would return. */
export interface ModelRecord {
  /** Null: a record that cannot be a row. */
  public_id: string | null;
  value: number;
  created_at: string;
  updated_at?: string;
  communicated_at?: string;
}

/** One dataset of the model API. */
export interface ModelDataset {
  readonly stream: Stream;
  /** By the id that pages are ordered by within an instant, which is the key of all that have one. */
  readonly records: Map<string, ModelRecord>;
  /** Ids whose last change no increment can see (it moved no cursor value into reach): only a full refresh brings it. */
  readonly hidden: Set<string>;
}

const EPOCH = Date.UTC(2026, 0, 1);

/** A dataset does not outgrow this: a walk without an end would otherwise run after what is inserted meanwhile, page by page. */
const MOST_RECORDS = 200;

export const instantAt = (ms: number): string => `${new Date(EPOCH + ms).toISOString().slice(0, 23)}000Z`;

export interface ModelOptions {
  readonly random: Chance;
  readonly now: () => number;
  readonly streams: readonly Stream[];
  readonly pageSize: number;
}

/** A ClearGrid Exports API with keyset paging, whose records change while they are read. */
export function modelApi({ random, now, streams, pageSize }: ModelOptions) {
  const datasets = new Map(
    streams.map((stream) => [
      stream.dataset.code,
      { stream, records: new Map<string, ModelRecord>(), hidden: new Set<string>() } as ModelDataset,
    ]),
  );
  /** What a client must never do; a seed with an entry fails. */
  const violations: string[] = [];
  const knobs = { faults: 0, churn: 0, lookBackMs: 15 * 60_000 };
  let ids = 0;

  const cursorOf = (dataset: ModelDataset, record: ModelRecord): string =>
    (record as unknown as Record<string, string>)[dataset.stream.cursor]!;

  function insert(dataset: ModelDataset, at: number): void {
    const instant = instantAt(at);
    const id = `${dataset.stream.dataset.code}-${ids++}`;
    const { cursor } = dataset.stream;
    dataset.records.set(id, {
      public_id: random.maybe(0.03) ? null : id,
      value: random.below(1000),
      created_at: instant,
      ...(dataset.stream.version === null ? {} : { updated_at: instant }),
      ...(cursor === 'communicated_at' ? { communicated_at: instant } : {}),
    });
  }

  /** Changes one record as a lender's day does: mostly forward in time, sometimes in ways that only a full refresh can see. */
  function change(dataset: ModelDataset): void {
    const { version, cursor } = dataset.stream;
    if (dataset.records.size === 0 || version === null) return;
    const [id, record] = random.pick([...dataset.records]);
    const odd = random.maybe(0.1);
    const updated = odd
      ? random.maybe(0.5)
        ? record.updated_at!
        : instantAt(now() - random.below(86_400_000))
      : instantAt(now());
    const changed = { ...record, value: record.value + 1 + random.below(1000), updated_at: updated };
    dataset.records.set(id, changed);
    const inReach = cursor !== 'updated_at' && cursorOf(dataset, changed) > instantAt(now() - knobs.lookBackMs / 2);
    if (odd || (cursor !== 'updated_at' && !inReach)) dataset.hidden.add(id);
    else dataset.hidden.delete(id);
  }

  function churn(): void {
    for (const dataset of datasets.values()) {
      if (!random.maybe(knobs.churn)) continue;
      const dice = random.next();
      if (dice < 0.5 || dataset.records.size > MOST_RECORDS) change(dataset);
      else if (dice < 0.75) insert(dataset, now());
      else if (dice < 0.9) insert(dataset, now() - random.below(knobs.lookBackMs / 2));
      else if (dataset.records.size > 0) dataset.records.delete(random.pick([...dataset.records.keys()]));
    }
  }

  function page(dataset: ModelDataset, request: PageRequest): { records: ModelRecord[]; nextCursor: string | null } {
    const params = JSON.stringify([request.since, request.until, request.limit]);
    let after: [string, string] | null = null;
    if (request.cursor !== null) {
      const [value, id, from] = JSON.parse(request.cursor) as [string, string, string];
      if (from !== params) violations.push(`a cursor of ${from} was sent with ${params}`);
      after = [value, id];
    }
    const rest: { id: string; record: ModelRecord; value: string }[] = [];
    for (const [id, record] of dataset.records) {
      const value = cursorOf(dataset, record);
      if (request.since !== null && value < request.since) continue;
      if (request.until !== null && value >= request.until) continue;
      if (after === null || value > after[0] || (value === after[0] && id > after[1])) rest.push({ id, record, value });
    }
    rest.sort((a, b) => compareText(a.value, b.value) || compareText(a.id, b.id));
    const size = Math.min(request.limit, dataset.stream.dataset.paging === 'via' && random.maybe(0.2) ? 1 : pageSize);
    const records = rest.slice(0, size).map(({ record }) => record);
    const last = rest[size - 1];
    const more = rest.length > size;
    return { records, nextCursor: more && last ? JSON.stringify([last.value, last.id, params]) : null };
  }

  /** The API as one process sees it. */
  function source(process: Process, clock: { known: boolean; skewMs: number }): Source {
    let lastReading = -1;
    const reading = (): string => {
      const ms = Math.max(lastReading + 1, now() + clock.skewMs);
      lastReading = ms;
      return instantAt(ms);
    };
    return {
      lender: 'lender-a',
      now: reading,
      hasServerClock: clock.known,
      async fetchPage(address: Dataset, request: PageRequest, signal: AbortSignal): Promise<FetchedPage> {
        const askedAt = reading();
        const fetched = (body: string): FetchedPage => ({ askedAt, bytes: Buffer.from(body), release: () => {} });
        await process.sleep(1 + random.below(40), signal);
        churn();
        if (random.maybe(knobs.faults)) {
          const reason = random.pick<PageFailureReason>([
            'interrupted',
            'throttled',
            'refused',
            'timed_out',
            'too_large',
          ]);
          throw new PageFailure(reason, `made to fail: ${reason}`);
        }
        const { records, nextCursor } = page(datasets.get(address.code)!, request);
        await process.sleep(1 + random.below(40), signal);
        if (random.maybe(knobs.faults / 4)) return fetched('{"code":200,"body":{"rows":[');
        const body = {
          code: 200,
          message: 'success',
          body: { rows: records, pagination: { nextCursor }, meta: {} },
          errors: [],
        };
        return fetched(JSON.stringify(body));
      },
    };
  }

  return { datasets, violations, knobs, insert, change, churn, source, cursorOf };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export type ModelApi = ReturnType<typeof modelApi>;
