import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createPool } from '../destinations/postgres/pool.ts';
import { at, deals } from './destination-suite/streams.ts';
import { newPosition, newWindow, type OpenRun } from './destination-suite/visit.ts';
import { faultBench, page, records } from './postgres-fault-bench.ts';

/** Fault 14 on a real server: what passes is lived through, and nothing is lost or doubled. */

const bench = faultBench();
const { visit, table, query, count, loaded } = bench;

const pages = (count: number, each: number) =>
  Array.from({ length: count }, (_, index) => ({
    askedAt: at(20),
    records: records(each).map((record) => ({ ...record, public_id: `${index} ${record.public_id}` })),
  }));

describe('fault 14: Postgres', () => {
  test('takes no more connections and then is gone: whoever waits for one learns that', async () => {
    const user = 'limited';
    await bench.admin.query(`create role ${user} login password 'limited' connection limit 1`);
    const { host, port } = bench.way;
    const pool = createPool({ host, port, user, password: user, database: bench.database }, 'cleargrid');
    const working = pool.use((session) => session.rows('select pg_sleep(60)'));
    await wait(300);
    const waiting = [1, 2, 3].map(() => pool.use((session) => session.rows('select 1')));
    await wait(300);
    const outcomes = Promise.allSettled([working, ...waiting]);
    await bench.way.close();
    expect((await outcomes).map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
    await pool.close();
    await bench.server.endSessions(bench.database);
  });

  test('restarts in the middle of a first load, and all of it arrives once', async () => {
    const { write } = await visit.open([deals]);
    const windows = [newWindow(null, at(60))];
    const begin = { type: 'begin', position: newPosition(deals, { until: at(60), windows }) } as const;
    await write(deals, pages(1, 10), { changes: [begin] });
    const restarting = bench.server.restart();
    const next = { ...windows[0]!, cursor: 'next' };
    for (let n = 0; n < 5; n++) {
      await write(deals, pages(4, 700), {
        changes: [{ type: 'window', until: at(60), becomes: [{ ...next, cursor: `${n}` }] }],
      });
    }
    await restarting;
    await bench.reconnect();
    await write(deals, [], { changes: [{ type: 'window', until: at(60), becomes: [] }] });
    expect(await count()).toBe(4 * 700);
  });

  test.for([
    ['reaches', 'first load'],
    ['reaches', 'merge'],
    ['lost', 'first load'],
    ['lost', 'merge'],
  ] as const)('whose COMMIT %s the server but is not answered (%s) is asked what became of it', async ([how, what]) => {
    bench.connectBy({ host: bench.way.host, port: bench.way.port });
    const run = await loaded();
    const { table: tableOf, position } = run;
    if (what === 'first load') await restartLoad(run);
    bench.way.cutAtCommit(how);
    const becomes = [{ ...newWindow(null, at(60)), cursor: 'next' }];
    const done = await run.write(deals, [page(5, 'second', 11)], {
      changes: [{ type: 'window', until: at(60), becomes }],
    });
    expect(bench.way.cuts).toBe(1);
    expect(done).toMatchObject({ written: 5, unchanged: 0 });
    expect((await position(deals)).parsed.windows).toEqual(becomes);
    await run.write(deals, [], { changes: [{ type: 'window', until: at(60), becomes: [] }] });
    expect(await query(`select distinct name from ${table()}`)).toEqual([{ name: 'second' }]);
    expect(await count()).toBe(5);
    expect((await tableOf(deals).position()).holdsRows).toBe(true);
  });

  test('whose answer to the end of a refresh is not heard has marked what it said', async () => {
    bench.connectBy({ host: bench.way.host, port: bench.way.port });
    const { write, table: tableOf, position } = await loaded(3);
    const refresh = { started: at(30), pass: 1, since: null, until: null };
    const begin = { type: 'begin', position: newPosition(deals, { refresh }) } as const;
    await write(deals, [{ askedAt: at(31), records: records(2) }], { changes: [begin], refresh });
    bench.way.cutAtCommit('reaches');
    const finished = await tableOf(deals).finishRefresh({
      since: null,
      until: null,
      at: at(40),
      allowMassDelete: false,
    });
    expect(finished).toEqual({ deleted: 1 });
    expect(bench.way.cuts).toBe(1);
    expect((await position(deals)).parsed.refresh).toBeNull();
  });

  test('ends idle sessions, the one with the locks as well, and the run goes on', async () => {
    const { write } = await loaded();
    for (let minute = 11; minute < 14; minute++) {
      await bench.server.endSessions(bench.database);
      expect(await write(deals, [page(3, `at ${minute}`, minute)])).toMatchObject({ written: 3 });
    }
    // A batch takes the locks again once the run has learnt that they are gone.
    const locks = `select from pg_locks where locktype = 'advisory' and granted`;
    await expect
      .poll(
        async () => {
          await write(deals, [page(3, 'the last', 14)]);
          return query(locks);
        },
        { timeout: 30_000 },
      )
      .toHaveLength(1);
    const second = visit
      .destination()
      .open([deals], { id: 'second', command: 'sync', startedAt: at(1), fullRefresh: new Set(), warn: () => {} });
    await expect(second).rejects.toThrow(/is in use by run/);
  });

  test('cancels a statement, and it is tried again', async () => {
    const { write } = await loaded();
    const blocker = await bench.server.connect(bench.database);
    await blocker.query(`begin; lock table ${table()} in share mode`);
    const writing = write(deals, [page(3, 'second', 11)]);
    await wait(300);
    await query(
      `select pg_cancel_backend(pid) from pg_stat_activity where state = 'active' and application_name = 'cleargrid'`,
    );
    await blocker.query('rollback');
    await blocker.end();
    expect(await writing).toMatchObject({ written: 3 });
  });

  test('limits statements to an instant for its user, which is not meant for loads', async () => {
    await bench.admin.query(`alter database ${bench.database} set statement_timeout = '100ms'`);
    await bench.admin.query(`alter database ${bench.database} set idle_in_transaction_session_timeout = '100ms'`);
    await bench.admin.query(`alter database ${bench.database} set lock_timeout = '100ms'`);
    const { write } = await loaded(5000);
    expect(await write(deals, [page(5000, 'second', 11)])).toMatchObject({ written: 5000 });
  });

  test('limits transactions and idle sessions to an instant, which is not meant for loads either', async () => {
    await bench.admin.query(`alter database ${bench.database} set transaction_timeout = '10ms'`);
    await bench.admin.query(`alter database ${bench.database} set idle_session_timeout = '100ms'`);
    const sessions = () =>
      query(`select pid from pg_stat_activity where application_name like 'cleargrid%' order by pid`);
    const { write } = await loaded(5000);
    const before = await sessions();
    await wait(500);
    expect(await sessions()).toEqual(before);
    expect(await write(deals, [page(5000, 'second', 11)])).toMatchObject({ written: 5000 });
  });

  test('is read-only for a while, as after a failover, and then is not', async () => {
    const { write } = await loaded();
    await bench.admin.query(`alter database ${bench.database} set default_transaction_read_only = on`);
    await bench.server.endSessions(bench.database);
    await expect(visit.destination().check()).rejects.toMatchObject({ kind: 'transient_error', message: /read-only/ });
    const writing = write(deals, [page(3, 'second', 11)]);
    await wait(500);
    const writable = await bench.server.connect('postgres');
    await writable.query(`alter database ${bench.database} reset default_transaction_read_only`);
    await writable.end();
    expect(await writing).toMatchObject({ written: 3 });
  });

  test('takes no more connections than the run has already, and lanes share what there is', async () => {
    await bench.admin.query(`drop role if exists limited`);
    await bench.admin.query(`create role limited login password 'limited' connection limit 2`);
    await bench.admin.query(`grant create on database ${bench.database} to limited`);
    bench.connectBy({ username: 'limited', password: 'limited' });
    const { write } = await visit.open([deals]);
    await write(deals, [page(3)]);
    const lanes = [1, 2, 3].map((lane) =>
      write(deals, [{ askedAt: at(20), records: [{ public_id: `lane ${lane}` }] }]),
    );
    for (const done of await Promise.all(lanes)) expect(done).toMatchObject({ written: 1 });
    await expect(visit.destination().check()).rejects.toMatchObject({
      kind: 'transient_error',
      message: /no more connections/,
    });
  });
});

/** Makes the stream start over, as a first load that has begun. */
async function restartLoad({ write }: OpenRun): Promise<void> {
  await bench.admin.query(`drop table ${table()}`);
  const begin = {
    type: 'begin',
    position: newPosition(deals, { until: at(60), windows: [newWindow(null, at(60))] }),
  } as const;
  await write(deals, [], { changes: [begin] });
}
