import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { advisoryKey } from '../destinations/postgres/locks.ts';
import { createPool } from '../destinations/postgres/pool.ts';
import { upgradeTable } from '../destinations/postgres/upgrade.ts';
import type { Stream } from '../schemas/stream.ts';
import { at, deals } from './destination-suite/streams.ts';
import { newPosition, newWindow } from './destination-suite/visit.ts';
import { faultBench } from './postgres-fault-bench.ts';

/** How a table in use is given a column, on a real server; what the column then holds is tested for every destination alike. */

const bench = faultBench();
const { visit, table, query, count, loaded } = bench;

/** `deals` with a column more. */
const wider: Stream = {
  ...deals,
  columns: [...deals.columns, { ...deals.columns[1]!, name: 'more', field: 'more' }],
};

describe('a newly declared column (rule 16):', () => {
  const kept = { more: 'kept', unknown: 'kept as well' };
  const begun = async () => {
    const { write } = await loaded(0);
    const records = ['a', 'b'].map((public_id) => ({ public_id, ...kept, updated_at: at(10) }));
    await write(deals, [{ askedAt: at(20), records }]);
    await visit.closeAll();
  };
  const onUpdate = (body: string) =>
    bench.admin.query(`create function public.theirs() returns trigger language plpgsql as $$ begin ${body} end $$;
      create trigger theirs before update on ${table()} for each row execute function public.theirs()`);
  const filled = () => query(`select public_id, more, _extra from ${table()} order by public_id`);
  const names = async () => {
    const columns = `select attname as name from pg_attribute join pg_class c on c.oid = attrelid where relname = 'deals'`;
    const all = await query(`${columns} and not attisdropped`);
    return all.map(({ name }) => name).filter((name) => /more|filling/.test(String(name)));
  };

  test('fault 16: somebody who reads before is waited for, and no reader waits behind us for longer than we wait for a lock', async () => {
    await loaded(3);
    const reader = await bench.server.connect(bench.database);
    await reader.query(`begin; select * from ${table()}`);
    const opening = visit.open([wider]);
    await wait(300);
    const began = performance.now();
    expect(await count()).toBe(3);
    expect(performance.now() - began).toBeLessThan(15_000);
    await wait(5_500);
    await reader.query('commit');
    await reader.end();
    const { write } = await opening;
    expect(await write(wider, [{ askedAt: at(20), records: [{ public_id: 'new', more: 'x' }] }])).toMatchObject({
      written: 1,
    });
  });

  test('while it is filled readers do not wait, and see each row as it was until all are filled', async () => {
    await begun();
    await onUpdate('perform pg_advisory_xact_lock(1); return new;');
    const holder = await bench.server.connect(bench.database);
    await holder.query('select pg_advisory_lock(1)');
    const opening = visit.open([wider]);
    const waiting = `select from pg_stat_activity where wait_event = 'advisory' and query like 'update %'`;
    await expect.poll(() => query(waiting), { timeout: 30_000 }).toHaveLength(1);
    await bench.admin.query(`set statement_timeout = '3s'`);
    expect(await query(`select _extra from ${table()}`)).toEqual([{ _extra: kept }, { _extra: kept }]);
    await holder.end();
    await opening;
    const row = { more: 'kept', _extra: { unknown: 'kept as well' } };
    expect(await filled()).toEqual(['a', 'b'].map((public_id) => ({ public_id, ...row })));
    expect(await names()).toEqual(['more']);
  });

  test('somebody who reads when it is filled is waited for, and nothing is filled again', async () => {
    await begun();
    await bench.admin.query('create sequence public.fired');
    await onUpdate(`perform nextval('public.fired'); perform pg_advisory_xact_lock(1); return new;`);
    const holder = await bench.server.connect(bench.database);
    await holder.query('select pg_advisory_lock(1)');
    const opening = visit.open([wider]);
    const waiting = (event: string, statement: string) =>
      query(`select from pg_stat_activity where wait_event = '${event}' and query like '${statement} %'`);
    await expect.poll(() => waiting('advisory', 'update'), { timeout: 30_000 }).toHaveLength(1);
    const reader = await bench.server.connect(bench.database);
    await reader.query(`begin; select from ${table()}`);
    await holder.end();
    await expect.poll(() => waiting('relation', 'alter'), { timeout: 30_000 }).toHaveLength(1);
    await wait(3_000);
    await reader.end();
    await opening;
    expect(await filled()).toMatchObject([{ more: 'kept' }, { more: 'kept' }]);
    expect(await query('select last_value from public.fired')).toEqual([{ last_value: '2' }]);
  });

  test.for([
    [10, 11],
    [11, 10],
  ])('each version of a row that a first load has read twice gets its own (at %i, then at %i)', async (minutes) => {
    const first = await visit.open([deals]);
    const windows = [newWindow(null, at(60))];
    const begin = { type: 'begin', position: newPosition(deals, { until: at(60), windows }) } as const;
    const version = (minute: number) => ({ public_id: 'a', more: `at ${minute}`, updated_at: at(minute) });
    for (const [place, minute] of minutes.entries()) {
      const next = { type: 'window', until: at(60), becomes: [{ ...windows[0]!, cursor: `${minute}` }] } as const;
      const changes = place === 0 ? [begin, next] : [next];
      await first.write(deals, [{ askedAt: at(20), records: [version(minute)] }], { changes });
    }
    await visit.closeAll();
    const { write } = await visit.open([wider]);
    await write(wider, [], { changes: [{ type: 'window', until: at(60), becomes: [] }] });
    expect(await filled()).toEqual([{ public_id: 'a', more: 'at 11', _extra: null }]);
  });

  test('a task of the same job waits for as long as it takes', async () => {
    await begun();
    const schema = /^"(.*)"\."deals"$/.exec(table())![1]!.replaceAll('""', '"');
    const holder = await bench.server.connect(bench.database);
    await holder.query('select pg_advisory_lock($1)', [advisoryKey(schema, 'deals is altered')]);
    const pool = createPool({ ...bench.server, database: bench.database }, 'cleargrid');
    const run = { id: 'task', command: 'sync', startedAt: at(1), fullRefresh: new Set<string>(), warn: () => {} };
    const upgraded = pool.use((session) => upgradeTable(session, schema, wider, { ...run, tasks: 2 }));
    await wait(6_000);
    await holder.end();
    await upgraded;
    await pool.close();
    expect(await filled()).toMatchObject([{ more: 'kept' }, { more: 'kept' }]);
  });

  test.for([
    ['is used again', null],
    [
      'that is of another type by now is made anew',
      'alter table %s alter "_cleargrid_filling_more" type date using null',
    ],
  ] as const)('what a run leaves that ends there %s', async ([, sql]) => {
    await begun();
    await onUpdate("raise exception 'no';");
    await expect(visit.open([wider])).rejects.toMatchObject({ kind: 'config_error', stream: 'deals' });
    expect(await names()).toEqual(['_cleargrid_filling_more']);
    await bench.admin.query('drop function public.theirs cascade');
    if (sql !== null) await bench.admin.query(sql.replace('%s', table()));
    await visit.open([wider]);
    expect(await filled()).toMatchObject([{ more: 'kept' }, { more: 'kept' }]);
    expect(await names()).toEqual(['more']);
  });

  test('a trigger of theirs that waits for the end of the transaction fires, and is no hindrance', async () => {
    await begun();
    await bench.admin.query(`create table public.log (more text); create function public.note() returns trigger
      language plpgsql as $$ begin insert into public.log values (new.public_id); return null; end $$`);
    await bench.admin.query(`create constraint trigger note after update on ${table()} deferrable initially deferred
      for each row execute function public.note()`);
    await visit.open([wider]);
    expect(await filled()).toMatchObject([{ more: 'kept' }, { more: 'kept' }]);
    expect(await query('select from public.log')).toHaveLength(2);
  });
});
