import { withRequestId } from '../../destinations/failure.ts';
import { PageFailure } from '../source.ts';
import type { Timing } from '../timing.ts';
import { readSaid, statusFailure } from './answer.ts';
import { CATALOG_PAGES, catalogPath } from './assumptions.ts';
import { type CatalogResult, nextCursorOf, readCatalog } from './catalog-reader.ts';
import type { ServerClock } from './clock.ts';
import { type RetryBounds, withRetries } from './retry.ts';
import type { Secrets } from './secrets.ts';
import type { Session } from './session.ts';

export interface CatalogContext {
  readonly session: Session;
  readonly clock: ServerClock;
  readonly timing: Timing;
  readonly secrets: Secrets;
}

/** With those of a login, under the 60 s of a run that cannot begin. */
const CATALOG_BOUNDS: RetryBounds = { tries: 3, budgetMs: 15_000 };

/**
 * Asks for the live catalog.
 *
 * @throws {Failure} when no request of this login can succeed (a 401 that no token cures, a login that is refused).
 */
export async function fetchCatalog(context: CatalogContext, signal: AbortSignal): Promise<CatalogResult> {
  const unread = (problem: string): CatalogResult => ({ datasets: null, problem });
  const pages: unknown[] = [];
  const cursors = new Set<string>();
  try {
    for (let cursor: string | null = null; pages.length < CATALOG_PAGES; ) {
      const page = await fetchCatalogPage(context, cursor, signal);
      pages.push(page);
      cursor = nextCursorOf(page);
      if (cursor === null) return readCatalog(pages);
      if (cursors.has(cursor)) return unread('its pages go round in a circle');
      cursors.add(cursor);
    }
    return unread(`it has more than ${CATALOG_PAGES} pages`);
  } catch (error) {
    if (error instanceof Unreadable || error instanceof PageFailure) return unread(withRequestId(error));
    throw error;
  }
}

/** An answer that no second try would make readable. */
class Unreadable extends Error {
  readonly requestId: string | null;

  constructor(message: string, requestId: string | null) {
    super(message);
    this.requestId = requestId;
  }
}

function fetchCatalogPage(context: CatalogContext, cursor: string | null, signal: AbortSignal): Promise<unknown> {
  const { session, clock, timing, secrets } = context;
  const query = cursor === null ? '' : `?${new URLSearchParams({ cursor })}`;
  return withRetries(CATALOG_BOUNDS, timing, signal, async (leftMs) => {
    const answer = await session.send(
      { method: 'GET', path: `${catalogPath(session.lender)}${query}`, withinMs: leftMs },
      signal,
    );
    if (answer.status !== 200) {
      const said = readSaid(answer, secrets);
      const failure = statusFailure('the catalog', answer, said);
      if (failure instanceof PageFailure) throw failure;
      throw new Unreadable(`it was answered with ${answer.status} ${said.message ?? ''}`.trim(), said.requestId);
    }
    clock.observe(answer.header('date'));
    try {
      return JSON.parse(Buffer.from(answer.bytes).toString()) as unknown;
    } catch {
      throw new PageFailure('interrupted', 'its answer is no JSON');
    }
  });
}
