import type { PageParameters } from './page.ts';
import type { ApiRequest } from './request.ts';

/** One page request as it was answered. */
export interface PageEntry extends PageParameters {
  readonly code: string;
  /** The status sent; 0 where there was no answer at all. */
  readonly status: number;
  readonly rows: number;
  readonly fault: string | null;
  /** The API's clock when the request arrived. */
  readonly at: string;
}

export interface RequestCounts {
  readonly total: number;
  readonly byRoute: Readonly<Record<string, number>>;
  readonly byStatus: Readonly<Record<string, number>>;
  /** Page requests by dataset. */
  readonly byDataset: Readonly<Record<string, number>>;
  readonly byFault: Readonly<Record<string, number>>;
  /** The last page requests, oldest first. */
  readonly pages: readonly PageEntry[];
}

const KEPT = 10_000;

export function createRequestLog() {
  let total = 0;
  const byRoute: Record<string, number> = {};
  const byStatus: Record<string, number> = {};
  const byDataset: Record<string, number> = {};
  const byFault: Record<string, number> = {};
  let pages: PageEntry[] = [];
  const count = (record: Record<string, number>, key: string) => {
    record[key] = (record[key] ?? 0) + 1;
  };
  return {
    add(request: ApiRequest, entry: Omit<PageEntry, 'code' | keyof PageParameters>): void {
      total++;
      count(byRoute, request.route);
      count(byStatus, String(entry.status));
      if (entry.fault !== null) count(byFault, entry.fault);
      if (request.route !== 'page' || request.code === null) return;
      count(byDataset, request.code);
      pages.push({ code: request.code, ...request.parameters, ...entry });
      if (pages.length > 2 * KEPT) pages = pages.slice(-KEPT);
    },
    read: (): RequestCounts => ({
      total,
      byRoute: { ...byRoute },
      byStatus: { ...byStatus },
      byDataset: { ...byDataset },
      byFault: { ...byFault },
      pages: pages.slice(-KEPT),
    }),
  };
}
