import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openForReading, openForWriting } from '../destinations/duckdb/database.ts';
import { duckdbDestination } from '../destinations/duckdb/destination.ts';
import { openSession } from '../destinations/duckdb/session.ts';
import { inPlace, literal, type Place, quote } from '../destinations/duckdb/sql.ts';
import type { Target } from './destination-suite.ts';

const options = { memoryLimit: null, lockWaitMs: 0 };
const somebody = { runId: 'somebody', command: 'tamper', startedAt: '2026-01-01T00:00:00.000000Z' };

export interface DuckdbTarget extends Target {
  readonly folder: string;
  readonly path: string;
  /** Runs statements as somebody else would: in this process's instance if the file is open, else in one of their own. */
  run(...statements: string[]): Promise<void>;
}

/** A DuckDB file in a folder of its own. */
export async function duckdbTarget(schema = 'main'): Promise<DuckdbTarget> {
  const folder = await mkdtemp(join(tmpdir(), 'cleargrid-duckdb-'));
  const path = join(folder, 'warehouse.duckdb');
  const place: Place = { catalog: 'warehouse', schema };
  const table = (name: string) => inPlace(place, name);
  const positions = table('_cleargrid_positions');

  /** Through the instance that is open for writing, if there is one. */
  async function open(): Promise<Database> {
    const database = await openForWriting(path, options, somebody).catch(() => null);
    return database ?? openForReading(path, options);
  }

  async function run(...statements: string[]): Promise<void> {
    const database = await open();
    try {
      const session = await openSession(database);
      for (const sql of statements) await session.run(sql);
      session.close();
    } finally {
      await database.release();
    }
  }

  return {
    folder,
    path,
    run,
    destination: () => duckdbDestination({ type: 'duckdb', path, schema }),
    spell: table,
    isUntouched: async () => (await readdir(folder)).length === 0,
    tamper: {
      dropTable: (stream) => run(`drop table ${table(stream)}`),
      emptyTable: (stream) => run(`delete from ${table(stream)}`),
      swapTable: (stream) =>
        run(
          `create table ${table('a copy')} as from ${table(stream)}`,
          `drop table ${table(stream)}`,
          `alter table ${table('a copy')} rename to ${quote(stream)}`,
        ),
      addColumn: (stream, column, value) =>
        run(
          `alter table ${table(stream)} add column ${quote(column)} varchar`,
          `update ${table(stream)} set ${quote(column)} = ${literal(value)}`,
        ),
      narrowColumn: (stream, column) => run(`alter table ${table(stream)} alter column ${quote(column)} type smallint`),
      storeDocument: (stream, document) =>
        run(`update ${positions} set "position" = ${literal(document)} where "stream" = ${literal(stream)}`),
      dropSeenKeys: (stream) => run(`drop table ${table(`_cleargrid_seen_${stream}`)}`),
      takeOver: (stream) => run(`update ${positions} set "token" = "token" + 1 where "stream" = ${literal(stream)}`),
    },
    remove: async () => {
      if (existsSync(folder)) await rm(folder, { recursive: true });
    },
  };
}
