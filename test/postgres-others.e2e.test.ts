import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createPool } from '../destinations/postgres/pool.ts';
import { at, deals, events } from './destination-suite/streams.ts';
import { newPosition, newWindow } from './destination-suite/visit.ts';
import { faultBench, page } from './postgres-fault-bench.ts';

/** Faults 16 and 17 on a real server: what others do to the same tables at the same time. */

const bench = faultBench();
const { visit, table, query, loaded } = bench;

describe('fault 16: somebody else', () => {
  test('deadlocks with a batch, and one of them is tried again', async () => {
    const { write } = await loaded(2);
    const other = await bench.server.connect(bench.database);
    await other.query(
      `set deadlock_timeout = '20s'; begin; update ${table()} set name = 'theirs' where public_id = '1'`,
    );
    const writing = write(deals, [page(2, 'second', 11)]);
    await wait(300);
    const theirs = other.query(`update ${table()} set name = 'theirs' where public_id = '0'`);
    await theirs;
    await other.query('commit');
    await other.end();
    expect(await writing).toMatchObject({ written: 2 });
    expect(await query(`select distinct name from ${table()}`)).toEqual([{ name: 'second' }]);
  });

  test.each([
    ['an older', at(5), { written: 2, unchanged: 0 }, 'second'],
    ['a newer', at(50), { written: 1, unchanged: 1 }, 'theirs'],
  ])(
    'inserts %s row of a key that is new to a batch as well, and the newer one wins',
    async (_, theirs, done, name) => {
      const { write } = await loaded(3);
      // What the last batch brought was new: so is what comes next, and it is inserted without a look for conflicts.
      const other = await bench.server.connect(bench.database);
      await other.query(`begin; insert into ${table()} (public_id, name, updated_at, _synced_at)
      values ('99', 'theirs', '${theirs}', '${theirs}')`);
      const records = ['98', '99'].map((public_id) => ({ public_id, name: 'second', updated_at: at(11) }));
      const writing = write(deals, [{ askedAt: at(20), records }]);
      await expect
        .poll(() => query(`select query from pg_stat_activity where wait_event_type = 'Lock'`), { timeout: 20_000 })
        .toEqual([{ query: expect.stringContaining('where not exists') }]);
      await other.query('commit');
      await other.end();
      expect(await writing).toMatchObject(done);
      expect(await query(`select name from ${table()} where public_id in ('98', '99') order by public_id`)).toEqual([
        { name: 'second' },
        { name },
      ]);
    },
  );

  test('locks a table for a while, and the batch waits', async () => {
    const { write } = await loaded(3);
    const other = await bench.server.connect(bench.database);
    await other.query(`begin; lock table ${table()} in access exclusive mode`);
    const writing = write(deals, [page(3, 'second', 11)]);
    await wait(6_000);
    await other.query('rollback');
    await other.end();
    expect(await writing).toMatchObject({ written: 3 });
  });

  test('adds a column while rows are written, which changes nothing', async () => {
    const { write } = await loaded(3);
    await bench.admin.query(`alter table ${table()} add column theirs int default 7`);
    expect(await write(deals, [page(4, 'second', 11)])).toMatchObject({ written: 4 });
    expect(await query(`select distinct theirs from ${table()}`)).toEqual([{ theirs: 7 }]);
  });

  test('drops a column between two runs: it is made again, and the second run is told what fills it', async () => {
    await loaded(3);
    await bench.admin.query(`alter table ${table()} drop column name`);
    const { warnings } = await visit.open([deals]);
    expect(warnings).toEqual([expect.stringContaining('deals: its table lacked name; made again, and empty')]);
    expect((await visit.open([deals])).warnings).toEqual([]);
  });

  test('keeps a table from being given a column, which fails its stream and no other', async () => {
    await loaded(3);
    await visit.closeAll();
    await bench.admin.query(`alter table ${table()} drop column name`);
    const blocker = await bench.server.connect(bench.database);
    await blocker.query(`begin; lock table ${table()} in access share mode`);
    const failure = { name: 'StreamFailure', stream: 'deals' };
    const held = { ...failure, kind: 'transient_error', message: /deals: .*somebody holds a table/ };
    await expect(visit.open([deals, events])).rejects.toMatchObject(held);
    await blocker.query('rollback');
    await blocker.end();

    const schema = table().replace(/\."deals"$/, '');
    await query('drop role if exists renter');
    await query(`create role renter login password 'renter'; grant all on schema ${schema} to renter`);
    await query(`grant all on all tables in schema ${schema} to renter`);
    bench.connectBy({ username: 'renter', password: 'renter' });
    const foreign = { ...failure, kind: 'config_error', message: /must be owner of table deals/ };
    await expect(visit.open([deals, events])).rejects.toMatchObject(foreign);
    expect((await visit.open([events])).warnings).toEqual([]);
    await visit.closeAll();
    await query('drop owned by renter');
  });

  test.for([
    ['drops', 'drop table %s', /dropped or replaced/],
    ['renames', 'alter table %s rename to other', /dropped or replaced/],
  ] as const)('%s the table while rows are written, and the run is told so', async ([, sql, words]) => {
    const { write } = await loaded(3);
    await bench.admin.query(sql.replace('%s', table()));
    await expect(write(deals, [page(3, 'second', 11)])).rejects.toMatchObject({
      kind: 'transient_error',
      message: words,
    });
  });

  test('drops the table of a first load while it is filled, and the run is told so', async () => {
    const { write } = await visit.open([deals]);
    const windows = [newWindow(null, at(60))];
    const begin = { type: 'begin', position: newPosition(deals, { until: at(60), windows }) } as const;
    await write(deals, [page(3)], { changes: [begin] });
    await bench.admin.query(`drop table ${visit.target.spell('_cleargrid_loading_deals')}`);
    const next = { type: 'window', until: at(60), becomes: [{ ...windows[0]!, cursor: 'next' }] } as const;
    const writing = write(deals, [page(3)], { changes: [next] });
    await expect(writing).rejects.toMatchObject({ kind: 'transient_error', message: /dropped or replaced/ });
  });

  test('drops a column while rows are written, and the run is told which', async () => {
    const { write } = await loaded(3);
    await bench.admin.query(`alter table ${table()} drop column "name"`);
    await expect(write(deals, [page(3, 'second', 11)])).rejects.toThrow(/column "?name"? /);
  });

  test('demands a column of rows that only they know, and the message names it without a value', async () => {
    const { write } = await loaded(3);
    await bench.admin.query(`alter table ${table()} add column theirs int not null default 0`);
    await bench.admin.query(`alter table ${table()} alter theirs drop default`);
    await expect(write(deals, [page(4, 'second', 11)])).rejects.toMatchObject({
      kind: 'config_error',
      message: expect.stringMatching(/column theirs/),
    });
    await expect(write(deals, [page(4, 'second', 11)])).rejects.not.toThrow(/second/);
  });

  test.each([
    ['refuses rows', "raise exception 'no %', new.name"],
    ['raises an error of its own kind', "raise exception 'no %', new.name using errcode = 'ZZ001'"],
    ['fails', 'new.name := (1 / (length(new.name) - length(new.name)))::text'],
    ['writes to a table that is gone', 'insert into nowhere values (new.name)'],
  ])(
    'has a trigger that %s: its function is named, and its message, which may hold values, is not passed on',
    async (_, body) => {
      const { write } = await loaded(3);
      await bench.admin.query(`create function public.refuse() returns trigger language plpgsql as
      $$ begin ${body}; return new; end $$`);
      await bench.admin.query(
        `create trigger refuse before insert on ${table()} for each row execute function public.refuse()`,
      );
      const refused = write(deals, [page(4, 'secret', 11)]);
      await expect(refused).rejects.toMatchObject({
        kind: 'config_error',
        message: expect.stringMatching(/trigger .*function (public\.)?refuse\(\)/),
      });
      await expect(refused).rejects.not.toThrow(/secret/);
    },
  );
});

describe('fault 17: a run that slept', () => {
  const run = (id: string) => ({
    id,
    command: 'sync',
    startedAt: at(1),
    fullRefresh: new Set<string>(),
    warn: () => {},
  });

  test('and is gone for good leaves no statement behind that goes on', async () => {
    const pool = createPool({ ...bench.server, database: bench.database }, 'cleargrid');
    const sleeping = pool.use((session) => session.rows('select pg_sleep(120)')).catch(() => 'lost');
    const found = () => query(`select from pg_stat_activity where query = 'select pg_sleep(120)'`);
    await expect.poll(found, { timeout: 30_000 }).toHaveLength(1);
    pool.cut();
    expect(await sleeping).toBe('lost');
    await expect.poll(found, { timeout: 30_000, interval: 500 }).toHaveLength(0);
    await pool.close();
  });

  test('in the midst of a transaction, be it one that only reads, has held its locks for no more than 20 s', async () => {
    const pool = createPool({ ...bench.server, database: bench.database }, 'cleargrid');
    const limit = 'show idle_in_transaction_session_timeout';
    const limits = await pool.use(async (session) => [
      await session.transaction(() => session.rows(limit)),
      await session.rows(limit),
    ]);
    expect(limits.flat().map((row) => Object.values(row)[0])).toEqual(['20s', '0']);
    await pool.close();
  });

  test.for(['still runs', 'has ended'])('and lost its sessions to one that %s writes nothing more', async (what) => {
    const first = await loaded(3);
    await bench.server.endSessions(bench.database);
    const second = visit.destination();
    const tables = await second.open([deals], run('second'));
    await tables.get('deals')!.commit({ pages: [], changes: [{ type: 'seen', value: at(59) }], refresh: null });
    if (what === 'has ended') await second.close();
    const late = first.write(deals, [page(3, 'late', 50)]);
    await expect(late).rejects.toMatchObject({ kind: 'transient_error', message: /taken it over/ });
    expect(await query(`select distinct name from ${table()}`)).toEqual([{ name: 'first' }]);
    const [stored] = await visit.destination().positions();
    expect(JSON.parse(stored!.document)).toMatchObject({ seen: at(59) });
  });
});
