import { randomUUID } from 'node:crypto';
import type { Stream } from '../../schemas/stream.ts';
import { SELECT_COLUMNS } from './bookkeeping-sql.ts';
import { nativeColumns } from './kinds.ts';
import type { Session } from './session.ts';
import { commentOnColumn, commentOnTable, createTable, namesOf, type Place } from './sql.ts';

/** A table as it is in the database. */
export interface Layout {
  /** The type of each column by its name. */
  readonly columns: ReadonlyMap<string, string>;
  /** Null for a table that somebody else made under this name. */
  readonly mark: Mark | null;
}

/** What tells our tables from one another: it stays as long as the table does, and no copy of the table has it. */
export interface Mark {
  readonly identity: string;
  /** The columns by which rows are told apart. */
  readonly key: readonly string[];
}

/** The mark is part of this column's comment: a person may describe the table in words of their own, but hardly this column. */
const MARKED = '_synced_at';
const MARK_TEXT = 'When the page that brought this version of the row was asked for.';

/** @returns null when there is no such table. */
export async function readLayout(session: Session, place: Place, table: string): Promise<Layout | null> {
  const columns = await session.rows(SELECT_COLUMNS, { catalog: place.catalog, schema: place.schema, table });
  if (columns.length === 0) return null;
  const comment = columns.find(({ name }) => name === MARKED)?.comment ?? null;
  return {
    columns: new Map(columns.map(({ name, type }) => [String(name), String(type)])),
    mark: comment === null ? null : readMark(String(comment)),
  };
}

/** Makes a stream's table, with what its declaration says as comments. */
export async function makeTable(session: Session, place: Place, stream: Stream): Promise<Mark> {
  const { table } = namesOf(place, stream.name);
  const columns = nativeColumns(stream);
  await session.run(createTable(table, columns));
  if (stream.description !== '') await session.run(commentOnTable(table, stream.description));
  for (const { name, description } of columns) {
    if (description !== null) await session.run(commentOnColumn(table, name, description));
  }
  return writeMark(session, place, stream, randomUUID());
}

/** Marks a table as ours, with the stream's key. */
export async function writeMark(session: Session, place: Place, stream: Stream, identity: string): Promise<Mark> {
  const mark: Mark = { identity, key: stream.primaryKey };
  const { table } = namesOf(place, stream.name);
  await session.run(commentOnColumn(table, MARKED, `${MARK_TEXT} ${JSON.stringify(mark)}`));
  return mark;
}

function readMark(comment: string): Mark | null {
  const json = comment.startsWith(MARK_TEXT) ? comment.slice(MARK_TEXT.length) : 'null';
  try {
    return JSON.parse(json) as Mark | null;
  } catch {
    return null;
  }
}
