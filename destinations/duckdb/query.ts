import {
  DuckDBBlobValue,
  type DuckDBConnection,
  type DuckDBPreparedStatement,
  DuckDBTypeId,
  StatementType,
} from '@duckdb/node-api';
import { configError } from '../failure.ts';
import type { Database } from './database.ts';
import { toQueryValue } from './decode.ts';
import { queryFailure } from './errors.ts';
import { quote } from './sql.ts';

/** Streams the rows of one SELECT. Names without a schema are looked for in `schema` first. */
export async function* queryRows(
  database: Database,
  schema: string,
  sql: string,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const connection = await database.connect();
  try {
    await useSchema(connection, database.catalog, schema);
    const statement = await prepareSelect(connection, sql);
    const names = columnNames(statement);
    const exact = await connection.prepare(textAsBytes(statement, sql)).catch(() => statement);
    const result = await exact.stream();
    const types = result.columnTypes();
    const columns = names.map((name, at) => ({ name, type: types[at]!, isText: isText(statement, at) }));
    for await (const rows of result.yieldRows()) {
      for (const values of rows) {
        const entries = columns.map(({ name, type, isText }, at): [string, unknown] => {
          const value = values[at]!;
          const isBytes = isText && value instanceof DuckDBBlobValue;
          return [name, isBytes ? Buffer.from(value.bytes).toString() : toQueryValue(value, type, toQueryValue)];
        });
        yield Object.fromEntries(entries);
      }
    }
  } catch (error) {
    throw queryFailure(error, database.path);
  } finally {
    connection.closeSync();
  }
}

async function useSchema(connection: DuckDBConnection, catalog: string, schema: string): Promise<void> {
  const found = await connection.runAndReadAll(
    'select 1 from duckdb_schemas() where database_name = $1 and schema_name = $2',
    [catalog, schema],
  );
  if (found.currentRowCount > 0) await connection.run(`use ${quote(catalog)}.${quote(schema)}`);
}

async function prepareSelect(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql).catch(async (error) => {
    // Which does not say what is wrong with the text, as preparing it does.
    await connection.prepare(sql);
    throw error;
  });
  if (statements.count !== 1) throw configError(`the query must be one SELECT; it has ${statements.count} statements`);
  const statement = await statements.prepare(0);
  if (statement.statementType !== StatementType.SELECT) throw configError('the query must be a SELECT');
  return statement;
}

function columnNames(statement: DuckDBPreparedStatement): string[] {
  const names = Array.from({ length: statement.columnCount }, (_, at) => statement.columnName(at));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw configError(`the query has two columns named ${twice}: give one another name`);
  return names;
}

/** The same rows with each text as its bytes: the client takes a byte order mark off the beginning of what it reads as text. */
function textAsBytes(statement: DuckDBPreparedStatement, sql: string): string {
  const columns = Array.from({ length: statement.columnCount }, (_, at) => `c${at}`);
  const selected = columns.map((column, at) => (isText(statement, at) ? `encode(${column})` : column));
  return `select ${selected.join(', ')}\nfrom (\n${sql.replace(/;\s*$/, '')}\n) as q(${columns.join(', ')})`;
}

function isText(statement: DuckDBPreparedStatement, column: number): boolean {
  return statement.columnTypeId(column) === DuckDBTypeId.VARCHAR;
}
