import { setTimeout as wait } from 'node:timers/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { describe, expect, test } from 'vitest';
import type { Summary } from '../connector/summary.ts';
import { COPY_HEADER } from '../destinations/postgres/encode.ts';
import { streamNamed } from '../schemas/registry.ts';
import { type Ended, type Running, start } from './cli-process.ts';
import { fullSize } from './full-size.ts';
import { admin, config, database, differences, serve, server, simulator, usePostgres } from './postgres-world.ts';
import { chance } from './simulation/virtual-time.ts';

/** The tasks of one job, each a process, into one Postgres. */

const streams = [
  'borrower_sub_accounts',
  'borrower_payments',
  'borrowers',
  'borrower_deals',
  'deal_activity_logs',
  'communication_logs',
].map((name) => streamNamed(name)!);
const TASKS = 4;
const ROWS = fullSize(1_000_000);
const OTHERS = { D07: fullSize(20_000), D01: fullSize(5_000), D16: 500, D19: 500, D21: 500 };

usePostgres();

const load = (rows: Record<string, number>, latencyMs = 0) => serve(streams, { rows, latencyMs }, { concurrency: 32 });

const task = (index: number, ...args: string[]): Running =>
  start(['sync', '--config', config, '--task', `${index}/${TASKS}`, ...args]);
const summaryOf = (ended: Ended) => JSON.parse(ended.stdout) as Summary;

/** All tasks of one job, to their end. */
async function job(...args: string[]): Promise<Summary[]> {
  const ended = await Promise.all(Array.from({ length: TASKS }, (_, index) => task(index, ...args).ended));
  for (const { code, stderr } of ended) expect(code, stderr.slice(-2000)).toBe(0);
  return ended.map(summaryOf);
}

const sum = (summaries: readonly Summary[], stream: string) =>
  summaries
    .flatMap(({ streams: parts }) => parts)
    .filter((part) => part.stream === stream)
    .reduce((total, { rows_written }) => total + rows_written, 0);

describe('tasks that share the streams', () => {
  test('load them together, each a part, and a job after it brings what changed', async () => {
    await load({ D03: 60_000, ...OTHERS }, 20);
    const first = await job();
    expect(first.map(({ task: which }) => which)).toEqual(['0/4', '1/4', '2/4', '3/4']);
    expect(sum(first, 'borrower_sub_accounts')).toBe(60_000);
    const parts = first.map((summary) => sum([summary], 'borrower_sub_accounts'));
    expect(parts.filter((rows) => rows > 3_000).length).toBeGreaterThanOrEqual(3);
    expect(await differences()).toEqual([]);

    const changed = simulator.change('D03', 50);
    simulator.remove('D07', 30);
    simulator.advance(2000);
    const second = await job();
    expect(sum(second, 'borrower_sub_accounts')).toBe(changed.length);
    await job('--full-refresh');
    expect(await differences()).toEqual([]);
    const [stored] = (
      await admin.query(`select position from cleargrid._cleargrid_positions where stream = 'borrowers'`)
    ).rows;
    expect(stored.position).toMatchObject({ windows: [], refresh: null });
    expect(stored.position.parts).toBeUndefined();
  });

  test('and a run that wants them alone refuse each other, as do tasks of another number', async () => {
    await load({ D03: 100_000 }, 600);
    const first = task(0);
    await new Promise<void>((resolve) => {
      const stop = simulator.onPageRequest(() => {
        stop();
        resolve();
      });
    });
    const [alone, other] = await Promise.all([
      start(['sync', '--config', config]).ended,
      start(['sync', '--config', config, '--task', '1/3']).ended,
    ]);
    expect([alone.code, other.code]).toEqual([3, 3]);
    expect(alone.stderr).toContain('is in use by run');
    expect((await first.ended).code).toBe(0);
    expect((await start(['sync', '--config', config]).ended).code).toBe(0);
  });

  test('lose nothing and double nothing, killed and started again at random while rows change', async () => {
    await load({ D03: ROWS, ...OTHERS });
    const random = chance(8);
    const stopChurn = simulator.startChurn({ codes: ['D03', 'D07'], everyPages: 20, changes: 3 });
    const running = Array.from({ length: TASKS }, (_, index) => task(index));
    let killed = 0;
    for (let events = 0; events < 8; events++) {
      await pages(Math.ceil(ROWS / 50_000) + random.below(ROWS / 17_000));
      const index = random.below(TASKS);
      if (!running[index]!.process.kill('SIGKILL')) continue;
      await running[index]!.ended;
      killed++;
      await wait(random.below(300));
      running[index] = task(index);
    }
    const ended = await Promise.all(running.map((one) => one.ended));
    stopChurn();
    expect(killed).toBeGreaterThanOrEqual(4);
    for (const { code, stderr } of ended) expect(code, stderr.slice(-2000)).toBe(0);
    simulator.advance(2000);
    await job();
    expect(await differences()).toEqual([]);
  });

  test('that sleep hold nobody up, neither the others nor the next job, and end well when they wake', async () => {
    await load({ D03: 60_000, D07: 1_000 }, 50);
    const first = [task(0), task(1)];
    await atWork(first.length);
    first[1]!.process.kill('SIGSTOP');
    const awake = await first[0]!.ended;
    expect(awake.code, awake.stderr.slice(-2000)).toBe(0);
    const changed = simulator.change('D03', 40);
    simulator.advance(2000);
    const next = await task(0).ended;
    expect(next.code, next.stderr.slice(-2000)).toBe(0);
    expect(sum([summaryOf(next)], 'borrower_sub_accounts')).toBe(changed.length);
    first[1]!.process.kill('SIGCONT');
    const woken = await first[1]!.ended;
    expect(woken.code, woken.stderr.slice(-2000)).toBe(0);
    expect(await differences()).toEqual([]);
  });

  test('do not wait for the session of one that sleeps in the midst of a COPY', async () => {
    await load({ D03: 20_000 }, 50);
    const running = [task(0), task(1)];
    const table = 'cleargrid._cleargrid_loading_borrower_sub_accounts';
    while (!(await admin.query(`select to_regclass('${table}') as loading`)).rows[0].loading) await wait(20);
    // As a task that is frozen there leaves it: nothing more comes, and nothing ends it.
    const sleeping = await server.connect(database);
    let lost = '';
    sleeping.on('error', (error) => {
      lost = error.message;
    });
    await sleeping.query(`set application_name = 'cleargrid'`);
    const copy = sleeping.query(copyFrom(`copy ${table} from stdin (format binary)`));
    copy.on('error', () => {});
    copy.write(COPY_HEADER);
    for (const { ended } of running) {
      const { code, stderr } = await ended;
      expect(code, stderr.slice(-2000)).toBe(0);
    }
    expect(await differences()).toEqual([]);
    await sleeping.end().catch(() => {});
    expect(lost).toContain('terminat');
  });
});

/** Resolves when so many tasks walk windows of the large stream. */
async function atWork(tasks: number): Promise<void> {
  const sql = `select count(distinct w->>'task')::int as parts from cleargrid._cleargrid_positions p, jsonb_array_elements(p."position"->'windows') w
where p."stream" = 'borrower_sub_accounts'`;
  for (;;) {
    const found = await admin.query(sql).catch(() => null);
    if (found !== null && found.rows[0].parts >= tasks) return;
    await wait(20);
  }
}

/** Resolves when so many more pages have been asked for. */
function pages(count: number): Promise<void> {
  let left = count;
  return new Promise((resolve) => {
    const stop = simulator.onPageRequest(() => {
      if (--left > 0) return;
      stop();
      resolve();
    });
  });
}
