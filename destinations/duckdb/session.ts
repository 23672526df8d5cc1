import type { DuckDBConnection, DuckDBListValue, DuckDBValue } from '@duckdb/node-api';
import type { RowValues } from '../../schemas/row.ts';
import type { Database } from './database.ts';
import { duckdbFailure, ranOutOfMemory } from './errors.ts';
import type { NativeColumn } from './kinds.ts';
import { createTemporary, dropTemporary } from './sql.ts';
import { rowVectors, type Vectors } from './vectors.ts';

export type Parameters = Readonly<Record<string, string | number | DuckDBListValue | null>>;

type LoadColumn = Pick<NativeColumn, 'name' | 'type'>;

/** One connection, whose errors are `Failure`s. Its statements run one after the other. */
export interface Session {
  /** @returns how many rows the statement changed. */
  run(sql: string, parameters?: Parameters): Promise<number>;
  /** All rows of a SELECT, as DuckDB's values. */
  rows(sql: string, parameters?: Parameters): Promise<Record<string, DuckDBValue>[]>;
  /** Makes a temporary table anew and fills it with pages of rows; others have their turn between pages. */
  load(table: string, columns: readonly LoadColumn[], pages: Iterable<Vectors>): Promise<void>;
  /** The same with rows. */
  loadRows(table: string, columns: readonly LoadColumn[], rows: readonly RowValues[]): Promise<void>;
  /** Gives back what `load` has taken. What cannot be given back now ends with the connection. */
  unload(table: string): Promise<void>;
  /** Lets DuckDB hold the memory that rows of so many bytes need, where it may: what fails after a commit cannot be done once more. */
  allowFor(rowBytes: number): Promise<void>;
  /** Runs `work` in one transaction: all or nothing. Where memory ran out and more may be had, all of it again. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
}

export async function openSession(database: Database): Promise<Session> {
  const telling = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw duckdbFailure(error, database.path);
    }
  };
  const connection = await telling(() => database.connect());
  const run = (sql: string, parameters?: Parameters) =>
    telling(async () => (await connection.run(sql, bindings(parameters))).rowsChanged);

  const allowMore = (rowBytes?: number) => telling(() => database.allowMore(rowBytes));

  async function once<T>(work: () => Promise<T>): Promise<T> {
    await run('begin');
    try {
      const result = await work();
      await run('commit');
      return result;
    } catch (error) {
      // A commit that failed has ended its transaction already; what counts is why.
      await connection.run('rollback').catch(() => {});
      throw error;
    }
  }

  return {
    run,
    rows: (sql, parameters) =>
      telling(async () => {
        const reader = await connection.runAndReadAll(sql, bindings(parameters));
        return namedRows(reader.columnNames(), reader.getRows());
      }),
    load: (table, columns, pages) => telling(() => load(connection, table, columns, pages)),
    loadRows: (table, columns, rows) =>
      telling(() =>
        load(connection, table, columns, [
          rowVectors(
            columns.map(({ type }) => type),
            rows,
          ),
        ]),
      ),
    async unload(table) {
      await connection.run(dropTemporary(table)).catch(() => {});
    },
    async allowFor(rowBytes) {
      await allowMore(rowBytes);
    },
    async transaction(work) {
      while (true) {
        try {
          return await once(work);
        } catch (error) {
          if (!ranOutOfMemory(error) || !(await allowMore())) throw error;
        }
      }
    },
    close: () => connection.closeSync(),
  };
}

/** Rows by column name, also where that is `__proto__`. */
function namedRows<T>(names: readonly string[], rows: readonly (readonly T[])[]): Record<string, T>[] {
  return rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]!])));
}

function bindings(parameters: Parameters | undefined): Record<string, DuckDBValue> | undefined {
  return parameters as Record<string, DuckDBValue> | undefined;
}

async function load(
  connection: DuckDBConnection,
  table: string,
  columns: readonly LoadColumn[],
  pages: Iterable<Vectors>,
): Promise<void> {
  await connection.run(createTemporary(table, columns));
  const appender = await connection.createAppender(table, 'main', 'temp');
  for (const page of pages) {
    page.appendTo(appender);
    await new Promise(setImmediate);
  }
  appender.closeSync();
}
