import { configError } from '../failure.ts';
import type { ResultRow } from './results.ts';
import type { Session } from './session.ts';
import { BigqueryFailure, isTransient, safely } from './trouble.ts';

const WHAT = 'answer the query';

/**
 * The rows of a SELECT that a person wrote.
 *
 * @throws {Failure} `config_error` when BigQuery refuses it.
 */
export async function* queryRows(session: Session, sql: string): AsyncGenerator<ResultRow> {
  try {
    // A dry run tells what a statement is before it has done anything.
    const { query } = await session.dryRun({ sql }, WHAT);
    if (query?.statementType !== 'SELECT') throw configError('BigQuery: only a single SELECT is answered');
    yield* session.stream({ sql }, { what: WHAT });
  } catch (error) {
    if (!(error instanceof BigqueryFailure) || isTransient(error.trouble)) throw error;
    const { reason, message } = error.trouble;
    if (reason !== 'invalidQuery' && reason !== 'notFound' && reason !== 'invalid') throw error;
    throw configError(`BigQuery refuses the query: ${told(message) ?? reason}`, error);
  }
}

/** What BigQuery says of the text itself helps; what it says of values stays here. */
function told(message: string): string | null {
  const first = message.split('\n')[0]!;
  if (/^(Syntax error|Unrecognized name|Not found|Table |No matching signature|Function not found)/.test(first))
    return first;
  return safely(first) || null;
}
