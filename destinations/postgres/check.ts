import { setTimeout as sleep } from 'node:timers/promises';
import { configError, transientError } from '../failure.ts';
import { createBookkeeping, SELECT_MISSING } from './bookkeeping-sql.ts';
import { COPY_HEADER, COPY_TRAILER } from './encode.ts';
import type { Session } from './session.ts';
import { quote } from './sql.ts';

const OLDEST_VERSION = 13;

/** Those that hold any text. */
const ENCODINGS = new Set(['UTF8', 'SQL_ASCII']);

/**
 * Proves that a run can work with this server.
 *
 * @param another opens one more session: what two sessions see of each other tells a pooler.
 * @throws {Failure} `config_error` for a server that is too old, a database of another encoding than UTF8, or one hidden behind a pooler that keeps no sessions.
 */
export async function checkServer(session: Session, another: () => Promise<Session>, where: string): Promise<void> {
  const [server] = await session.rows(
    `select current_setting('server_version_num')::int / 10000 as version, pg_is_in_recovery() as standby, pg_backend_pid() as process,
      current_setting('server_encoding') as encoding`,
  );
  if (Number(server!.version) < OLDEST_VERSION) {
    throw configError(`${where}: Postgres ${server!.version} is too old; version ${OLDEST_VERSION} or later is needed`);
  }
  if (server!.standby === 't') {
    throw transientError(`${where}: the server is a read-only standby; connect to the primary, or try again later`);
  }
  if (!ENCODINGS.has(server!.encoding!)) {
    throw configError(
      `${where}: the database's encoding is ${server!.encoding}, which does not hold every text; UTF8 is needed: ` +
        "create database NAME encoding 'UTF8' template template0",
    );
  }
  if (Number(server!.process) === session.processId) return;
  if (await sharesServer(session, another)) {
    throw configError(
      `${where}: a pooler (PgBouncer?) in transaction mode gives each transaction another session, and a run's locks and staging ` +
        'tables need one of their own; connect to the server itself, or to a pool in session mode',
    );
  }
}

/** So many other sessions are asked, so that a pooler has no other choice than to give them the one that is idle. */
const ASKED = 4;

/** A pooler that has no server left for another session lets it wait; the idle one it has not given away, then. */
const ANSWER_MS = 5_000;

/** Whether a session that is idle, but not closed, is given to others. */
async function sharesServer(session: Session, another: () => Promise<Session>): Promise<boolean> {
  const process = async (of: Session) => (await of.rows('select pg_backend_pid() as process'))[0]!.process;
  const own = await process(session);
  const others: Session[] = [];
  try {
    for (let asked = 0; asked < ASKED; asked++) {
      const opening = another();
      const other = await Promise.race([opening, sleep(ANSWER_MS, null, { ref: false })]);
      if (other === null) {
        opening.then((late) => late.close()).catch(() => {});
        break;
      }
      others.push(other);
      await other.run('begin');
      if ((await process(other)) === own) return true;
    }
    return (await process(session)) !== own;
  } finally {
    for (const other of others) await other.close();
  }
}

/** Does what a run will do, in a transaction that is rolled back. @throws the server's errors. */
export async function checkWriting(session: Session, schema: string): Promise<void> {
  const missing = await session.rows(SELECT_MISSING, [schema]);
  const table = `${quote(schema)}."_cleargrid_check"`;
  await session.run('begin');
  try {
    if (missing[0]?.schema_missing === 't') await session.run(`create schema ${quote(schema)}`);
    for (const [name, statement] of Object.entries(createBookkeeping(schema))) {
      if (missing.some((other) => other.name === name)) await session.run(statement);
      else
        await session.run(
          `insert into ${quote(schema)}.${quote(name)} select * from ${quote(schema)}.${quote(name)} where false`,
        );
    }
    await session.run(`create table ${table} (id int primary key)`);
    await session.run('create temp table "_cleargrid_check_staged" (id int) on commit drop');
    await session.copy('copy pg_temp."_cleargrid_check_staged" from stdin (format binary)', [
      COPY_HEADER,
      COPY_TRAILER,
    ]);
    await session.run(`insert into ${table} values (1) on conflict (id) do update set id = excluded.id`);
  } finally {
    if (!session.isLost) await session.run('rollback');
  }
}
