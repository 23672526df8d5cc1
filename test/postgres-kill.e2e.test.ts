import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Summary } from '../connector/summary.ts';
import { streamNamed } from '../schemas/registry.ts';
import { start } from './cli-process.ts';
import { fullSize } from './full-size.ts';
import { killAndFinish, runToEnd } from './kill.ts';
import { admin, config, database, differences, serve, server, simulator, usePostgres } from './postgres-world.ts';
import { chance } from './simulation/virtual-time.ts';

/** Faults 1 and 17, on the process itself: killed at any instant, and put to sleep. */

const streams = ['borrower_sub_accounts', 'borrower_payments', 'communication_logs'].map((name) => streamNamed(name)!);
/** Paged by the time of change: what changes comes again. */
const CHANGING = ['D03', 'D07'];
const LOADING = 'cleargrid._cleargrid_loading_borrower_sub_accounts';
const SEEN = 'cleargrid._cleargrid_seen_borrower_sub_accounts';

/** Kills of each of three kinds of run, fifty and more together in full size; an environment variable asks for another number. */
const KILLS = Number(process.env.CLEARGRID_KILLS ?? fullSize(17, 3));

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
    const failed = (JSON.parse(stdout) as Summary).streams.filter(({ status }) => status === 'failed');
    for (const { stream, error } of failed) expect(error!.message).toContain(`stream ${stream}: `);
    expect(await differences()).toEqual([]);
    await finish();
    expect(await differences()).toEqual([]);
  });
});
