import { configError } from '../failure.ts';
import { codeOf } from './errors.ts';
import { type NativeColumn, nativeColumns } from './kinds.ts';
import type { Layout } from './layout.ts';
import type { Session } from './session.ts';
import { definitions, deleteOlder, keyName, list, literal, type Names, quote } from './sql.ts';

/** Makes a stream's table: keyed and under its name, or keyless and to be filled by a first load. */
export async function makeTable(session: Session, names: Names, keyless: boolean): Promise<void> {
  const { stream } = names;
  const table = keyless ? names.loading : names.table;
  const columns = nativeColumns(stream);
  const key = keyless ? '' : `,\n  primary key (${list(stream.primaryKey)})`;
  await session.run(`create table ${table} (\n${definitions(columns, stream.primaryKey)}${key}\n)`);
  if (stream.description !== '') await session.run(`comment on table ${table} is ${literal(stream.description)}`);
  await commentOn(session, table, columns);
}

export async function commentOn(session: Session, table: string, columns: readonly NativeColumn[]): Promise<void> {
  for (const { name, description } of columns) {
    if (description === null) continue;
    await session.run(`comment on column ${table}.${quote(name)} is ${literal(description)}`);
  }
}

/** What the end of a first load may use to look for keys that are there twice: enough for some million of them at once. */
const LOAD_WORK_MEM = '128MB';

/**
 * Ends a first load: the key is added, older versions of rows are removed where there are any, and the table takes its name. All in the
 * caller's transaction, so that readers see it whole or not at all.
 *
 * @returns how many older versions were removed.
 */
export async function promote(session: Session, names: Names): Promise<number> {
  const key = `${await newKey(session, names)} primary key (${list(names.stream.primaryKey)})`;
  const addKey = () => session.run(`alter table ${names.loading} add ${key}`, [], { slow: true });
  let removed = 0;
  await session.run('savepoint "keyless"');
  try {
    await addKey();
  } catch (error) {
    if (codeOf(error) !== '23505') throw error;
    await session.run('rollback to savepoint "keyless"');
    await session.run(`select set_config('work_mem', '${LOAD_WORK_MEM}', true)`);
    removed = await session.run(deleteOlder(names, names.loading), [], { slow: true });
    await addKey();
  }
  try {
    await session.run(`alter table ${names.loading} rename to ${quote(names.stream.name)}`);
  } catch (error) {
    if (codeOf(error) !== '42P07') throw error;
    throw configError(
      `stream ${names.stream.name}: something of that name was made in schema ${names.schema} while it was loaded; rename that, and run again`,
    );
  }
  return removed;
}

/** The key's constraint, named as Postgres itself would name it after the table, if nothing else is named so. */
async function newKey(session: Session, { schema, stream }: Names): Promise<string> {
  const name = keyName(stream.name);
  const sql = `select to_regclass(quote_ident($1) || '.' || quote_ident($2)) is null as free`;
  const [answer] = await session.rows(sql, [schema, name]);
  return answer!.free === 't' ? `constraint ${quote(name)}` : '';
}

/**
 * Makes the stream's key the table's primary key, in place of the one it has. The index is built first, so that readers wait only for
 * the moment in which the constraints change. No two rows may share the new key any more.
 */
export async function replaceKey(session: Session, names: Names, layout: Layout): Promise<void> {
  const { stream, table } = names;
  const index = `_cleargrid_key_${layout.identity}`;
  await session.run(`create unique index ${quote(index)} on ${table} (${list(stream.primaryKey)})`, [], { slow: true });
  const old = layout.keys.find((key) => key.primary);
  if (old?.constraint) await session.run(`alter table ${table} drop constraint ${quote(old.constraint)}`);
  const addKey = `alter table ${table} add ${await newKey(session, names)} primary key using index ${quote(index)}`;
  await session.run(addKey, [], { slow: true });
}
