import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { streamNamed } from '../schemas/registry.ts';
import { type Running, start } from './cli-process.ts';
import { fullSize } from './full-size.ts';
import { killAndFinish, runToEnd } from './kill.ts';
import { admin, config, database, differences, serve, server, simulator, usePostgres } from './postgres-world.ts';
import { chance } from './simulation/virtual-time.ts';

/** Faults 1 and 17, on the process itself: killed at any instant and at each named step, and put to sleep. */

const streams = ['borrower_sub_accounts', 'borrower_payments', 'communication_logs'].map((name) => streamNamed(name)!);
/** Paged by the time of change: what changes comes again. */
const CHANGING = ['D03', 'D07'];
const TABLE = 'cleargrid.borrower_sub_accounts';
const LOADING = 'cleargrid._cleargrid_loading_borrower_sub_accounts';
const SEEN = 'cleargrid._cleargrid_seen_borrower_sub_accounts';
const POSITIONS = 'cleargrid._cleargrid_positions';

/** Kills of each of three kinds of run, fifty and more together in full size; an environment variable asks for another number. */
const KILLS = Number(process.env.CLEARGRID_KILLS ?? fullSize(17, 6));

usePostgres();

const load = (rows: Record<string, number>) => serve(streams, { rows }, { concurrency: 16 });

const finish = async () => {
  simulator.advance(2000);
  const ended = await runToEnd(config);
  expect(ended.code, ended.stderr.slice(-2000)).toBe(0);
};

describe('fault 1: killed at random while rows change,', () => {
  test('a first load loses nothing and doubles nothing', async () => {
    await load({ D03: 12_500 * KILLS, D07: 5_000, D21: 5_000 });
    const stopChurn = simulator.startChurn({ codes: CHANGING, everyPages: 10, changes: 3 });
    const random = chance(1).next;
    const { ended, killed } = await killAndFinish({
      simulator,
      config,
      args: [],
      kills: KILLS,
      pages: [1, 12],
      random,
    });
    stopChurn();
    expect(ended.code).toBe(0);
    expect(killed).toBeGreaterThanOrEqual(KILLS - 1);
    await finish();
    expect(await differences()).toEqual([]);
  });

  test('increments do not either', async () => {
    await load({ D03: 20_000, D07: 2_000, D21: 2_000 });
    await finish();
    const random = chance(2).next;
    let killed = 0;
    for (let round = 0; round < KILLS; round++) {
      for (const code of CHANGING) simulator.change(code, 1500);
      simulator.insert('D03', 200);
      simulator.advance(2000);
      const stopChurn = simulator.startChurn({ codes: CHANGING, everyPages: 2, changes: 3 });
      killed += (await killAndFinish({ simulator, config, args: [], kills: 1, pages: [1, 4], random })).killed;
      stopChurn();
    }
    expect(killed).toBeGreaterThanOrEqual(KILLS - 1);
    await finish();
    expect(await differences()).toEqual([]);
  });

  test('a full refresh marks no live row deleted, and each that is gone', async () => {
    await load({ D03: 6_000 * KILLS, D07: 2_000, D21: 2_000 });
    await finish();
    for (const { dataset } of streams) simulator.remove(dataset.code, 50);
    const stopChurn = simulator.startChurn({ codes: CHANGING, everyPages: 3, changes: 3 });
    const { killed } = await killAndFinish({
      ...{ simulator, config, args: ['--full-refresh'], kills: KILLS, pages: [1, 5] as const },
      random: chance(3).next,
    });
    stopChurn();
    expect(killed).toBeGreaterThanOrEqual(KILLS - 1);
    for (let run = 0; run < 2; run++) await finish();
    expect(await differences()).toEqual([]);
    expect(await query(`select to_regclass('${SEEN}') as seen`)).toEqual([{ seen: null }]);
  });
});

const query = async (sql: string) => (await admin.query(sql)).rows;

/** Starts a run, holds it at a step by a lock of ours, and kills it there. */
async function killWhere(lock: () => Promise<() => Promise<void>>, waits: string, ...flags: string[]): Promise<void> {
  const release = await lock();
  const running = start(['sync', '--config', config, ...flags]);
  const ended = running.ended.then(() => true);
  for (let tries = 0; ; tries++) {
    const isHeld =
      (await query(`select 1 from pg_stat_activity where wait_event_type = 'Lock' and query ilike '${waits}%'`))
        .length > 0;
    if (isHeld) break;
    if (tries > 400 || (await Promise.race([ended, wait(25, false)])))
      throw new Error(`the run did not come to: ${waits}`);
  }
  running.process.kill('SIGKILL');
  await running.ended;
  await release();
}

/** A lock that one of our own sessions holds until it is released. */
function holding(...statements: string[]) {
  return async () => {
    const holder = await server.connect(database);
    await holder.query('begin');
    for (const statement of statements) await holder.query(statement);
    return async () => {
      await holder.query('rollback');
      await holder.end();
    };
  };
}

/** Holds whoever runs into a trigger that calls `public.wait`. */
async function holdingAt(trigger: string, kind: 'trigger' | 'event_trigger', when = 'true') {
  await admin.query(`create function public.wait() returns ${kind} language plpgsql as
    $$ begin
      if ${when} then perform pg_advisory_xact_lock(1); end if;
      ${kind === 'trigger' ? 'return new;' : ''}
    end $$`);
  await admin.query(`${trigger} execute function public.wait()`);
  const release = await holding('select pg_advisory_xact_lock(1)')();
  return async () => {
    await release();
    await admin.query('drop function public.wait cascade');
  };
}

/** Holds whoever is about to store a position, the rows before it written. */
const holdingPositions = (when?: string) => () =>
  holdingAt(`create trigger wait before update of "position" on ${POSITIONS} for each row`, 'trigger', when);

const windowsOf = (row: 'new' | 'old') => `jsonb_array_length(${row}."position"->'windows')`;
/** A stream that has just begun may be split by its first commit. */
const holdingSplits = holdingPositions(`${windowsOf('new')} > coalesce(${windowsOf('old')}, 1)`);
const holdingRenames = () =>
  holdingAt('create event trigger wait on ddl_command_start', 'event_trigger', `current_query() like '% rename to %'`);

describe('fault 1: killed at a named step,', () => {
  const loaded = async () => {
    await load({ D03: 6_000, D07: 100, D21: 100 });
    await finish();
  };
  /** The books are there, and nothing of the table. */
  const unbegun = async () => {
    await load({ D03: 60_000, D07: 100, D21: 100 });
    expect((await start(['sync', '--config', config, '--streams', 'borrower_payments']).ended).code).toBe(0);
  };
  const begun = async () => {
    await load({ D03: 60_000, D07: 100, D21: 100 });
    await killAndHope();
  };
  /** A first load that has begun, and is not at its end. */
  const killAndHope = async () => {
    const running: Running = start(['sync', '--config', config]);
    for (;;) {
      const [found] = await query(`select to_regclass('${LOADING}') as loading`);
      if (found.loading !== null) break;
      await wait(10);
    }
    running.process.kill('SIGKILL');
    await running.ended;
    const [left] = await query(`select to_regclass('${TABLE}') as there`);
    expect(left.there).toBeNull();
  };

  test.for<[string, () => Promise<void>, () => Promise<() => Promise<void>>, string, ...string[]]>([
    ['before a load', begun, holding(`lock table ${LOADING} in share mode`), 'copy'],
    [
      'after the rows of a load and before its position',
      begun,
      holdingPositions(),
      'update "cleargrid"."_cleargrid_positions"',
    ],
    [
      'while the end of a load looks for older versions',
      begun,
      holding(`lock table ${LOADING} in row exclusive mode`),
      'alter table',
    ],
    ['in the middle of a rename', begun, holdingRenames, 'alter table%rename to'],
    ['in the middle of a split', unbegun, holdingSplits, 'update "cleargrid"."_cleargrid_positions"'],
    [
      'after the rows of a merge and before its position',
      loaded,
      holdingPositions(),
      'update "cleargrid"."_cleargrid_positions"',
    ],
    ['in the middle of a merge', loaded, holding(`select from ${TABLE} for update`), 'insert into'],
    [
      'in the middle of a refresh',
      loaded,
      holding(`lock table ${TABLE} in share mode`),
      'insert into',
      '--full-refresh',
    ],
  ])('%s', async ([, before, lock, waits, ...flags]) => {
    await before();
    simulator.change('D03', 500);
    simulator.advance(2000);
    await killWhere(lock, waits, ...flags);
    await finish();
    await finish();
    expect(await differences()).toEqual([]);
  });

  test('in the middle of a marking', async () => {
    await loaded();
    const gone = simulator.remove('D03', 40);
    const rows = holding(`select from ${TABLE} where public_id = '${gone[7]}' for update`);
    await killWhere(rows, 'update', '--full-refresh');
    expect(await query(`select count(*)::int as marked from ${TABLE} where _deleted_at is not null`)).toEqual([
      { marked: 0 },
    ]);
    await finish();
    expect(await query(`select count(*)::int as marked from ${TABLE} where _deleted_at is not null`)).toEqual([
      { marked: 40 },
    ]);
    expect(await differences()).toEqual([]);
  });
});

describe('fault 17: put to sleep in the middle of a load,', () => {
  test('a run whose sessions are ended meanwhile lets another through, and harms nothing when it wakes', async () => {
    await load({ D03: 60_000, D07: 100, D21: 100 });
    const sleeping = start(['sync', '--config', config]);
    for (;;) {
      const [found] = await query(`select to_regclass('${LOADING}') as loading`);
      if (found.loading !== null) break;
      await wait(10);
    }
    sleeping.process.kill('SIGSTOP');
    await server.endSessions(database);
    simulator.change('D03', 300);
    await finish();
    expect(await differences()).toEqual([]);
    sleeping.process.kill('SIGCONT');
    const { code, stdout } = await sleeping.ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(/taken it over/);
    expect(await differences()).toEqual([]);
    await finish();
    expect(await differences()).toEqual([]);
  });
});
