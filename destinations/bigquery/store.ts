import type { Position, StoredFacts } from '../position.ts';
import { takenOver } from '../refusals.ts';
import { documentAfter, judgeStored } from '../stored.ts';
import { type BatchStatements, commitBatch, commitRows } from './commit-sql.ts';
import type { Write } from './first-load.ts';
import type { Advanced } from './progress.ts';
import { identityOf } from './whereabouts.ts';

export interface Stored {
  readonly facts: StoredFacts;
  readonly statements: BatchStatements;
  /** Whether the position must leave something to read, for which it is too early to make a table. */
  readonly isLoading?: boolean;
}

/** A task that finds another one storing positions comes after it, within this. */
const LONGEST_PAUSE_MS = 1_000;

/**
 * Writes a batch's rows and its position: in one transaction, or, where tasks share the stream, the rows and then the position, after
 * whatever the others have stored by then (rule 1).
 *
 * @returns the transaction's answer; null when the write must be thought over, by what is stored now.
 */
export async function store(write: Write, { facts, statements, isLoading = false }: Stored): Promise<Advanced | null> {
  const { context, stored, state, changes } = write;
  const { session, stream, progress, token, costs, run } = context;
  if (run.tasks === undefined) {
    return progress.advance(stored, documentAfter(state, changes, facts), commitBatch(session.place, statements));
  }
  let written: unknown = 0;
  if (Object.values(statements).flat().length > 0) {
    const rows = {
      sql: commitRows(session.place, statements),
      parameters: { stream: stream.name, token, run: run.id },
    };
    const [answer] = await session.rows(rows, { what: `write ${stream.name}`, stream: stream.name, costs });
    if (answer?.committed !== true) throw takenOver(stream);
    written = answer.written;
  }
  for (;;) {
    const now = await progress.known();
    const known = now.document === null ? null : (JSON.parse(now.document) as Position).table;
    const identity = known === facts.table ? facts.table : identityOf(write.found, now.document);
    const judged = judgeStored(stream.name, now.document, identity, changes);
    const document = documentAfter(judged, changes, facts);
    if (isLoading && (JSON.parse(document) as Position).windows.length === 0) return null;
    const answer = await progress.append(now, document);
    if (answer !== null) return { ...answer, written };
    await session.sleep(session.random() * LONGEST_PAUSE_MS);
  }
}
