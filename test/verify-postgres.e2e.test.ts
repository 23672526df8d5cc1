import { setTimeout as wait } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import type { StreamSummary, Summary } from '../connector/summary.ts';
import { postgresDestination } from '../destinations/postgres/destination.ts';
import { streamNamed } from '../schemas/registry.ts';
import { type Ended, run, start } from './cli-process.ts';
import { configFor } from './postgres-target.ts';
import { admin, config, database, differences, serve, server, simulator, usePostgres } from './postgres-world.ts';

/** `verify` as a process on tables in Postgres, where others may be at work at the same time. */

const stream = streamNamed('borrower_sub_accounts')!;
const TABLE = `cleargrid.${stream.name}`;

usePostgres();
beforeEach(async () => {
  await serve([stream], { rows: { D03: 6_000 }, latencyMs: 20 }, { concurrency: 2 });
  expect((await run(['sync', '--config', config])).code).toBe(0);
});

async function verify(...flags: string[]): Promise<Ended & StreamSummary> {
  const ended = await run(['verify', '--config', config, ...flags]);
  return { ...ended, ...(JSON.parse(ended.stdout) as Summary).streams[0]! };
}

/** A dead run's locks end with its session, which may outlive it by some seconds where the way to the server is long. */
async function unlocked(): Promise<void> {
  const sql = `select 1 from pg_locks where locktype = 'advisory'
    and database = (select oid from pg_database where datname = current_database())`;
  for (let tries = 0; tries < 300 && (await admin.query(sql)).rows.length > 0; tries++) await wait(100);
}

/**
 * Rows are deleted, moved and added; what is missing and what is too many lie further apart than the parts in which a large table is counted,
 * where they would cancel each other.
 */
async function damage(seed: number): Promise<void> {
  const one = (mostDays: number, leastDays: number) =>
    `public_id = (select public_id from ${TABLE} where _deleted_at is null
      and updated_at between now() - interval '${mostDays} days' and now() - interval '${leastDays} days'
      order by md5(public_id || '${seed}') limit 1)`;
  const columns = stream.columns.map(({ name }) => `"${name}"`).filter((name) => name !== '"public_id"');
  await admin.query(`delete from ${TABLE} where ${one(700, 500)}`);
  await admin.query(`update ${TABLE} set updated_at = '2015-03-01T00:00:00.000001Z' where ${one(480, 300)}`);
  await admin.query(`insert into ${TABLE} (public_id, ${columns.join(', ')}, _synced_at)
    select 'added ${seed}', ${columns.join(', ')}, now() from ${TABLE} where ${one(200, 1)}`);
}

test('what was deleted, moved and added is found and mended', async () => {
  expect(await verify()).toMatchObject({ code: 0, verify: { verdict: 'equal', api: 6_000, table: 6_000 } });
  await damage(1);
  const found = await verify();
  expect(found).toMatchObject({ code: 1, verify: { verdict: 'differs' } });
  expect(found.verify!.spans.reduce((sum, { missing, extra }) => sum + missing + extra, 0)).toBe(4);
  expect(await verify('--repair')).toMatchObject({ code: 0, verify: { verdict: 'equal' } });
  expect(await differences()).toEqual([]);
});

test('it answers beside a sync that is at work', async () => {
  simulator.change('D03', 4_000);
  simulator.advance(2_000);
  const end = simulator.onPageRequest(() => wait(200));
  const running = start(['sync', '--config', config]);
  const before = simulator.requests().total;
  while (simulator.requests().total < before + 4) await wait(20);
  const beside = await verify();
  end();
  expect(beside).toMatchObject({ code: 0, verify: { verdict: 'equal' } });
  expect((await running.ended).code).toBe(0);
  expect(await verify()).toMatchObject({ code: 0, verify: { verdict: 'equal' } });
});

test('it takes no lock; only a repair does, and is refused while another run has it', async () => {
  const holder = postgresDestination(configFor(server, database, 'cleargrid'));
  const another = { id: 'another', command: 'sync', startedAt: '2026-01-01T00:00:00.000000Z' };
  await holder.open([stream], { ...another, fullRefresh: new Set(), warn: () => {} });
  expect(await verify()).toMatchObject({ code: 0 });
  expect((await run(['verify', '--config', config, '--repair'])).code).toBe(3);
  await holder.close();
  expect(await verify('--repair')).toMatchObject({ code: 0 });
});

test('a repair that is killed at any instant is gone on with', async () => {
  for (let at = 1; at <= 5; at++) {
    await damage(at * 10);
    const repair = start(['verify', '--config', config, '--repair']);
    await wait(at * 350);
    repair.process.kill('SIGKILL');
    await repair.ended;
    simulator.advance(2_000);
    await unlocked();
    if (at % 2 === 1) {
      const { code, stderr } = await run(['sync', '--config', config]);
      expect(code, stderr.slice(-1500)).toBe(0);
    }
    expect(await verify('--repair')).toMatchObject({ code: 0, verify: { verdict: 'equal' } });
    expect(await differences()).toEqual([]);
  }
});
