import { decodeJson } from '../../schemas/decode.ts';

export interface Envelope {
  readonly records: readonly unknown[];
  /** The API's cursor for the next page; null ends the window. */
  readonly nextCursor: string | null;
  /** How many records the window has in all; null where that was not asked for, or the API does not know it exactly. */
  readonly total: number | null;
}

/**
 * Opens a page's success envelope, `{ code, message, body: { rows, pagination: { nextCursor } }, errors }`.
 *
 * Only an explicit `nextCursor: null` is the end. A missing one is not, and neither is an empty one: the API takes an empty cursor
 * for none, so following it would start the window again, and stopping there would lose what is left of it.
 *
 * @throws {Error} saying what is missing; `SyntaxError` when the body is not JSON. Such a page did not arrive.
 */
export function readEnvelope(bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown = decodeJson): Envelope {
  const envelope = objectOf(decode(bytes), 'the page is no JSON object');
  if (envelope.code !== undefined && envelope.code !== 200) {
    throw new Error(
      `the page came with status 200, but says code ${typeof envelope.code === 'number' ? envelope.code : '?'}`,
    );
  }
  const body = objectOf(envelope.body, 'the page has no body');
  if (!Array.isArray(body.rows)) throw new Error('the page has no body.rows');
  const pagination = objectOf(body.pagination, 'the page has no body.pagination');
  const { nextCursor } = pagination;
  if (nextCursor === null || (typeof nextCursor === 'string' && nextCursor !== ''))
    return { records: body.rows, nextCursor, total: exactTotal(pagination) };
  const found = nextCursor === undefined ? 'missing' : nextCursor === '' ? 'empty' : 'neither text nor null';
  throw new Error(`the page's body.pagination.nextCursor is ${found}`);
}

function objectOf(value: unknown, problem: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(problem);
  return value as Record<string, unknown>;
}

/** One that is capped comes as a number too, with `totalExact: false`; any note says what keeps it from being exact. */
function exactTotal({ total, totalExact, totalNote }: Record<string, unknown>): number | null {
  const isExact = (totalExact ?? true) === true && (totalNote ?? null) === null;
  return isExact && typeof total === 'number' && Number.isSafeInteger(total) && total >= 0 ? total : null;
}
