import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { StreamSummary, Summary } from '../connector/summary.ts';
import { STREAMS, streamNamed } from '../schemas/registry.ts';
import type { SimulatorOptions } from '../simulator/options.ts';
import { type Ended, type Running, run, start } from './cli-process.ts';
import {
  admin,
  config,
  database,
  differences,
  folder,
  serve,
  server,
  simulator,
  usePostgres,
} from './postgres-world.ts';

/** `sync` as a process into a real server: faults 17, 19 and 24, and what other people have made around the tables. */

const streams = ['borrower_sub_accounts', 'borrower_deals', 'communication_logs'].map((name) => streamNamed(name)!);
const [subAccounts] = streams as [(typeof streams)[number]];
const TABLE = `cleargrid.${subAccounts.name}`;
/** Sessions that one stream writes with. */
const LANES = 2;

usePostgres();

const begin = (options: SimulatorOptions = { rows: { D03: 3000, D16: 300, D21: 300 } }) => serve(streams, options);

async function sync(...flags: string[]): Promise<Ended & { summary: Summary; of(stream: string): StreamSummary }> {
  simulator.advance(2_000);
  const ended = await run(['sync', '--config', config, ...flags]);
  const summary = JSON.parse(ended.stdout) as Summary;
  return { ...ended, summary, of: (name) => summary.streams.find(({ stream }) => stream === name)! };
}

const query = async (sql: string) => (await admin.query(sql)).rows;

async function loaded(options?: SimulatorOptions): Promise<void> {
  await begin(options);
  const first = await sync();
  expect(first.stderr.includes('"error"') ? first.stderr : '').toBe('');
  expect(first.code).toBe(0);
}

/** All that a run could leave: every relation, column and comment of the database, and every version of every row of ours. */
async function stored(): Promise<unknown> {
  const tables = await query(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = relnamespace
     where nspname = 'cleargrid' and relkind = 'r' order by 1`,
  );
  const rows: unknown[] = [];
  for (const { name } of tables)
    rows.push(
      ...(await query(
        `select '${name}' as name, count(*), md5(string_agg(concat(ctid, xmin, xmax, t), '' order by ctid)) from ${name} t`,
      )),
    );
  const [catalog] = await query(`select
    (select md5(string_agg(concat(oid, relname, relfilenode, relnatts), '' order by oid)) from pg_class) as relations,
    (select md5(string_agg(concat(oid, nspname, nspacl), '' order by oid)) from pg_namespace) as schemas,
    (select md5(string_agg(description, '' order by objoid, objsubid, description)) from pg_description) as comments,
    (select count(*) from pg_attribute) as columns`);
  return { catalog, rows };
}

describe('a dry run', () => {
  test('makes nothing in a database where nothing is', async () => {
    await begin();
    const before = await stored();
    for (const flags of [[], ['--full-refresh']]) {
      expect((await sync('--dry-run', ...flags)).code).toBe(0);
      expect(await stored()).toEqual(before);
    }
    expect(await query(`select 1 from pg_namespace where nspname = 'cleargrid'`)).toEqual([]);
  });

  test('leaves every row, position and table as they were', async () => {
    await loaded();
    simulator.change('D03', 30);
    simulator.insert('D16', 3);
    const before = await stored();
    for (const flags of [[], ['--full-refresh']]) {
      const { code, of } = await sync('--dry-run', ...flags);
      expect([code, of(subAccounts.name).rows_written]).toEqual([0, 0]);
      expect(await stored()).toEqual(before);
    }
    expect((await sync()).of(subAccounts.name).rows_written).toBe(30);
    expect(await stored()).not.toEqual(before);
  });
});

describe('sync into Postgres', () => {
  test('holds sessions for the lanes of as many streams as are read at once, and one for its locks', async () => {
    await serve(STREAMS, { rows: { D03: 20_000 } }, { streams_at_once: 2 });
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
    await begin();
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

describe('fault 2: a stop while the server keeps it waiting', () => {
  /** Asks it to stop, and gives its end, which must come within what orchestrators wait. */
  async function stopped(running: Running): Promise<Ended & { summary: Summary }> {
    const asked = performance.now();
    running.process.kill('SIGTERM');
    const ended = await running.ended;
    expect(performance.now() - asked).toBeLessThan(10_000);
    expect(ended.code).toBe(143);
    return { ...ended, summary: JSON.parse(ended.stdout) as Summary };
  }

  test('for a lock tells what is done all the same, and records the end', async () => {
    await loaded();
    simulator.change('D03', 50);
    const holder = await server.connect(database);
    const hold = async () => {
      end();
      await holder.query('begin');
      await holder.query(`lock table ${TABLE} in access exclusive mode`);
    };
    const end = simulator.onPageRequest(({ code }) => (code === 'D03' ? hold() : undefined));
    simulator.advance(2_000);
    const running = start(['sync', '--config', config]);
    const waiting = `select 1 from pg_locks where not granted`;
    while ((await query(waiting)).length === 0) await wait(50);
    await wait(1_500);
    const { summary } = await stopped(running);
    expect(summary.status).toBe('stopped');
    expect(Object.fromEntries(summary.streams.map(({ stream, status }) => [stream, status]))).toEqual({
      borrower_sub_accounts: 'stopped',
      borrower_deals: 'succeeded',
      communication_logs: 'succeeded',
    });
    const [record] = await query(
      'select run_id, status, summary from cleargrid._cleargrid_runs order by started_at desc limit 1',
    );
    expect(record).toMatchObject({ run_id: summary.run_id, status: 'stopped', summary });
    await holder.end();
    expect((await sync()).code).toBe(0);
    expect(await differences()).toEqual([]);
  });

  test('in silence tells that nothing was done', async () => {
    await begin();
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket.on('error', () => {})));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const parsed = JSON.parse(readFileSync(config, 'utf8'));
    const { port } = silent.address() as AddressInfo;
    const destination = { ...parsed.destination, host: '127.0.0.1', port };
    const elsewhere = folder.config('silent.json', { ...parsed, destination });
    const running = start(['sync', '--config', elsewhere]);
    while (sockets.size === 0) await wait(50);
    const { summary } = await stopped(running);
    expect(summary).toMatchObject({ status: 'stopped', streams: [] });
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
});
