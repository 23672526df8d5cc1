import pg, { type CustomTypesConfig } from 'pg';
import { configError, type Failure } from '../failure.ts';
import { codeOf, postgresFailure } from './errors.ts';
import type { Session } from './session.ts';

const FETCH_ROWS = 1_000;

/**
 * The rows of one SELECT, in a transaction that cannot write.
 *
 * @throws {Failure} `config_error` when the statement is refused.
 */
export async function* queryRows(
  session: Session,
  sql: string,
  where: string,
): AsyncGenerator<Record<string, unknown>> {
  const statement = sql.trim().replace(/;\s*$/, '');
  try {
    await session.run('begin isolation level repeatable read read only');
    // By the extended protocol (it has parameters), which takes one statement and no more.
    await session.run(`declare "_cleargrid_query" no scroll cursor for ${statement}`, [], { slow: true, single: true });
    for (;;) {
      const rows = await session.typed(`fetch ${FETCH_ROWS} from "_cleargrid_query"`, queryTypes);
      yield* rows;
      if (rows.length < FETCH_ROWS) return;
    }
  } catch (error) {
    throw refusal(error, where);
  } finally {
    if (!session.isLost) await session.run('rollback').catch(() => {});
  }
}

/** What Postgres says of the text itself helps; what it says of values stays here. */
function refusal(error: unknown, where: string): Failure {
  const code = codeOf(error) ?? '';
  if (/^(42|0A|25006)/.test(code)) return configError(`the query is refused: ${(error as Error).message}`);
  if (/^2[0-9]/.test(code)) return configError(`the query failed (SQLSTATE ${code})`);
  return postgresFailure(error, where);
}

const { builtins } = pg.types;

/** Numbers where they are exact and text where not, instants as ISO text, everything else as Postgres writes it. */
const readers: Readonly<Record<number, (text: string) => unknown>> = {
  [builtins.BOOL]: (text) => text === 't',
  [builtins.INT2]: Number,
  [builtins.INT4]: Number,
  [builtins.INT8]: exactNumber,
  [builtins.NUMERIC]: exactNumber,
  [builtins.FLOAT4]: Number,
  [builtins.FLOAT8]: Number,
  [builtins.TIMESTAMPTZ]: (text) => isoInstant(text, 'Z'),
  [builtins.TIMESTAMP]: (text) => isoInstant(text, ''),
};

const queryTypes: CustomTypesConfig = {
  getTypeParser: (type: number) => readers[type] ?? ((text: string) => text),
};

function exactNumber(text: string): number | string {
  const plain = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  const number = Number(plain);
  return String(number) === plain ? number : text;
}

/** `2026-03-01 12:00:00.5+00` as `2026-03-01T12:00:00.500000Z`; what is no such instant (`infinity`) stays as it is. */
function isoInstant(text: string, zone: string): string {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?$/.exec(text);
  if (match === null) return text;
  return `${match[1]}T${match[2]}.${(match[3] ?? '').padEnd(6, '0')}${zone}`;
}
