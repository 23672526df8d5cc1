import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { code as currencyOf } from 'currency-codes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromMinorUnits, isEqual, parseAmount } from '../accounts/amounts.ts';
import { parseConfig } from '../connector/config/load.ts';
import type { Destination } from '../destinations/contract.ts';
import { openForWriting } from '../destinations/duckdb/database.ts';
import { openSession } from '../destinations/duckdb/session.ts';
import { openDestination } from '../destinations/open.ts';
import { STREAMS } from '../schemas/registry.ts';
import { DATASETS } from '../simulator/datasets.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { createFolder, run } from './cli-process.ts';
import { startPostgres, type TestServer } from './postgres-server.ts';
import { configFor } from './postgres-target.ts';
import { DBT_PYTHON, python } from './python.ts';

/** The dbt package as its users have it: a package of their own project, on tables that the connector has written. */

const PACKAGE = fileURLToPath(new URL('../dbt', import.meta.url));
/** The other datasets have no rows, and their tables are there all the same. */
const ROWS = { D02: 300, D07: 200, D16: 100, D21: 100 };

/** Streams that the simulator has no dataset for. */
const DISABLED = STREAMS.filter(
  ({ dataset }) => !DATASETS.some(({ available, code }) => available && code === dataset.code),
).map(({ name }) => name);

interface DbtRun {
  readonly success: boolean;
  readonly problem: string | null;
  readonly nodes: readonly { name: string; status: string; message: string | null }[];
}

/** What differs between the warehouses: where they are, and how somebody else writes to them. */
interface Warehouse {
  readonly config: Readonly<Record<string, unknown>>;
  readonly profile: Readonly<Record<string, unknown>>;
  readonly tables: string;
  execute(...statements: string[]): Promise<void>;
  stop(): Promise<void>;
}

function duckdb(folder: string): Warehouse {
  const path = join(folder, 'cleargrid.duckdb');
  return {
    config: { type: 'duckdb', path },
    profile: { type: 'duckdb', path, schema: 'analytics', threads: 1 },
    tables: 'main',
    async execute(...statements) {
      const by = { runId: 'somebody', command: 'tamper', startedAt: '2026-01-01T00:00:00.000000Z' };
      const database = await openForWriting(path, { memoryLimit: '512MB', lockWaitMs: 0 }, by);
      const session = await openSession(database);
      for (const sql of statements) await session.run(sql);
      session.close();
      await database.release();
    },
    stop: async () => {},
  };
}

async function postgres(): Promise<Warehouse> {
  const server: TestServer = await startPostgres();
  const database = await server.createDatabase();
  const { host, port, user, password } = server;
  return {
    config: { ...configFor(server, database, 'lake') },
    profile: { type: 'postgres', host, port, user, password, dbname: database, schema: 'analytics', threads: 2 },
    tables: 'lake',
    async execute(...statements) {
      const client = await server.connect(database);
      for (const sql of statements) await client.query(sql);
      await client.end();
    },
    stop: server.stop,
  };
}

describe.skipIf(DBT_PYTHON === null).each(['duckdb', 'postgres'] as const)('dbt on %s', (type) => {
  let warehouse: Warehouse;
  let simulator: Simulator;
  let destination: Destination;
  let removed: readonly string[];
  const folder = createFolder();
  const project = join(folder.path, 'project');

  beforeAll(async () => {
    warehouse = type === 'duckdb' ? duckdb(folder.path) : await postgres();
    simulator = await startSimulator({ rows: ROWS });
    simulator.insert('D07', 1, { amount: JSON.rawJSON('12345678901234567.89') });
    simulator.insert('D02', 1, { total_amount: 5, currency: 'JPY' });
    simulator.insert('D02', 1, { total_amount: -1, currency: 'kwd' });
    const { lender, email, password, url } = simulator;
    const config = { lender, email, password, base_url: url, destination: warehouse.config };
    const file = folder.config('config.json', config);
    for (const flags of [[], ['--full-refresh', '--streams', 'borrower_accounts']]) {
      simulator.advance(2_000);
      const ended = await run(['sync', '--config', file, ...flags]);
      expect(ended.code, ended.stderr).toBe(0);
      removed ??= simulator.remove('D02', 3);
    }
    destination = await openDestination(parseConfig(config, {}, 'a test').destination!);
    const vars = { ...(type === 'postgres' && { cleargrid_schema: 'lake' }), cleargrid_disabled_streams: DISABLED };
    makeProject(project, vars, warehouse.profile);
  });
  afterAll(async () => {
    await destination?.close();
    await simulator?.stop();
    await warehouse?.stop();
    folder.remove();
  });

  async function dbt(...commands: readonly string[][]): Promise<DbtRun[]> {
    const printed = await python(DBT_PYTHON!, {
      script: 'dbt/run_dbt.py',
      input: JSON.stringify(commands),
      env: { DBT_PROJECT_DIR: project, DBT_PROFILES_DIR: project, PYTHONDONTWRITEBYTECODE: '1' },
    });
    const { runs, strangers } = JSON.parse(/^RESULT (.*)$/m.exec(printed)![1]!);
    expect(strangers).toEqual([]);
    return runs;
  }

  async function rows(sql: string): Promise<Record<string, unknown>[]> {
    const found = [];
    for await (const row of destination.query(sql)) found.push(row);
    return found;
  }

  test('builds every model, passes every test, and is fresh, also where a table has no rows', async () => {
    const [deps, build, freshness] = await dbt(['deps'], ['build'], ['source', 'freshness']);
    expect(deps).toMatchObject({ success: true });
    expect(build!.problem).toBeNull();
    expect(build!.nodes.filter(({ status }) => status !== 'success' && status !== 'pass')).toEqual([]);
    const models = build!.nodes.filter(({ name }) => name.startsWith('stg_'));
    expect(models.length).toBe(STREAMS.length - DISABLED.length);
    expect(freshness!.nodes.map(({ status }) => status)).toEqual(Array(models.length + 1).fill('pass'));
  });

  test('gives amounts in the currency unit, exactly, and hides what was deleted', async () => {
    const accounts = await rows('select * from analytics.stg_cleargrid__borrower_accounts');
    const truth = [...simulator.truth('D02')].map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()));
    expect(accounts.map(({ public_id }) => public_id).toSorted()).toEqual(
      truth.map(({ public_id }) => public_id).toSorted(),
    );
    const inTable = await rows(`select public_id from ${warehouse.tables}.borrower_accounts`);
    expect(inTable.length).toBe(accounts.length + removed.length);
    const of = new Map(truth.map((record) => [record.public_id, record]));
    const wrong = accounts.filter((row) => {
      const { total_amount, currency } = of.get(row.public_id);
      const { digits } = currencyOf(currency.toUpperCase())!;
      const exact = fromMinorUnits(String(total_amount), digits);
      return (
        !isEqual(parseAmount(String(row.total_amount)), exact) || Number(row.total_amount_minor_units) !== total_amount
      );
    });
    expect(wrong).toEqual([]);
    expect(new Set(accounts.map(({ currency }) => currency)).size).toBeGreaterThan(5);

    const payments = await rows('select * from analytics.stg_cleargrid__borrower_payments order by amount desc');
    expect(payments.length).toBe(ROWS.D07 + 1);
    expect(isEqual(parseAmount(String(payments[0]!.amount)), parseAmount('123456789012345.6789'))).toBe(true);
  });

  test("serves the project's own models", async () => {
    expect(await rows('select * from analytics.kuwaiti')).toMatchObject([
      { amount: expect.stringMatching(/^-0?\.0010*$/) },
    ]);
  });

  test('fails where a key stands twice or is missing, and where no run has ended well of late', async () => {
    const { tables, execute } = warehouse;
    await execute(
      ...['borrower_payments', 'borrower_deals'].flatMap((name) => [
        `create table ${tables}.copy as select * from ${tables}.${name}`,
        ...(type === 'duckdb' ? [`drop table ${tables}.${name}`] : [`drop table ${tables}.${name} cascade`]),
        `insert into ${tables}.copy select * from (select * from ${tables}.copy limit 1) again`,
        `alter table ${tables}.copy rename to ${name}`,
      ]),
      `create table ${tables}.copy as select * from ${tables}.communication_logs`,
      `drop table ${tables}.communication_logs cascade`,
      `update ${tables}.copy set public_id = null`,
      `alter table ${tables}.copy rename to communication_logs`,
      `update ${tables}._cleargrid_runs set ended_at = ended_at - interval '2 days'`,
    );
    const [build, freshness] = await dbt(['build'], ['source', 'freshness']);
    const failed = build!.nodes.filter(({ status }) => status === 'fail').map(({ name }) => name);
    expect(failed.toSorted()).toEqual([
      'source_not_null_cleargrid_communication_logs_public_id',
      'source_unique_cleargrid_borrower_payments_public_id',
      'source_unique_together_cleargrid_borrower_deals_public_id__created_at',
    ]);
    const stale = freshness!.nodes.filter(({ status }) => status !== 'pass');
    expect(stale).toMatchObject([{ name: '_cleargrid_runs', status: 'error' }]);
  });

  test('leaves out the streams that a lender does not have', async () => {
    await warehouse.execute(`drop table ${warehouse.tables}.payment_proofs cascade`);
    makeProject(
      project,
      { cleargrid_schema: warehouse.tables, cleargrid_disabled_streams: [...DISABLED, 'payment_proofs'] },
      warehouse.profile,
    );
    const [build] = await dbt(['build', '--exclude', 'resource_type:test']);
    expect(build!.nodes.filter(({ status }) => status !== 'success')).toEqual([]);
    expect(build!.nodes.map(({ name }) => name)).not.toContain('stg_cleargrid__payment_proofs');
  });
});

/** A project of somebody who uses the package, with a model of their own. */
function makeProject(folder: string, vars: object, profile: object): void {
  mkdirSync(join(folder, 'models'), { recursive: true });
  // JSON is YAML.
  const write = (name: string, content: unknown) => writeFileSync(join(folder, name), JSON.stringify(content));
  write('dbt_project.yml', { name: 'theirs', version: '1.0.0', profile: 'theirs', vars });
  write('packages.yml', { packages: [{ local: PACKAGE }] });
  write('profiles.yml', { theirs: { target: 'test', outputs: { test: profile } } });
  writeFileSync(
    join(folder, 'models', 'kuwaiti.sql'),
    "select cast(total_amount as varchar) as amount from {{ ref('stg_cleargrid__borrower_accounts') }} where currency = 'kwd'",
  );
}
