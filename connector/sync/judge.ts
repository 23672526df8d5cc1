import type { StoredPosition } from '../../destinations/contract.ts';
import { configError } from '../../destinations/failure.ts';
import { type Position, positionSchema } from '../../destinations/position.ts';
import type { Stream } from '../../schemas/stream.ts';

/** What a stream's stored position is worth to this run. */
export type Judgement =
  /** It goes on from there. */
  | { readonly verdict: 'goes on'; readonly position: Position }
  /** There is nothing yet. */
  | { readonly verdict: 'starts' }
  /** The position stands for a table that is not there any more: the stream starts over, and says why. */
  | { readonly verdict: 'starts over'; readonly because: string }
  /** The rows that are there are read again in full, as the user asked for: the position is made anew around them. */
  | { readonly verdict: 'is read again'; readonly because: string };

/**
 * Judges a stored position (rule 17: a position belongs to a table and a lender).
 *
 * @param lender null when nobody has logged in: then any will do.
 * @throws {Failure} `config_error` when going on would be a guess; the message holds the command that settles it.
 */
export function judgePosition(
  stored: StoredPosition,
  stream: Stream,
  lender: string | null,
  fullRefresh: boolean,
): Judgement {
  const readAgain = (because: string): Judgement => {
    if (fullRefresh) return { verdict: 'is read again', because };
    throw configError(
      `${stream.name}: ${because}. Nothing was changed. To read the stream again in full and keep the table, run: ` +
        `cleargrid-connector sync --config FILE --streams ${stream.name} --full-refresh`,
    );
  };

  if (stored.document === null) {
    return stored.holdsRows ? readAgain('its table holds rows but has no position') : { verdict: 'starts' };
  }
  const parsed = parsePosition(stored.document);
  if ('problem' in parsed) return readAgain(parsed.problem);

  const { position } = parsed;
  if (lender !== null && position.lender !== lender) {
    throw configError(
      `${stream.name}: its table belongs to another lender (${position.lender}; this login is ${lender}). ${OF_ITS_OWN}`,
    );
  }
  if (position.table !== null && position.table !== stored.table) {
    return {
      verdict: 'starts over',
      because: stored.table === null ? 'its table is gone' : 'its table is not the one that the position was kept for',
    };
  }
  if (position.rows && !stored.holdsRows) return { verdict: 'starts over', because: 'its table was emptied' };
  if (position.cursor_field !== stream.cursor) {
    return readAgain(`its position is kept by ${position.cursor_field}, and the stream now by ${stream.cursor}`);
  }
  if (position.key.join() !== stream.primaryKey.join()) {
    return readAgain(`its key was (${position.key.join(', ')}) and is now (${stream.primaryKey.join(', ')})`);
  }
  return { verdict: 'goes on', position };
}

/**
 * The same by the document alone, for those who take no lock and so cannot look at the table: it is taken to be the one that the
 * document stands for.
 */
export function judgeDocument(
  document: string | null,
  stream: Stream,
  lender: string | null,
  fullRefresh: boolean,
): Judgement {
  const parsed = document === null ? null : parsePosition(document);
  const table = parsed !== null && 'position' in parsed ? parsed.position.table : null;
  return judgePosition({ document, table, holdsRows: document !== null }, stream, lender, fullRefresh);
}

/**
 * One schema holds one lender: a stream that has no position yet may not come beside those of another one.
 *
 * @param stored the documents of all streams, by their names.
 * @throws {Failure} `config_error` that says what to do.
 */
export function refuseSecondLender(stored: ReadonlyMap<string, string>, stream: Stream, lender: string): void {
  if (stored.has(stream.name)) return;
  for (const [name, document] of stored) {
    const parsed = parsePosition(document);
    if ('problem' in parsed || parsed.position.lender === lender) continue;
    throw configError(
      `${stream.name}: ${name}, which is there already, belongs to another lender (${parsed.position.lender}; this login is ${lender}). ${OF_ITS_OWN}`,
    );
  }
}

const OF_ITS_OWN =
  'One schema holds one lender: give this config a "schema" (BigQuery: "dataset", DuckDB: "path") of its own under "destination", ' +
  'then run: cleargrid-connector sync --config FILE';

/** Reads a stored document; a problem is put so that it can follow the stream's name. */
export function parsePosition(document: string): { position: Position } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(document);
  } catch {
    return { problem: 'its position is damaged (not JSON)' };
  }
  const parsed = positionSchema.safeParse(value);
  if (parsed.success) return { position: parsed.data };
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version > 1) {
    return { problem: `its position was written by a newer version of the connector (position version ${version})` };
  }
  const where = parsed.error.issues[0]?.path.join('.') || 'the document';
  return { problem: `its position is damaged (at ${where})` };
}
