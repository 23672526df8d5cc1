import type { PostgresConfig } from '../destinations/config.ts';
import { postgresDestination } from '../destinations/postgres/destination.ts';
import type { Target } from './destination-suite/target.ts';
import type { TestServer } from './postgres-server.ts';

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;

let schemas = 0;

/** The config of a destination in one database of a test server. */
export function configFor(server: TestServer, database: string, schema: string): PostgresConfig {
  const { host, port, user: username, password } = server;
  return { type: 'postgres', host, port, database, username, password, schema, ssl: false };
}

/** A schema of a database as the shared suite's target; its name is as hostile as a name may be. */
export async function postgresTarget(server: TestServer, database: string): Promise<Target> {
  const schema = `it's "schema" ${++schemas}`;
  const inSchema = (name: string) => `${quote(schema)}.${quote(name)}`;
  const query = async (sql: string, values?: unknown[]) => {
    const admin = await server.connect(database);
    return await admin.query(sql, values).finally(() => admin.end());
  };
  const run = async (sql: string, values?: unknown[]) => void (await query(sql, values));

  return {
    destination: () => postgresDestination(configFor(server, database, schema)),
    spell: inSchema,
    async isUntouched() {
      const { rows } = await query('select from pg_namespace where nspname = $1', [schema]);
      return rows.length === 0;
    },
    tamper: {
      dropTable: (stream) => run(`drop table ${inSchema(stream)}`),
      emptyTable: (stream) => run(`truncate ${inSchema(stream)}`),
      async swapTable(stream) {
        await run(`create table ${inSchema('copy')} as table ${inSchema(stream)}`);
        await run(`drop table ${inSchema(stream)}`);
        await run(`alter table ${inSchema('copy')} rename to ${quote(stream)}`);
      },
      async addColumn(stream, column, value) {
        await run(`alter table ${inSchema(stream)} add column ${quote(column)} pg_catalog.text`);
        await run(`update ${inSchema(stream)} set ${quote(column)} = $1`, [value]);
      },
      narrowColumn: (stream, column) => run(`alter table ${inSchema(stream)} alter ${quote(column)} type integer`),
      storeDocument: (stream, document) =>
        run(`update ${inSchema('_cleargrid_positions')} set "position" = $2 where "stream" = $1`, [stream, document]),
      dropSeenKeys: (stream) => run(`drop table ${inSchema(`_cleargrid_seen_${stream}`)}`),
      takeOver: (stream) =>
        run(`update ${inSchema('_cleargrid_positions')} set "token" = "token" + 1 where "stream" = $1`, [stream]),
    },
    remove: () => run(`drop schema if exists ${quote(schema)} cascade`),
  };
}
