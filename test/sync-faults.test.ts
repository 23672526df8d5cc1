import { afterEach, describe, expect, test } from 'vitest';
import { connectApi } from '../connector/api/connect.ts';
import { HTTP_LIMITS } from '../connector/api/http.ts';
import { parseConfig } from '../connector/config/load.ts';
import { silentReporter } from '../connector/report.ts';
import { laterBy } from '../connector/sync/instants.ts';
import { runSync } from '../connector/sync/run.ts';
import type { Destination, Table } from '../destinations/contract.ts';
import { transientError } from '../destinations/failure.ts';
import { memoryDestination } from '../destinations/memory/destination.ts';
import { type MemoryWarehouse, memoryWarehouse } from '../destinations/memory/warehouse.ts';
import { streamNamed } from '../schemas/registry.ts';
import { FAULTS, type FaultName } from '../simulator/faults.ts';
import type { SimulatorOptions } from '../simulator/options.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { fullSize } from './full-size.ts';
import { otherAnswers } from './simulator-unknowns.ts';
import { differences } from './truth.ts';

/** The source as a whole, from HTTP to rows, against an API that misbehaves in one way at a time (faults 3 to 9). */

const streams = ['borrower_sub_accounts', 'borrower_payments', 'deal_activity_logs'];

let simulator: Simulator;
afterEach(() => simulator?.stop());

async function serve(options: SimulatorOptions): Promise<void> {
  simulator = await startSimulator({ rows: { D03: 3000, D07: 1000, D19: 1000 }, ...options });
}

async function sync(
  warehouse: MemoryWarehouse,
  flags: {
    streams?: string[];
    fullRefresh?: boolean;
    allowMassDelete?: boolean;
    /** How far the run's clock is ahead, in milliseconds. */
    aheadMs?: () => number;
    more?: object;
    destination?: Destination;
  } = {},
) {
  const { lender, email, password, url } = simulator;
  const config = parseConfig(
    { lender, email, password, base_url: url, streams: flags.streams ?? streams, ...flags.more },
    {},
    'test',
  );
  const signal = new AbortController().signal;
  const connected = await connectApi({
    ...{ lender, email, password, signal },
    ...{ environment: config.environment, baseUrl: url, concurrency: config.concurrency },
    limits: { ...HTTP_LIMITS, exchangeMs: 15_000, speedSpanMs: 800 },
  });
  const now = () => laterBy(connected.now(), flags.aheadMs?.() ?? 0);
  const api: typeof connected = Object.create(connected, { now: { value: now } });
  const destination = flags.destination ?? memoryDestination(warehouse);
  const warnings: string[] = [];
  try {
    const summary = await runSync({
      ...{ config, api, destination, signal },
      ...{ streams: null, dryRun: false },
      ...{ fullRefresh: flags.fullRefresh ?? false, allowMassDelete: flags.allowMassDelete ?? false },
      reporter: { ...silentReporter, warning: (message) => warnings.push(message) },
    });
    return { summary, warnings };
  } finally {
    await api.close();
    await destination.close();
  }
}

async function untrue(warehouse: MemoryWarehouse): Promise<string[]> {
  const found = streams.map((name) =>
    differences(simulator, memoryDestination(warehouse), streamNamed(name)!, `"${name}"`),
  );
  return (await Promise.all(found)).flat();
}

const survived = (Object.keys(FAULTS) as FaultName[]).filter(
  (name) =>
    !['401-for-good', 'no-database', 'lost-answer', 'dropped-accounts', '400-nameless', 'huge-body'].includes(name),
);

describe('faults 3 to 9: a run ends well, with every row once and newest, under', () => {
  test.each(survived)('%s', { timeout: 180_000 }, async (fault) => {
    await serve({ faults: [{ name: fault, rate: 0.1, rows: 700 }] });
    const warehouse = memoryWarehouse();
    const { summary } = await sync(warehouse);
    expect(summary.streams.map(({ stream, status, error }) => [stream, status, error])).toEqual(
      summary.streams.map(({ stream }) => [stream, 'succeeded', null]),
    );
    if (FAULTS[fault].kind === 'drawn') expect(simulator.requests().byFault[fault]).toBeGreaterThan(0);
    if (fault !== 'changing-rows' && fault !== 'late-inserts') return expect(await untrue(warehouse)).toEqual([]);
    simulator.setFaults([]);
    simulator.advance(2000);
    await sync(warehouse);
    expect(await untrue(warehouse)).toEqual([]);
  });
});

describe('what the documentation leaves open changes nothing:', () => {
  test.each(otherAnswers().filter(({ name }) => !/account/i.test(name)))('$name=$text', async ({ unknowns }) => {
    await serve({ unknowns });
    const warehouse = memoryWarehouse();
    expect((await sync(warehouse)).summary.status).toBe('succeeded');
    expect(await untrue(warehouse)).toEqual([]);
    simulator.change('D03', 30);
    if (unknowns.deletes === 'flagged') simulator.remove('D07', 20);
    simulator.advance(2000);
    await sync(warehouse);
    expect(await untrue(warehouse)).toEqual([]);
  });
});

test('a window on a 504 that lasts is split, where fewer records at once do not help', {
  timeout: 180_000,
}, async () => {
  await serve({});
  const records = [...simulator.truth('D03')].map(({ json }) => Date.parse(String(json.updated_at)));
  const widest = (records.at(-1)! - records[0]!) / 5;
  simulator.failNext(Number.MAX_SAFE_INTEGER, '504', {
    ...{ code: 'D03', route: 'page' },
    match: ({ parameters: { since, until } }) => {
      const [from, to] = [Date.parse(since ?? '0001-01-01'), Date.parse(until ?? '9999-12-31')];
      return Math.min(to, records.at(-1)!) - Math.max(from, records[0]!) > widest;
    },
  });
  const warehouse = memoryWarehouse();
  expect((await sync(warehouse)).summary.status).toBe('succeeded');
  expect(await untrue(warehouse)).toEqual([]);
  expect(simulator.requests().byStatus['504']).toBeGreaterThan(3);
});

test('a page of more than 64 MB is asked for again with fewer records', { timeout: 180_000 }, async () => {
  await serve({});
  // Not once: what is larger than there was room for is asked for again with more, before it is found too large.
  simulator.failNext(Number.MAX_SAFE_INTEGER, 'huge-body', {
    ...{ code: 'D03', route: 'page' },
    match: ({ parameters: { limit } }) => limit === '1000',
  });
  const warehouse = memoryWarehouse();
  expect((await sync(warehouse)).summary.status).toBe('succeeded');
  expect(await untrue(warehouse)).toEqual([]);
  expect(simulator.requests().pages.some(({ limit }) => Number(limit ?? 1000) < 1000)).toBe(true);
});

describe('a fault that nothing survives', () => {
  test('fails every stream of a lender without a database, with what the API said', { timeout: 180_000 }, async () => {
    await serve({ faults: ['no-database'] });
    const { summary } = await sync(memoryWarehouse());
    expect(summary.streams.map(({ status, error }) => [status, error?.message])).toEqual(
      streams.map(() => ['failed', expect.stringContaining('Lender database is not configured')]),
    );
    for (const { error } of summary.streams) expect(error?.request_id).toMatch(/./);
  });

  test('fails the run at once, and says whom to ask', async () => {
    await serve({ faults: ['401-for-good'] });
    await expect(sync(memoryWarehouse())).rejects.toThrow(/support|inactive/);
  });

  test('fault 21: of one dataset fails its stream and no other', { timeout: 180_000 }, async () => {
    await serve({});
    simulator.failNext(1000, '500', { code: 'D07', route: 'page' });
    const { summary } = await sync(memoryWarehouse());
    expect(summary.status).toBe('failed');
    const ended = Object.fromEntries(summary.streams.map(({ stream, status }) => [stream, status]));
    expect(ended).toEqual({
      borrower_sub_accounts: 'succeeded',
      borrower_payments: 'failed',
      deal_activity_logs: 'succeeded',
    });
    const failed = summary.streams.find(({ status }) => status === 'failed');
    expect(failed?.error).toMatchObject({ kind: 'transient_error', request_id: expect.stringMatching(/./) });
  });

  test('says what to do next, also where only the network was in the way', { timeout: 180_000 }, async () => {
    await serve({});
    simulator.failNext(1000, 'truncated-json', { code: 'D07', route: 'page' });
    const { summary } = await sync(memoryWarehouse(), { streams: ['borrower_payments'] });
    expect(summary.streams[0]!.error).toMatchObject({
      kind: 'transient_error',
      message: expect.stringMatching(/cut short.*\. Run again later: it goes on from what is committed\.$/),
    });
  });

  test('leaves a stream as complete as it was, and its summary says so', { timeout: 180_000 }, async () => {
    await serve({});
    const warehouse = memoryWarehouse();
    const only = { streams: ['borrower_payments'] };
    const before = (await sync(warehouse, only)).summary.streams[0]!;
    simulator.failNext(1000, '500', { code: 'D07', route: 'page' });
    const { summary } = await sync(warehouse, only);
    expect(summary.streams[0]).toMatchObject({ status: 'failed', complete: before.complete });
    expect(before.complete).not.toBeNull();
  });
});

describe('fault 20: with a slow destination, records of 1 MB and 64 windows', () => {
  test('what is in flight and in batches stays within the budget, and everything arrives', {
    timeout: 180_000,
  }, async () => {
    await serve({ rows: { D20: 20, D03: 20_000 }, history: { days: 30 } });
    simulator.insert('D20', 120, { description: 'x'.repeat(1_000_000) });
    simulator.advance(2000);
    const warehouse = memoryWarehouse();
    const slow = memoryDestination(warehouse, {
      at: (step) => (step === 'before rows' ? new Promise((resolve) => setTimeout(resolve, 100)) : undefined),
    });
    let held = 0;
    let most = 0;
    const destination: typeof slow = {
      ...slow,
      open: async (...args) => {
        const tables = await slow.open(...args);
        const counted = (table: Table): Table => ({
          ...table,
          prepare: (page) => {
            const prepared = table.prepare(page);
            held += prepared.bytes;
            most = Math.max(most, held);
            return prepared;
          },
          commit: async (batch) => {
            const done = await table.commit(batch);
            held -= batch.pages.reduce((sum, { bytes }) => sum + bytes, 0);
            return done;
          },
        });
        return new Map([...tables].map(([name, table]) => [name, counted(table)]));
      },
    };
    const names = ['deal_views', 'borrower_sub_accounts'];
    const { summary } = await sync(warehouse, { streams: names, more: { concurrency: 64 }, destination });
    expect(summary.streams.map(({ status, rows_written }) => [status, rows_written])).toEqual([
      ['succeeded', 20_000],
      ['succeeded', 140],
    ]);
    expect(most).toBeGreaterThan(40e6);
    expect(most).toBeLessThan(64 * 1024 * 1024 * 1.5);
  });
});

describe('rule 15: a full refresh marks no live row deleted', () => {
  /** Just before its clock shows the next second: what a `Date` header says is then nearly a second behind. */
  const lateInTheSecond = () => simulator.advance(1950 - (Date.parse(simulator.now()) % 1000));
  const keys = () => [...simulator.truth('D03')].map(({ json }) => String(json.public_id));

  async function refreshed(moves: (asked: number, last: string) => void): Promise<void> {
    await serve({ unknowns: { viaPages: 'full' } });
    const warehouse = memoryWarehouse();
    await sync(warehouse);
    simulator.remove('D03', 40);
    const last = keys().at(-1)!;
    lateInTheSecond();
    let asked = 0;
    const end = simulator.onPageRequest(({ code }) => {
      if (code === 'D03') moves(++asked, last);
    });
    const { summary } = await sync(warehouse, { fullRefresh: true });
    end();
    expect(summary.streams.find(({ stream }) => stream === 'borrower_sub_accounts')).toMatchObject({
      status: 'succeeded',
      rows_deleted: 40,
    });
    expect(await untrue(warehouse)).toEqual([]);
  }

  test('that moves while the walk is before it, within the second that the clock is behind', async () => {
    await refreshed((asked, last) => {
      if (asked === 1) simulator.change('D03', [last]);
    });
  });

  test('and none at all where its pages come so slowly that rows may move beyond what they show', async () => {
    await serve({ unknowns: { viaPages: 'full' } });
    const warehouse = memoryWarehouse();
    await sync(warehouse);
    simulator.remove('D03', 40);
    let ahead = 0;
    simulator.onPageRequest(({ code }) => {
      if (code === 'D03') ahead += 15_000;
    });
    const { summary, warnings } = await sync(warehouse, { fullRefresh: true, aheadMs: () => ahead });
    expect(summary.streams.map(({ status, rows_deleted }) => [status, rows_deleted])).toEqual([
      ['succeeded', 0],
      ['succeeded', 0],
      ['succeeded', 0],
    ]);
    expect(warnings).toContainEqual(expect.stringMatching(/^borrower_sub_accounts: .* deletions to be told apart/));
  });

  test('that moves again and again, until the last page is made', async () => {
    await refreshed((_, last) => simulator.change('D03', [last]));
  });
});

describe('a run', () => {
  test('with nothing new asks once for each stream, beside login and catalog', async () => {
    await serve({ unknowns: { viaPages: 'full' } });
    const warehouse = memoryWarehouse();
    await sync(warehouse);
    simulator.advance(60 * 60_000);
    await sync(warehouse);
    simulator.advance(60 * 60_000);
    const before = simulator.requests().total;
    const { summary } = await sync(warehouse);
    expect(summary.streams.map(({ requests }) => requests)).toEqual([1, 1, 1]);
    expect(simulator.requests().total - before).toBe(3 + 2);
  });

  test('fault 10: is not stopped by very many rows of one instant', { timeout: 300_000 }, async () => {
    const shared = fullSize(300_000);
    await serve({ rows: { D03: shared + 5_000, D07: 10, D19: 10 }, history: { sharedInstant: shared } });
    const warehouse = memoryWarehouse();
    const { summary } = await sync(warehouse);
    expect(summary.status).toBe('succeeded');
    expect(await untrue(warehouse)).toEqual([]);
    expect(summary.streams[0]!.rows_read).toBeLessThan(2 * shared + 10_000);
  });

  test('reads in parallel although most of the history is in its last month', { timeout: 180_000 }, async () => {
    await serve({
      rows: { D03: 60_000, D07: 10, D19: 10 },
      history: { recent: { share: 0.8, days: 30 } },
      latencyMs: 5,
      unknowns: { viaPages: 'full' },
    });
    let most = 0;
    let underWay = 0;
    simulator.onPageRequest(async ({ code }) => {
      if (code !== 'D03') return;
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 60));
      underWay--;
    });
    const { summary } = await sync(memoryWarehouse(), { streams: ['borrower_sub_accounts'] });
    expect(summary.streams[0]).toMatchObject({ status: 'succeeded', rows_written: 60_000 });
    expect(most).toBeGreaterThan(8);
    expect(summary.streams[0]!.requests).toBeLessThan(60 * 2.5);
  });

  test('takes a dataset that nobody has declared as a stream named after its code', async () => {
    await serve({ rows: { D24: 30 }, catalog: { D24: { available: true, cursorField: 'updated_at' } } });
    const warehouse = memoryWarehouse();
    const { summary, warnings } = await sync(warehouse, { streams: ['d24'] });
    expect(summary.streams).toMatchObject([{ stream: 'd24', status: 'succeeded', rows_written: 30 }]);
    expect(warnings.join()).toContain('docs/adding-a-stream.md');
  });

  test('says so of a dataset that nobody has declared and the catalog tells too little of', async () => {
    await serve({ catalog: { D24: { available: true, cursorField: null } } });
    const { summary, warnings } = await sync(memoryWarehouse());
    expect(summary.streams.map(({ stream }) => stream)).not.toContain('d24');
    expect(warnings.filter((warning) => warning.includes('D24'))).toEqual([
      expect.stringMatching(/cursor field.*docs\/adding-a-stream\.md/),
    ]);
  });

  test('refuses a stream whose cursor field is another at the API, and reads the others', async () => {
    await serve({ catalog: { D07: { cursorField: 'created_at' } } });
    const { summary } = await sync(memoryWarehouse());
    const refused = summary.streams.find(({ stream }) => stream === 'borrower_payments');
    expect(refused).toMatchObject({
      status: 'failed',
      error: { kind: 'system_error', message: expect.stringContaining('created_at') },
    });
    expect(summary.streams.filter(({ status }) => status === 'succeeded')).toHaveLength(2);
  });

  test('skips with a warning what the lender may not read now', async () => {
    await serve({ catalog: { D07: { available: false } } });
    const { summary, warnings } = await sync(memoryWarehouse());
    expect(summary.status).toBe('succeeded');
    expect(summary.streams.find(({ stream }) => stream === 'borrower_payments')?.status).toBe('skipped');
    expect(warnings.join()).toContain('borrower_payments');
  });

  test('marks what is gone deleted in a full refresh, and unmarks what comes back', async () => {
    await serve({ unknowns: { viaPages: 'full' } });
    const warehouse = memoryWarehouse();
    await sync(warehouse);
    simulator.remove('D07', 20);
    simulator.advance(2000);
    const { summary } = await sync(warehouse, { fullRefresh: true });
    expect(summary.streams.map(({ stream, rows_deleted }) => [stream, rows_deleted])).toEqual([
      ['borrower_sub_accounts', 0],
      ['borrower_payments', 20],
      ['deal_activity_logs', 0],
    ]);
    expect(await untrue(warehouse)).toEqual([]);
  });

  test.each([
    [1, 'succeeded', 20],
    [2, 'failed', 0],
  ])(
    'whose full refresh cannot be recorded (%i times) makes it all the same, or fails: an increment never passes for it',
    async (times, status, deleted) => {
      await serve({ unknowns: { viaPages: 'full' } });
      const warehouse = memoryWarehouse();
      await sync(warehouse);
      simulator.remove('D07', 20);
      simulator.advance(2000);
      let left = times;
      const destination = memoryDestination(warehouse, {
        at: (step, stream) => {
          if (step === 'before rows' && stream === 'borrower_payments' && left-- > 0) throw transientError('no disk');
        },
      });
      const { summary } = await sync(warehouse, { fullRefresh: true, destination });
      expect(summary.streams[1]).toMatchObject({ status, rows_deleted: deleted });
    },
  );

  test('whose end cannot be recorded tells its summary all the same, and that', async () => {
    await serve({});
    const warehouse = memoryWarehouse();
    const destination = memoryDestination(warehouse);
    const end = () => Promise.reject(transientError('no disk'));
    const unrecorded = { ...destination, runs: { ...destination.runs, end } };
    const { summary, warnings } = await sync(warehouse, { destination: unrecorded });
    expect(summary).toMatchObject({ status: 'succeeded', warnings: [expect.stringContaining('no disk')] });
    expect(summary.streams).toHaveLength(streams.length);
    expect(warnings).toEqual(summary.warnings);
    expect(await untrue(warehouse)).toEqual([]);
  });

  test('of a second lender loads nothing beside the tables of the first', async () => {
    await serve({});
    const warehouse = memoryWarehouse();
    expect((await sync(warehouse, { streams: ['borrower_payments'] })).summary.status).toBe('succeeded');
    await simulator.stop();
    await serve({ lenderPublicId: '00000000-0000-4000-8000-000000000002' });
    const { summary } = await sync(warehouse, { streams: ['borrower_sub_accounts'] });
    expect(summary.streams[0]).toMatchObject({ status: 'failed', rows_read: 0, error: { kind: 'config_error' } });
    expect(summary.streams[0]!.error!.message).toMatch(
      /belongs to another lender .*"schema".*run: cleargrid-connector/,
    );
    expect(warehouse.tables.get('borrower_sub_accounts')?.rows.size ?? 0).toBe(0);
  });

  test('fault 25: does not mark most of a table deleted without leave, and needs to read nothing again for it', async () => {
    await serve({ unknowns: { viaPages: 'full' } });
    const warehouse = memoryWarehouse();
    await sync(warehouse);
    simulator.remove('D07', 900);
    simulator.advance(2000);
    const { summary, warnings } = await sync(warehouse, { fullRefresh: true });
    expect(summary.streams[1]).toMatchObject({ stream: 'borrower_payments', rows_deleted: 0 });
    expect(warnings.join()).toMatch(/900 of 1000 .*--allow-mass-delete/);

    const allowed = (await sync(warehouse, { streams: ['borrower_payments'], allowMassDelete: true })).summary;
    expect(allowed.streams[0]).toMatchObject({ rows_deleted: 900, requests: 1 });
    expect(await untrue(warehouse)).toEqual([]);
  });

  test('an earlier start date adds the missing span, a later one removes nothing', async () => {
    await serve({});
    const warehouse = memoryWarehouse();
    const only = { streams: ['borrower_payments'] };
    const all = [...simulator.truth('D07')].map(({ json }) => String(json.updated_at));
    const middle = all[750]!;
    await sync(warehouse, { ...only, more: { start_date: middle } });
    const rows = () => warehouse.tables.get('borrower_payments')!.rows.size;
    expect(rows()).toBe(all.filter((value) => value >= middle).length);
    await sync(warehouse, only);
    expect(rows()).toBe(1000);
    await sync(warehouse, { ...only, more: { start_date: middle } });
    expect(rows()).toBe(1000);
  });
});
