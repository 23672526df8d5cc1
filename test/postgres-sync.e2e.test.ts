import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StreamSummary, Summary } from '../connector/summary.ts';
import { streamNamed } from '../schemas/registry.ts';
import type { SimulatorOptions } from '../simulator/options.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { createFolder, type Ended, run, start } from './cli-process.ts';
import { allDifferences } from './kill.ts';
import { startPostgres, type TestServer } from './postgres-server.ts';
import { configFor } from './postgres-target.ts';

/** `sync` as a process into a real server: faults 17, 19 and 24, and what other people have made around the tables. */

const streams = ['borrower_sub_accounts', 'borrower_deals', 'communication_logs'].map((name) => streamNamed(name)!);
const [subAccounts] = streams as [(typeof streams)[number]];
const TABLE = `cleargrid.${subAccounts.name}`;
/** Sessions that one stream writes with. */
const LANES = 2;

let server: TestServer;
let database: string;
let admin: pg.Client;
let simulator: Simulator;
let folder: ReturnType<typeof createFolder>;
let config: string;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());
beforeEach(async () => {
  folder = createFolder();
  database = await server.createDatabase();
  admin = await server.connect(database);
});
afterEach(async () => {
  expect(await server.sessionsLeft(database)).toBe(0);
  await admin.end();
  await simulator.stop();
  folder.remove();
});

async function serve(options: SimulatorOptions = { rows: { D03: 3000, D16: 300, D21: 300 } }): Promise<void> {
  simulator = await startSimulator(options);
  const { lender, email, password, url } = simulator;
  const destination = configFor(server, database, 'cleargrid');
  config = folder.config('config.json', {
    ...{ lender, email, password, base_url: url, destination },
    streams: streams.map(({ name }) => name),
  });
}

async function sync(...flags: string[]): Promise<Ended & { summary: Summary; of(stream: string): StreamSummary }> {
  simulator.advance(2_000);
  const ended = await run(['sync', '--config', config, ...flags]);
  const summary = JSON.parse(ended.stdout) as Summary;
  return { ...ended, summary, of: (name) => summary.streams.find(({ stream }) => stream === name)! };
}

const query = async (sql: string) => (await admin.query(sql)).rows;
const differences = () =>
  allDifferences(simulator, streams, configFor(server, database, 'cleargrid'), ({ name }) => `cleargrid."${name}"`);

async function loaded(options?: SimulatorOptions): Promise<void> {
  await serve(options);
  const first = await sync();
  expect(first.stderr.includes('"error"') ? first.stderr : '').toBe('');
  expect(first.code).toBe(0);
}

describe('sync into Postgres', () => {
  test('holds sessions for the lanes of as many streams as are read at once, and one for its locks', async () => {
    simulator = await startSimulator({ rows: { D03: 20_000 } });
    const { lender, email, password, url } = simulator;
    const destination = configFor(server, database, 'cleargrid');
    config = folder.config('config.json', { lender, email, password, base_url: url, destination, streams_at_once: 2 });
    const running = start(['sync', '--config', config]);
    let [most, ended] = [0, false];
    running.ended.then(() => {
      ended = true;
    });
    while (!ended) {
      most = Math.max(most, await server.sessions(database));
      await wait(10);
    }
    expect((await running.ended).code).toBe(0);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(2 * LANES + 1);
  });

  test('loads all, then writes what has changed and nothing else, and marks what is gone', async () => {
    await loaded();
    expect(await differences()).toEqual([]);
    simulator.change('D03', 40);
    const second = await sync();
    expect(second.of(subAccounts.name)).toMatchObject({ status: 'succeeded', rows_written: 40 });
    simulator.remove('D03', 30);
    const third = await sync('--full-refresh');
    expect(third.of(subAccounts.name)).toMatchObject({ rows_written: 0, rows_deleted: 30 });
    expect(await differences()).toEqual([]);
    expect(await query(`select to_regclass('cleargrid._cleargrid_seen_${subAccounts.name}') as seen`)).toEqual([
      { seen: null },
    ]);
  });

  test('keeps documentation where analysts look', async () => {
    await loaded();
    const comments = await query(`select obj_description('${TABLE}'::regclass) as "table",
      col_description('${TABLE}'::regclass, 2) as "column"`);
    expect(comments).toEqual([{ table: subAccounts.description, column: subAccounts.columns[1]!.description }]);
    expect(
      await query(`select conname from pg_constraint where conrelid = '${TABLE}'::regclass and contype = 'p'`),
    ).toEqual([{ conname: `${subAccounts.name}_pkey` }]);
  });

  test('looks back over unchanged rows without a byte of their tables in the log', async () => {
    await loaded({ rows: { D03: 2000, D16: 0, D21: 0 }, history: { days: 0.001 } });
    // The first look-back makes temporary tables and the like, which the server's catalogs log.
    await sync('--streams', subAccounts.name);
    const [before] = await query('select pg_current_wal_lsn()::text as lsn');
    const second = await sync('--streams', subAccounts.name);
    expect(second.of(subAccounts.name).rows_written).toBe(0);
    expect(second.of(subAccounts.name).rows_unchanged).toBeGreaterThanOrEqual(2000);
    const [after] = await query(`select pg_wal_lsn_diff(pg_current_wal_lsn(), '${before.lsn}')::int as bytes`);
    expect(after.bytes).toBeLessThan(100_000);
  });

  test('a full refresh touches no row that did not change', async () => {
    await loaded();
    const touched = () =>
      query(`select md5(string_agg(concat(ctid, xmin, xmax), ',' order by public_id)) as rows from ${TABLE}`);
    const before = await touched();
    const refreshed = await sync('--full-refresh');
    expect(refreshed.of(subAccounts.name)).toMatchObject({ rows_written: 0, rows_deleted: 0 });
    expect(refreshed.of(subAccounts.name).rows_unchanged).toBeGreaterThanOrEqual(3000);
    expect(await touched()).toEqual(before);
  });
});

describe('fault 17: a table that is', () => {
  test.for([
    ['dropped', [`drop table ${TABLE}`], /table is gone/],
    ['emptied', [`truncate ${TABLE}`], /was emptied/],
    [
      'swapped for a copy',
      [
        `create table cleargrid.copy as table ${TABLE}`,
        `drop table ${TABLE}`,
        `alter table cleargrid.copy rename to ${subAccounts.name}`,
      ],
      /is not the one/,
    ],
  ] as const)('%s between runs is noticed, and loaded from the start', async ([, statements, words]) => {
    await loaded();
    for (const statement of statements) await admin.query(statement);
    simulator.change('D03', 5);
    const second = await sync();
    expect(second.code).toBe(0);
    expect(second.summary.warnings.join()).toMatch(words);
    expect(await differences()).toEqual([]);
  });
});

describe('fault 19: positions that', () => {
  test.for([
    ['are all gone', 'delete from cleargrid._cleargrid_positions', /has no position/],
    ['are gone with their table', 'drop table cleargrid._cleargrid_positions', /has no position/],
    ['are damaged', `update cleargrid._cleargrid_positions set position = '{"version": 1}'`, /is damaged/],
    [
      'were written by a newer version',
      `update cleargrid._cleargrid_positions set position = position || '{"version": 2}'`,
      /newer version/,
    ],
  ] as const)('%s stop the run with the command that settles it, and that command does', async ([, tamper, words]) => {
    await loaded();
    await admin.query(tamper);
    const second = await sync();
    expect(second.code).not.toBe(0);
    const { error } = second.of(subAccounts.name);
    expect(error).toMatchObject({ kind: 'config_error', message: expect.stringMatching(words) });
    expect(error!.message).toMatch(/--full-refresh/);
    expect(await differences()).toEqual([]);
    simulator.change('D03', 5);
    const settled = await sync('--full-refresh');
    expect(settled.code).toBe(0);
    expect(await differences()).toEqual([]);
  });

  test('belong to another lender stop the run, and no command overrides that', async () => {
    await loaded();
    const other = '11111111-1111-4111-8111-111111111111';
    await admin.query(
      `update cleargrid._cleargrid_positions set position = jsonb_set(position, '{lender}', '"${other}"')`,
    );
    for (const flags of [[], ['--full-refresh']]) {
      const { error } = (await sync(...flags)).of(subAccounts.name);
      expect(error).toMatchObject({ kind: 'config_error', message: expect.stringContaining(other) });
    }
  });
});

describe('fault 24: what others have made', () => {
  test('is all there after increments and a full refresh, and their trigger fires for each row that is written', async () => {
    await loaded();
    for (const statement of [
      'create role analyst',
      'create table public.written (key text)',
      `create function public.note() returns trigger language plpgsql as
        $$ begin insert into written values (new.public_id); return new; end $$`,
      `create trigger note after insert or update on ${TABLE} for each row execute function public.note()`,
      `alter table ${TABLE} add column note text default 'theirs'`,
      `create index theirs on ${TABLE} (due_date_parsed)`,
      `create view public.due as select public_id, due_date_parsed, note from ${TABLE} where _deleted_at is null`,
      'grant usage on schema cleargrid to analyst',
      `grant select on ${TABLE} to analyst`,
      `comment on table ${TABLE} is 'in words of theirs'`,
    ]) {
      await admin.query(statement);
    }
    const state = () =>
      query(`select (select count(*) from public.due)::int as due, has_table_privilege('analyst', '${TABLE}', 'select') as granted,
        (select count(*) from pg_indexes where indexname = 'theirs')::int as indexes, obj_description('${TABLE}'::regclass) as comment,
        (select count(*) from ${TABLE} where note = 'theirs')::int as notes`);
    const theirs = { due: 3000, granted: true, indexes: 1, comment: 'in words of theirs', notes: 3000 };
    simulator.change('D03', 25);
    expect((await sync()).code).toBe(0);
    expect(await state()).toEqual([theirs]);
    expect(await query('select count(*)::int as rows, count(distinct key)::int as keys from public.written')).toEqual([
      { rows: 25, keys: 25 },
    ]);
    simulator.insert('D03', 10);
    simulator.remove('D03', 20);
    expect((await sync('--full-refresh')).code).toBe(0);
    expect(await state()).toEqual([{ ...theirs, due: 2990, notes: 3010 }]);
    expect(await query('select count(*)::int as rows from public.written')).toEqual([{ rows: 25 + 10 + 20 }]);
    expect(await differences()).toEqual([]);
    await admin.query('drop view public.due');
    await admin.query(`revoke all on ${TABLE} from analyst`);
    await admin.query('revoke all on schema cleargrid from analyst');
    await admin.query('drop role analyst');
  });

  test('a view of the name of a table is told, is not touched, and keeps no other stream from being loaded', async () => {
    await serve();
    await admin.query('create schema cleargrid');
    await admin.query(`create view ${TABLE} as select 1 as one`);
    const first = await sync();
    expect(first.code).toBe(1);
    expect(first.summary.streams.map(({ stream, status }) => [stream, status])).toEqual([
      ['borrower_deals', 'succeeded'],
      ['communication_logs', 'succeeded'],
      [subAccounts.name, 'failed'],
    ]);
    expect(first.of(subAccounts.name).error).toMatchObject({
      kind: 'config_error',
      message: expect.stringMatching(/a view\?/),
    });
    expect(await query(`select * from ${TABLE}`)).toEqual([{ one: 1 }]);
  });
});
