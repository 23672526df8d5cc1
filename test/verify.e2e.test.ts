import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Summary } from '../connector/summary.ts';
import type { SimulatorOptions } from '../simulator/options.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { createFolder, type Ended, run } from './cli-process.ts';
import { type DuckdbTarget, duckdbTarget } from './duckdb-target.ts';
import { fullSize } from './full-size.ts';
import { verifyWorld } from './verify-world.ts';

const STREAM = 'borrower_sub_accounts';
const ROWS = fullSize(1_000_000);

let simulator: Simulator;
let target: DuckdbTarget;

beforeEach(async () => {
  target = await duckdbTarget();
});
afterEach(async () => {
  await simulator?.stop();
  await target.remove();
});

test('one row of very many is found and mended by fewer than 100 requests', async () => {
  simulator = await startSimulator({ rows: { D03: ROWS } });
  const { destination, spell } = target;
  const world = verifyWorld({ simulator, streams: [STREAM], destination, spell });
  expect(await world.sync()).toMatchObject({ status: 'succeeded' });
  world.requests();
  expect(await world.verdict()).toMatchObject({ verify: { verdict: 'equal', api: ROWS, table: ROWS } });
  expect(world.requests()).toBeLessThan(50);

  const table = spell(STREAM);
  const row = `"public_id" = (select "public_id" from ${table} order by "public_id" limit 1 offset ${Math.floor(ROWS * 0.654321)})`;
  await target.run(`delete from ${table} where ${row}`);
  const { verify, status } = await world.verdict({ repair: true });
  expect(world.requests()).toBeLessThan(100);
  expect({ status, verify }).toMatchObject({
    status: 'succeeded',
    verify: { verdict: 'equal', repaired: 1, api: ROWS, table: ROWS, spans: [] },
  });
});

describe('the command', () => {
  let folder: ReturnType<typeof createFolder>;
  beforeEach(() => {
    folder = createFolder();
  });
  afterEach(() => folder.remove());

  async function serve(options: SimulatorOptions): Promise<string> {
    simulator = await startSimulator(options);
    const { lender, email, password, url } = simulator;
    const destination = { type: 'duckdb', path: target.path };
    const streams = [STREAM, 'borrower_payments', 'deal_activity_logs'];
    return folder.config('config.json', { lender, email, password, base_url: url, streams, destination });
  }

  function summaryOf({ stdout }: Ended): Summary {
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    return JSON.parse(stdout) as Summary;
  }

  test('ends with 2 before anything was loaded, and makes nothing', async () => {
    const config = await serve({ rows: 10 });
    const ended = await run(['verify', '--config', config]);
    expect(ended.code).toBe(2);
    expect(summaryOf(ended)).toMatchObject({ command: 'verify', status: 'failed', streams: [] });
    expect(await target.isUntouched()).toBe(true);
  });

  test('ends with 1 while a table differs, says what to do, and with 0 once that has been done', async () => {
    const config = await serve({ rows: 2_500 });
    expect((await run(['sync', '--config', config])).code).toBe(0);
    expect((await run(['verify', '--config', config])).code).toBe(0);
    const table = target.spell('borrower_payments');
    await target.run(`delete from ${table} where "public_id" in (select "public_id" from ${table} limit 2)`);

    const differing = await run(['verify', '--config', config]);
    expect(differing.code).toBe(1);
    const { streams, status } = summaryOf(differing);
    expect(status).toBe('failed');
    expect(streams.map(({ stream, verify }) => [stream, verify?.verdict])).toEqual([
      [STREAM, 'equal'],
      ['borrower_payments', 'differs'],
      ['deal_activity_logs', 'equal'],
    ]);
    const command = 'cleargrid-connector verify --config FILE --streams borrower_payments --repair';
    const errors = differing.log.filter(({ level }) => level === 'error');
    expect(errors.map(({ message }) => message)).toEqual([expect.stringMatching(`2 rows missing .*${command}$`)]);

    const mended = await run(['verify', '--config', config, '--streams', 'borrower_payments', '--repair']);
    expect(mended.code).toBe(0);
    expect(summaryOf(mended).streams).toMatchObject([{ verify: { verdict: 'equal' }, rows_written: 2 }]);
    expect((await run(['verify', '--config', config])).code).toBe(0);
  });

  test('tells of a stream that was never read, and ends with 1', async () => {
    const config = await serve({ rows: 10 });
    await run(['sync', '--config', config, '--streams', STREAM]);
    const ended = await run(['verify', '--config', config, '--json']);
    expect(ended.code).toBe(1);
    const failed = summaryOf(ended).streams.filter(({ status }) => status === 'failed');
    expect(failed.map(({ stream, error }) => [stream, error?.message])).toEqual(
      ['borrower_payments', 'deal_activity_logs'].map((stream) => [
        stream,
        expect.stringMatching(`nothing to compare. Run: .* --streams ${stream}$`),
      ]),
    );
  });
});
