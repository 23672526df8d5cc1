import pg from 'pg';
import { configError, Failure, systemError, transientError } from '../failure.ts';

/**
 * What Postgres and the way to it say, by SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) and by Node's codes.
 * The server's own words are kept only where they cannot hold a value of a row.
 */

/** Somebody holds the lock for longer than our lock_timeout. */
export const LOCK_NOT_AVAILABLE = '55P03';

/** Nothing is wrong with the statement: the same may succeed on a new connection, or a moment later. */
const PASSING = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  LOCK_NOT_AVAILABLE,
  '57014', // query_canceled: somebody's statement_timeout, or a hand
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
  '25P03', // idle_in_transaction_session_timeout
  '25P04', // transaction_timeout
  '25006', // read_only_sql_transaction: failed over
  '53300', // too_many_connections
]);

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
]);

/** The connection ended under a statement. */
export class ConnectionLost extends Error {
  constructor(cause?: unknown) {
    super('the connection ended', { cause });
    this.name = 'ConnectionLost';
  }
}

/** Whether trying again may help. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionLost || isUnanswered(error)) return true;
  const code = codeOf(error);
  return code !== null && (PASSING.has(code) || NETWORK.has(code) || /^08...$/.test(code));
}

/** How the driver tells, in words only, that nobody answered a new connection, or that it was closed before it was one. */
const UNANSWERED = /timeout expired|Connection terminated/i;

const isUnanswered = (error: unknown) =>
  error instanceof Error && codeOf(error) === null && UNANSWERED.test(error.message);

/** Whether the host's name is not known. */
export function isUnresolved(error: unknown): boolean {
  return codeOf(error) === 'ENOTFOUND';
}

/** Whether a session that met this error is of no more use. */
export function isFatal(error: unknown): boolean {
  if (error instanceof ConnectionLost) return true;
  const code = codeOf(error);
  return code !== null && (NETWORK.has(code) || /^(08|57P).*$/.test(code) || code === '25006' || code === '25P03');
}

/** Whether it is the server, or the way to it, that keeps everything from being done, and not what somebody does to a table. */
export function isOfServer(error: unknown): boolean {
  return isFatal(error) || isUnanswered(error) || isUnresolved(error) || codeOf(error) === '53300';
}

/** SQLSTATE, or Node's code. */
export function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

const REPORT = 'Run it once with --debug and report what it says';

/** What gives the user of the connection the right that the server's words say is missing. */
function remedyOf(words: string): string {
  const name = /permission denied for (database|schema) (.+)$/.exec(words);
  if (name?.[1] === 'database')
    return `Run: grant create on database ${name[2]} to USER; or create the schema and grant on it`;
  if (name?.[1] === 'schema') return `Run: grant usage, create on schema ${name[2]} to USER`;
  if (/temporary/.test(words)) return 'Run: grant temporary on database NAME to USER';
  if (/row-level security/.test(words))
    return 'A policy of the table keeps rows away: let the user of the connection bypass it';
  return 'Grant it to the user of the connection, or make it the owner, and run again';
}

type Tell = (what: Told) => Failure;

function refusedByFunction({ where, error }: Told): Failure {
  return configError(
    `${where}: a trigger or function of the table's refuses rows (${placeOf(error)}); change or drop it, and run again`,
  );
}

/** What these say holds inside a function of somebody's too. */
const OF_ANY_STATEMENT = /^(23|42501|53|57|08|25|40|55)/;

interface Told {
  /** The server and database, without anything secret. */
  readonly where: string;
  readonly error: unknown;
  /** The server's words, only where they hold no value. */
  readonly words: string;
}

const tells: readonly (readonly [pattern: RegExp, tell: Tell])[] = [
  [/^28/, ({ where, words }) => configError(`${where}: the server refuses this user: ${words}`)],
  [/^3D000$/, ({ where }) => configError(`${where}: there is no such database; create it, or set another "database"`)],
  [/^42501$/, ({ where, words }) => configError(`${where}: a right is missing: ${words}. ${remedyOf(words)}`)],
  [
    /^(53100|53400)$/,
    ({ where }) =>
      transientError(`${where}: the server has no space left; free some, and run again. What was committed is safe`),
  ],
  [/^53200$/, ({ where }) => transientError(`${where}: the server is out of memory; try again later`)],
  [
    /^53300$/,
    ({ where }) =>
      transientError(
        `${where}: no more connections are to be had; close some, raise max_connections or the role's connection limit, or lower streams_at_once`,
      ),
  ],
  [
    /^25006$/,
    ({ where }) =>
      transientError(
        `${where}: the server is read-only, as a standby is, or a role with default_transaction_read_only; connect to the primary, or try again later`,
      ),
  ],
  [
    /^55P03$/,
    ({ where }) =>
      transientError(
        `${where}: a lock was not to be had: somebody holds a table (a long query, an ALTER, a LOCK, a forgotten transaction); run again once it is free`,
      ),
  ],
  [
    /^(40001|40P01)$/,
    ({ where, error }) =>
      transientError(`${where}: others wrote the same rows at once, time and again (${placeOf(error)}); try later`),
  ],
  [
    /^57014$/,
    ({ where, words }) =>
      transientError(
        /statement timeout/.test(words)
          ? `${where}: a statement took longer than the user's statement_timeout lets it; try again later, or raise that limit`
          : `${where}: a statement was cancelled, by hand or by a time limit; try again later`,
      ),
  ],
  [/^(57P|08|25P0[34])/, ({ where }) => transientError(`${where}: the server ended the connection; try again later`)],
  [
    /^(23502|23503|23514|23P01|23505)$/,
    ({ where, error }) =>
      configError(
        `${where}: a constraint that is not ours refuses rows (${placeOf(error)}); drop it, or give its column a default`,
      ),
  ],
  [/^(P0001|P0002|38...|39...)$/, refusedByFunction],
  [
    /^2BP01$/,
    ({ where, words }) =>
      configError(
        `${where}: something depends on what must be replaced: ${words}. Drop it, run again, and make it anew`,
      ),
  ],
  [/^42/, ({ where, words }) => systemError(`${where}: a statement was refused: ${words}. ${REPORT}`)],
  [
    /^(ENOTFOUND|EAI_AGAIN)$/,
    ({ where, error }) =>
      (isUnresolved(error) ? configError : transientError)(`${where}: the host's name is not known; check "host"`),
  ],
  [
    /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ECONNRESET|EPIPE)$/,
    ({ where, error }) =>
      transientError(`${where}: cannot be reached (${codeOf(error)}); check host and port, or try again later`),
  ],
];

/** Messages of the driver that have no code. */
const driverTells: readonly (readonly [pattern: RegExp, tell: Tell])[] = [
  [
    /does not support SSL/i,
    ({ where }) => configError(`${where}: the server speaks no TLS; set "ssl": false only if the way to it is private`),
  ],
  [
    /certificate|self.signed|altname|CERT_|unable to (get|verify)/i,
    ({ where, error }) =>
      configError(
        `${where}: the server's certificate is not accepted (${codeOf(error) ?? 'wrong name'}); give the CA's file as "ssl": { "ca": "path" }`,
      ),
  ],
  [
    /SASL|password must be a string|no password/i,
    ({ where }) => configError(`${where}: the server asks for a password; set "password"`),
  ],
  [UNANSWERED, ({ where }) => transientError(`${where}: no answer in time; check host and port, or try later`)],
];

/** Any error of a statement or connection as a `Failure` without a value of a row. */
export function postgresFailure(error: unknown, where: string): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof ConnectionLost) {
    return error.cause === undefined
      ? transientError(`${where}: the connection ended; try again later`)
      : postgresFailure(error.cause, where);
  }
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  const told: Told = { where, error, words: message };
  if (code !== null && functionOf(error) !== null && !OF_ANY_STATEMENT.test(code)) return refusedByFunction(told);
  for (const [pattern, tell] of tells) if (code !== null && pattern.test(code)) return tell(told);
  if (!(error instanceof pg.DatabaseError)) {
    for (const [pattern, tell] of driverTells) if (pattern.test(`${code} ${message}`)) return tell(told);
    return systemError(`${where}: ${message}. ${REPORT}`, error);
  }
  return systemError(
    `${where}: the server refused a statement (${placeOf(error)}); this is a fault of the connector. ${REPORT}`,
  );
}

/** How a line of the server's context names a function; other lines may hold a statement with values. We have no functions. */
const FUNCTION = /^(?:PL\/pgSQL function ([\w."$]+\([\w ,."[\]]*\)) line \d+ at |SQL function ("[\w$]+") )/m;

function functionOf(error: unknown): string | null {
  const [, procedure, sql] = FUNCTION.exec((error as pg.DatabaseError).where ?? '') ?? [];
  return procedure ?? sql ?? null;
}

/** Where it happened, in names alone. */
function placeOf(error: unknown): string {
  const { code, table, column, constraint } = error as pg.DatabaseError;
  const raiser = functionOf(error);
  const parts = [
    raiser === null ? '' : `function ${raiser}`,
    table === undefined ? '' : `table ${table}`,
    column === undefined ? '' : `column ${column}`,
    constraint === undefined ? '' : `constraint ${constraint}`,
    `SQLSTATE ${code}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}
