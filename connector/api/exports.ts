import { Failure } from '../../destinations/failure.ts';
import type { Dataset } from '../../schemas/stream.ts';
import { type FetchedPage, NotAvailable, PageFailure, type PageRequest } from '../source.ts';
import { datasetPath } from './addresses.ts';
import { readSaid, smallJson, statusFailure } from './answer.ts';
import type { ServerClock } from './clock.ts';
import type { HttpAnswer } from './http.ts';
import type { Secrets } from './secrets.ts';
import type { Session } from './session.ts';

export interface ExportsContext {
  readonly session: Session;
  readonly clock: ServerClock;
  readonly secrets: Secrets;
}

/** Asks for one page, once, as `Source.fetchPage` says. The body is whole JSON by its ends; decoding it is the caller's. */
export async function fetchPage(
  { session, clock, secrets }: ExportsContext,
  dataset: Dataset,
  request: PageRequest,
  signal: AbortSignal,
  mostBytes = Number.POSITIVE_INFINITY,
): Promise<FetchedPage> {
  const path = `${datasetPath(session.lender, dataset)}?${pageQuery(request)}`;
  let askedAt = '';
  const answer = await session.send({ method: 'GET', path, mostBytes }, signal, () => {
    askedAt = clock.now();
  });
  if (answer.status !== 200) throw pageFailure(dataset, answer, secrets);
  checkWhole(answer.bytes);
  const small = smallJson(answer.bytes);
  if (small?.success === false) {
    const { message, requestId } = readSaid(answer, secrets);
    throw new PageFailure(
      'refused',
      `dataset ${dataset.code} answered a failure under status 200: ${message ?? 'no reason given'}`,
      {
        status: 200,
        requestId,
      },
    );
  }
  return { bytes: answer.bytes, askedAt, release: answer.release };
}

/**
 * The query of a page. `until` is exclusive and `since` inclusive, so both are sent to the microsecond where they have one; the
 * API's own precision is milliseconds, and is what it is given wherever that is the same instant.
 */
export function pageQuery({ since, until, cursor, limit, includeTotal }: PageRequest): string {
  const query = new URLSearchParams();
  if (since !== null) query.set('since', shortest(since));
  if (until !== null) query.set('until', shortest(until));
  if (cursor !== null) query.set('cursor', cursor);
  query.set('limit', String(limit));
  query.set('sort', 'asc');
  if (includeTotal) query.set('includeTotal', 'true');
  return query.toString();
}

const shortest = (instant: string) => instant.replace(/000Z$/, 'Z');

/** What an answer other than 200 means for a dataset; a 401 has been dealt with by the session. */
function pageFailure(dataset: Dataset, answer: HttpAnswer, secrets: Secrets): Failure {
  const what = `dataset ${dataset.code}`;
  const said = readSaid(answer, secrets);
  const { requestId } = said;
  const told = said.message === null ? '' : ` ${said.message}`;
  if (answer.status >= 200 && answer.status < 300) {
    return new PageFailure('interrupted', `${what} was answered with ${answer.status} instead of a page`, {
      ...said,
      status: answer.status,
    });
  }
  switch (answer.status) {
    case 403:
      return new Failure(
        'config_error',
        `${what} was answered with 403${told}: the API takes this login for one of another lender. Check lender, email and ` +
          'environment or base_url; they must belong together.',
        { requestId },
      );
    case 404:
      return new NotAvailable(
        `${what} (section ${dataset.section}) is not available to this lender (404${told}): it is reserved, or unknown to this ` +
          'environment. Leave its stream out of streams, or ask ClearGrid to open it.',
        { requestId },
      );
    default:
      return statusFailure(what, answer, said);
  }
}

const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** What is cut short, empty, or a web page is told from JSON by its ends alone. */
function checkWhole(bytes: Uint8Array): void {
  let first = BYTE_ORDER_MARK.every((byte, at) => bytes[at] === byte) ? BYTE_ORDER_MARK.length : 0;
  let last = bytes.length - 1;
  while (isSpace(bytes[first])) first++;
  while (isSpace(bytes[last])) last--;
  if (last < first) throw new PageFailure('interrupted', 'the answer has status 200 and no body', { status: 200 });
  if (bytes[first] !== OPENING_BRACE) {
    throw new PageFailure('interrupted', 'the answer has status 200 and is no JSON object (a web page?)', {
      status: 200,
    });
  }
  if (bytes[last] !== CLOSING_BRACE) {
    throw new PageFailure('interrupted', 'the answer is cut short: its JSON has no end', { status: 200 });
  }
}
