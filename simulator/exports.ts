import { type Answer, envelopeOf, errorAnswer, htmlAnswer } from './answer.ts';
import { catalogAnswer } from './catalog.ts';
import type { Clock } from './clock.ts';
import { type DatasetInfo, SECTIONS } from './datasets.ts';
import type { Faults } from './fault-turns.ts';
import type { FaultName } from './faults.ts';
import { BadRequest, limitOf, makePage, type Page, type PageParameters, type PageTwist, windowCount } from './page.ts';
import { mixText } from './random.ts';
import type { ApiRequest } from './request.ts';
import type { Store } from './store.ts';
import type { Unknowns } from './unknowns.ts';

export interface ExportsOptions {
  readonly lenderPublicId: string;
  /** As the catalog lists them now. */
  readonly datasets: () => readonly DatasetInfo[];
  readonly stores: ReadonlyMap<string, Store>;
  readonly clock: Clock;
  readonly unknowns: Unknowns;
  readonly faults: Faults;
  /** The failing answer to a request whose token does not hold, or null. */
  readonly refusal: (authorization: string | undefined) => Answer | null;
}

export interface ExportsAnswer {
  readonly answer: Answer;
  /** How many records a page holds. */
  readonly rows: number;
}

/** The catalog and the pages of datasets, with the documented table of errors in its order: token, lender, path, then the rest. */
export function createExports(options: ExportsOptions) {
  const { datasets, stores, clock, unknowns, faults } = options;
  const rejected = new Map<string, number>();

  function refused(request: ApiRequest): Answer | null {
    const refusal = options.refusal(request.authorization);
    if (refusal !== null) return refusal;
    if (faults.holds('401-for-good')) return errorAnswer(401, 'Lender not found or inactive');
    if (request.lender !== options.lenderPublicId) return errorAnswer(403, 'Forbidden: lender mismatch');
    if (faults.holds('no-database')) return errorAnswer(500, 'Lender database is not configured');
    return null;
  }

  function pageAnswer(request: ApiRequest, fault: FaultName | null): ExportsAnswer {
    const { section, code, parameters } = request;
    const failed = (answer: Answer): ExportsAnswer => ({ answer, rows: 0 });
    if (SECTIONS[section ?? ''] === undefined) return failed(errorAnswer(404, 'Section not found'));
    const isThere = (dataset: DatasetInfo) => dataset.section === section || unknowns.otherSection === 'served';
    const info = datasets().find((dataset) => dataset.code === code && isThere(dataset));
    if (info === undefined) return failed(errorAnswer(404, 'Dataset not found'));
    const store = info.available ? stores.get(info.code) : undefined;
    if (store === undefined) return failed(errorAnswer(404, 'Dataset is not available'));
    try {
      if (isRejected(parameters.cursor, fault)) throw new BadRequest('Invalid cursor');
      const now = clock.ms();
      if (isTooWide(store, parameters, now)) return failed(htmlAnswer(504, '504 Gateway Time-out'));
      const page = makePage(store, parameters, now, unknowns, twistOf(parameters.cursor, fault));
      const nextCursor = fault === 'looping-cursor' && parameters.cursor !== null ? parameters.cursor : page.nextCursor;
      const total = faults.holds('wrong-totals') ? miscounted(page.total) : page.total;
      return { answer: wrap({ ...page, nextCursor, total }, unknowns), rows: page.count };
    } catch (error) {
      if (error instanceof BadRequest) return failed(errorAnswer(500, error.message));
      throw error;
    }
  }

  /** The first few records of a window are found quickly, however many it holds. */
  function isTooWide(store: Store, parameters: PageParameters, nowMs: number): boolean {
    const wide = faults.holds('504-wide');
    if (wide === null || limitOf(parameters.limit) <= 10) return false;
    return windowCount(store, parameters, nowMs, unknowns) > (wide.rows ?? Math.max(1000, store.size / 4));
  }

  function isRejected(cursor: string | null, fault: FaultName | null): boolean {
    if (cursor === null) return false;
    if (fault === 'rejected-cursor') rejected.set(cursor, 5);
    const left = rejected.get(cursor) ?? 0;
    if (left > 0) rejected.set(cursor, left - 1);
    return left > 0;
  }

  function twistOf(cursor: string | null, fault: FaultName | null): PageTwist {
    if (fault === 'repeated-page') return { again: true };
    const fate = mixText(cursor ?? 'first');
    if (faults.holds('empty-pages') && fate % 4 === 1) return { atMost: 0 };
    if (faults.holds('short-pages') && fate % 3 === 0) return { atMost: 1 + (fate % 97) };
    return {};
  }

  return {
    /** Why a request may not pass, whatever it asks for; null where it may. */
    refused,
    catalog: (request: ApiRequest): Answer =>
      refused(request) ?? catalogAnswer(datasets(), request.parameters.cursor, unknowns),
    page(request: ApiRequest, fault: FaultName | null): ExportsAnswer {
      const answer = refused(request);
      return answer === null ? pageAnswer(request, fault) : { answer, rows: 0 };
    },
  };
}

function miscounted(told: Page['total']): Page['total'] {
  return typeof told?.total === 'number' ? { ...told, total: told.total + 1 } : told;
}

function wrap({ rows, count, nextCursor, filter, total }: Page, unknowns: Unknowns): Answer {
  const { meta, paginationMore } = unknowns;
  const more = paginationMore && { limit: filter.limit, count, hasMore: nextCursor !== null };
  const body = {
    rows: [],
    pagination: { nextCursor, ...total, ...more },
    ...(meta !== 'absent' && { meta: meta === 'filter' ? filter : {} }),
  };
  const envelope = JSON.stringify(envelopeOf(body, unknowns));
  const at = envelope.indexOf('"rows":[') + '"rows":['.length;
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: [Buffer.from(envelope.slice(0, at)), ...withoutLastComma(rows), Buffer.from(envelope.slice(at))],
  };
}

function withoutLastComma(rows: readonly Buffer[]): readonly Buffer[] {
  const last = rows.at(-1);
  return last === undefined ? rows : [...rows.slice(0, -1), last.subarray(0, -1)];
}
