import { afterEach, describe, expect, test } from 'vitest';
import { LockedFailure } from '../destinations/failure.ts';
import type { SimulatorOptions } from '../simulator/options.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { type DuckdbTarget, duckdbTarget } from './duckdb-target.ts';
import { type VerifyWorld, verifyWorld } from './verify-world.ts';

let simulator: Simulator;
let target: DuckdbTarget;
let world: VerifyWorld;

afterEach(async () => {
  await simulator?.stop();
  await target?.remove();
});

const STREAM = 'borrower_sub_accounts';
const CODE = 'D03';

/** A loaded table, and what other people do to it. */
async function loaded(options: SimulatorOptions = {}, stream = STREAM): Promise<string> {
  simulator = await startSimulator({ rows: { D03: 2_500, D16: 1_500, D19: 1_500 }, ...options });
  target = await duckdbTarget();
  const { destination, spell } = target;
  world = verifyWorld({ simulator, streams: [stream], destination, spell });
  expect(await world.sync()).toMatchObject({ status: 'succeeded' });
  world.requests();
  return target.spell(stream);
}

/** Every so many-th row, in the order of the cursor field. */
const every = (table: string, nth: number) =>
  `"public_id" in (select "public_id" from ${table} qualify row_number() over (order by "updated_at", "public_id") % ${nth} = 7)`;

const equal = { status: 'succeeded', error: null, verify: { verdict: 'equal', spans: [] } };

/** It differs so; the repair mends it; then all is equal and true. */
async function differsAndIsMended(found: { missing: number; extra: number }): Promise<void> {
  const { verify, status, error } = await world.verdict();
  expect(status).toBe('failed');
  expect(error).toMatchObject({ kind: 'config_error', message: expect.stringContaining('verify --config FILE') });
  const sum = (side: 'missing' | 'extra') => verify!.spans.reduce((total, span) => total + span[side], 0);
  expect({ missing: sum('missing'), extra: sum('extra') }).toEqual(found);
  expect(await world.untrue()).not.toEqual([]);
  expect(await world.verdict({ repair: true })).toMatchObject(equal);
  expect(await world.untrue()).toEqual([]);
  expect(await world.verdict()).toMatchObject(equal);
}

describe('a table that has what the API has', () => {
  test('is equal by few requests, and nothing is written but the record of the run', async () => {
    const table = await loaded();
    const stored = async () => {
      const destination = target.destination();
      const rows = await Array.fromAsync(destination.query(`select * from ${table} order by "public_id"`));
      const [positions, runs] = [await destination.positions(), await destination.runs.recent(9)];
      await destination.close();
      return { rows, positions, runs };
    };
    const before = await stored();
    const summary = await world.verify();
    expect(world.requests()).toBeLessThan(15);
    const { runs, ...after } = await stored();
    expect(after).toEqual({ rows: before.rows, positions: before.positions });
    expect(runs).toHaveLength(2);
    // Not by their order: both began within the second that a `Date` header is cut to.
    expect(runs.find(({ command }) => command === 'verify')).toMatchObject({ status: 'succeeded', summary });
    expect(summary.streams[0]).toMatchObject({ ...equal, rows_written: 0, verify: { api: 2_500, table: 2_500 } });
  });

  test('is equal too where rows have changed since it was read', async () => {
    await loaded();
    simulator.change(CODE, 350);
    simulator.insert(CODE, 20);
    simulator.advance(5_000);
    expect(await world.verdict()).toMatchObject({ ...equal, verify: { api: 2_150, table: 2_150 } });
  });

  test('is equal too while rows change all the while', async () => {
    await loaded();
    const end = simulator.startChurn({ everyPages: 1, changes: 5, inserts: 2 });
    expect(await world.verdict()).toMatchObject(equal);
    end();
  });

  test('is equal too where records share a key, since one of them is in the rejects', async () => {
    await loaded({ unknowns: { sharedDealKeys: true } }, 'borrower_deals');
    const { verify, ...summary } = await world.verdict();
    expect(summary).toMatchObject({ status: 'succeeded' });
    expect(verify).toMatchObject({ verdict: 'equal', rejects: verify!.api - verify!.table });
    expect(verify!.rejects).toBeGreaterThan(0);
  });

  test('is equal too where records have no usable key', async () => {
    const table = await loaded({ difficult: true });
    const { verify } = await world.verdict();
    const destination = target.destination();
    const rejects = await Array.fromAsync(destination.query(`select * from ${target.spell('_cleargrid_rejects')}`));
    await destination.close();
    expect(rejects.length).toBeGreaterThan(10);
    expect(verify).toMatchObject({ verdict: 'equal', api: 2_500, table: 2_500 - rejects.length });
    expect(verify!.rejects).toBe(rejects.length);
    await target.run(`delete from ${table} where ${every(table, 450)}`);
    await differsAndIsMended({ missing: 6, extra: 0 });
  });
});

describe('totals that the API does not tell, or tells wrong,', () => {
  test.each([
    ['capped', { unknowns: { totalCap: 300 } }],
    ['only told of windows with two ends', { unknowns: { totalWindow: 'both' } }],
    ['never in time', { unknowns: { totalTimesOut: true } }],
    ['one too many', { faults: ['wrong-totals'] }],
    ['with a gateway that gives up', { faults: [{ name: '504', rate: 0.1 }] }],
  ] as [string, SimulatorOptions][])('%s, lead to no wrong verdict', { timeout: 180_000 }, async (_, options) => {
    const table = await loaded(options);
    expect(await world.verdict()).toMatchObject(equal);
    await target.run(`delete from ${table} where ${every(table, 500)}`);
    await differsAndIsMended({ missing: 5, extra: 0 });
  });
});

describe('what was done to a table behind our back is found and mended:', () => {
  test('rows deleted', async () => {
    const table = await loaded();
    await target.run(`delete from ${table} where ${every(table, 450)}`);
    await differsAndIsMended({ missing: 6, extra: 0 });
  });

  test('most rows deleted', async () => {
    const table = await loaded();
    await target.run(`delete from ${table} where not ${every(table, 10)}`);
    await differsAndIsMended({ missing: 2_250, extra: 0 });
  });

  test('rows marked deleted', async () => {
    const table = await loaded();
    await target.run(`update ${table} set "_deleted_at" = now() where ${every(table, 450)}`);
    await differsAndIsMended({ missing: 6, extra: 0 });
  });

  test('rows added', async () => {
    const table = await loaded();
    await target.run(
      `insert into ${table} select * replace ("public_id" || 'x' as "public_id") from ${table} where ${every(table, 450)}`,
    );
    await differsAndIsMended({ missing: 0, extra: 6 });
  });

  test('rows moved to another instant, or to none, in a table that is read as a whole', async () => {
    const table = await loaded({ rows: { D03: 900 } });
    const at = (place: number) =>
      `"public_id" = (select "public_id" from ${table} order by "public_id" limit 1 offset ${place})`;
    await target.run(
      `update ${table} set "updated_at" = "updated_at" + interval 1 millisecond where ${at(100)}`,
      `update ${table} set "updated_at" = "updated_at" - interval 1 millisecond where ${at(200)}`,
      `update ${table} set "updated_at" = null where ${at(300)}`,
    );
    expect(await world.verdict()).toMatchObject({ verify: { undated: 1 } });
    await differsAndIsMended({ missing: 3, extra: 0 });
  });

  test('rows moved far away, in a table that is compared by counts', async () => {
    const table = await loaded();
    await target.run(
      `update ${table} set "updated_at" = '1970-01-01T00:00:00Z' where ${every(table, 450)}`,
      `update ${table} set "updated_at" = "updated_at" - interval 700 day where "public_id" = (select max("public_id") from ${table})`,
    );
    await differsAndIsMended({ missing: 7, extra: 7 });
  });

  test('but not a value changed beside the same instant: counts and keys do not show it', async () => {
    const table = await loaded();
    await target.run(`update ${table} set "total_amount" = 1 where ${every(table, 450)}`);
    expect(await world.verdict()).toMatchObject(equal);
    expect(await world.untrue()).not.toEqual([]);
  });

  test('rows of a stream without a version', async () => {
    const table = await loaded({}, 'deal_activity_logs');
    await target.run(`delete from ${table} where "public_id" in (select "public_id" from ${table} limit 3)`);
    await differsAndIsMended({ missing: 3, extra: 0 });
  });

  test('rows that the API has no more are found as such, and marked', async () => {
    const table = await loaded();
    simulator.remove(CODE, 4);
    await differsAndIsMended({ missing: 0, extra: 4 });
    const destination = target.destination();
    const marked = await Array.fromAsync(destination.query(`select * from ${table} where "_deleted_at" is not null`));
    await destination.close();
    expect(marked).toHaveLength(4);
  });

  test('while rows change all the while, and requests fail', { timeout: 300_000 }, async () => {
    const table = await loaded();
    await target.run(`delete from ${table} where ${every(table, 450)}`);
    const end = simulator.startChurn({ everyPages: 2, changes: 3, inserts: 1, removals: 0 });
    simulator.setFaults(
      (['reset-mid-body', '500', '429-bare', '504', 'truncated-json', 'repeated-page', 'rejected-cursor'] as const).map(
        (name) => ({ name, rate: 0.02 }),
      ),
    );
    expect(await world.verdict()).toMatchObject({ verify: { verdict: 'differs' } });
    expect(await world.verdict({ repair: true })).toMatchObject(equal);
    end();
    simulator.setFaults([]);
    simulator.advance(2_000);
    await world.sync();
    expect(await world.untrue()).toEqual([]);
  });
});

describe('a repair', () => {
  test('that is stopped anywhere leaves a position that the next run goes on from', { timeout: 300_000 }, async () => {
    const table = await loaded({ rows: { D03: 900 } });
    const resumed = new Set<boolean>();
    for (let request = 1; request <= 9; request++) {
      await target.run(
        `delete from ${table} where ${every(table, 150)}`,
        `update ${table} set "total_amount" = 1, "updated_at" = "updated_at" + interval 1 day where ${every(table, 125)}`,
        `insert into ${table} select * replace ("public_id" || '${request}' as "public_id") from ${table} where ${every(table, 200)}`,
      );
      const stop = new AbortController();
      let pages = 0;
      const end = simulator.onPageRequest(() => {
        if (++pages === request) stop.abort(new Error('stopped by the test'));
      });
      const stopped = await world.verdict({ repair: true, signal: stop.signal });
      end();
      expect(stopped.status).toBe(pages < request ? 'succeeded' : 'stopped');
      const destination = target.destination();
      const [stored] = await destination.positions();
      await destination.close();
      resumed.add(JSON.parse(stored!.document).refresh !== null);
      if (request % 2 === 1) expect(await world.sync()).toMatchObject({ status: 'succeeded' });
      expect(await world.verdict({ repair: true })).toMatchObject(equal);
      expect(await world.untrue()).toEqual([]);
    }
    expect(resumed).toEqual(new Set([false, true]));
  });

  test('that would mark most of a table deleted waits for leave, and nothing is lost', async () => {
    const table = await loaded({ rows: { D03: 300 } });
    await target.run(
      `insert into ${table} select * replace ("public_id" || 'x' as "public_id") from ${table}`,
      `insert into ${table} select * replace ("public_id" || 'y' as "public_id") from ${table} where length("public_id") = 24`,
    );
    const summary = await world.verify({ repair: true });
    expect(summary.warnings.join('\n')).toMatch(/600 of 900 rows .* sync .* --allow-mass-delete/);
    expect(summary.streams[0]).toMatchObject({ status: 'failed', verify: { verdict: 'differs' } });
    await world.sync({ allowMassDelete: true });
    expect(await world.verdict()).toMatchObject(equal);
    expect(await world.untrue()).toEqual([]);
  });

  test('is refused while another run holds the stream', async () => {
    await loaded({ rows: { D03: 300 } });
    const destination = target.destination();
    const run = { id: 'another', command: 'sync', startedAt: '2026-01-01T00:00:00.000000Z' };
    await destination.open([], { ...run, fullRefresh: new Set(), warn: () => {} });
    await expect(world.verify({ repair: true })).rejects.toBeInstanceOf(LockedFailure);
    await destination.close();
  });

  test('is told apart from what cannot be compared: an emptied table, and one that is gone', async () => {
    const table = await loaded({ rows: { D03: 300 } });
    await target.run(`delete from ${table}`);
    expect((await world.verdict({ repair: true })).error?.message).toMatch(/was emptied, .* Run: .* sync/);
    await target.run(`drop table ${table}`);
    expect((await world.verdict()).error?.message).toMatch(/no table to compare/);
    expect((await world.verdict({ repair: true })).error?.message).toMatch(/its table is gone, .* Run: .* sync/);
  });
});
