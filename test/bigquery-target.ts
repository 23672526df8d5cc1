import { randomUUID } from 'node:crypto';
import type { ClientOptions } from '../destinations/bigquery/client.ts';
import { bigqueryDestination } from '../destinations/bigquery/destination.ts';
import { columnName, inPlace, literal, quote, tableName, tableNames } from '../destinations/bigquery/names.ts';
import { openSession, type Session } from '../destinations/bigquery/session.ts';
import type { BigqueryConfig } from '../destinations/config.ts';
import { HOSTILE_NAMES, type Target } from './destination-suite.ts';

/** Of the names that no destination may stumble over, those that BigQuery can have. */
export const hostileNames = HOSTILE_NAMES.filter((name) => columnName(name) === name && tableName(name) === name);

export interface BigqueryTarget extends Target {
  readonly config: BigqueryConfig;
  /** What somebody else may do there. */
  readonly session: Session;
  run(sql: string): Promise<void>;
}

/** Waits are told apart from work by being short. */
export const quickly: ClientOptions = {
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20))),
  random: () => 0.5,
};

/**
 * A dataset of its own.
 *
 * @param endpoint what destinations go through; null: BigQuery itself.
 * @param behind what somebody else goes through.
 */
export function bigqueryTarget(project: string, endpoint: string | null, behind = endpoint): BigqueryTarget {
  const dataset = `test_${randomUUID().replaceAll('-', '')}`;
  const configFor = (through: string | null): BigqueryConfig => ({
    type: 'bigquery',
    project_id: project,
    dataset,
    location: 'US',
    ...(through === null ? {} : { api_endpoint: through }),
  });
  const config = configFor(endpoint);
  const session = openSession(configFor(behind), quickly);
  const place = { project, dataset };
  const table = (stream: string) => inPlace(place, tableNames({ name: stream }).table);
  const run = async (sql: string) => void (await session.run({ sql }, { what: 'tamper' }));

  return {
    config,
    session,
    run,
    destination: () => bigqueryDestination(config, quickly),
    spell: (name) => inPlace(place, name),
    isUntouched: async () => (await session.catalog.dataset()) === null,
    tamper: {
      dropTable: (stream) => run(`drop table ${table(stream)}`),
      emptyTable: (stream) => run(`delete from ${table(stream)} where true`),
      async swapTable(stream) {
        await run(`create table ${table('copy')} as select * from ${table(stream)}`);
        await run(`drop table ${table(stream)}`);
        await run(`create table ${table(stream)} as select * from ${table('copy')}`);
        await run(`drop table ${table('copy')}`);
      },
      async addColumn(stream, column, value) {
        await run(`alter table ${table(stream)} add column ${quote(column)} STRING`);
        await run(`update ${table(stream)} set ${quote(column)} = ${literal(value)} where true`);
      },
      async narrowColumn(stream, column) {
        await run(`alter table ${table(stream)} drop column ${quote(column)}`);
        await run(`alter table ${table(stream)} add column ${quote(column)} FLOAT64`);
      },
      storeDocument: (stream, document) =>
        run(`update ${inPlace(place, '_cleargrid_positions')} set position = parse_json(${literal(document)})
where stream = ${literal(stream)}`),
      dropSeenKeys: (stream) => run(`drop table ${inPlace(place, tableNames({ name: stream }).seen)}`),
      takeOver: (stream) =>
        run(`update ${inPlace(place, '_cleargrid_leases')}
set token = token + 1, run_id = 'another', expires_at = timestamp '2000-01-01' where stream = ${literal(stream)}`),
    },
    async remove() {
      await session.catalog.deleteDataset();
    },
  };
}
