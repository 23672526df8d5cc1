import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { duckdbConfig } from '../destinations/config.ts';
import type { RunRecord } from '../destinations/contract.ts';
import { duckdbDestination } from '../destinations/duckdb/destination.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { account, ndjson } from './accounts-example.ts';
import { createFolder, type Ended, run, start } from './cli-process.ts';

/** What push and reconcile leave in `_cleargrid_runs`. */

let folder: ReturnType<typeof createFolder>;
let simulator: Simulator;
let config: string;
let path: string;

beforeEach(async () => {
  folder = createFolder();
  path = join(folder.path, 'ledger.duckdb');
  simulator = await startSimulator({ rows: {}, accounts: { delayMs: 0 } });
  const { lender, email, password, url } = simulator;
  config = folder.config('config.json', {
    ...{ lender, email, password, base_url: url },
    destination: { type: 'duckdb', path },
  });
});
afterEach(async () => {
  await simulator.stop();
  folder.remove();
});

function input(...accounts: readonly unknown[]): string {
  const file = join(folder.path, 'a.ndjson');
  writeFileSync(file, ndjson(accounts));
  return file;
}

async function records(): Promise<readonly RunRecord[]> {
  const destination = duckdbDestination(duckdbConfig.parse({ type: 'duckdb', path }));
  try {
    return await destination.runs.recent(10);
  } finally {
    await destination.close();
  }
}

const push = (file: string, ...flags: string[]): Promise<Ended> =>
  run(['push', '--config', config, '--input', file, ...flags]);

test('push and reconcile leave a record, and it is the summary that they print', async () => {
  const pushed = await push(input(account(1), account(2, { language: 'fr' })));
  // A run's instants come from the server's `Date`, which is cut to whole seconds: the second run shall be the later one.
  await wait(1_100);
  const proven = await run(['reconcile', '--config', config, '--wait', '1s', '--json']);
  expect([pushed.code, proven.code]).toEqual([1, 0]);
  const { problems, problems_left_out, ...summary } = JSON.parse(proven.stdout);
  const [reconcile, first] = await records();
  expect(first).toMatchObject({ command: 'push', status: 'failed', summary: { accepted: 1, bad: 1, error: null } });
  expect(first!.summary).toEqual(JSON.parse(pushed.stdout));
  expect(reconcile).toMatchObject({ command: 'reconcile', status: 'succeeded', summary: { confirmed: 1 } });
  expect(reconcile!.summary).toEqual(summary);
  expect([reconcile!.startedAt, reconcile!.endedAt]).toEqual([summary.started_at, summary.ended_at]);
  expect([problems, problems_left_out]).toEqual([[], 0]);

  const status = await run(['status', '--config', config, '--json']);
  expect(JSON.parse(status.stdout).last_run).toMatchObject({ command: 'reconcile', status: 'succeeded' });
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  'a push that is stopped by %s in its midst says so in its record, and the same command goes on from there',
  async (signal, code) => {
    await simulator.stop();
    simulator = await startSimulator({ rows: {}, latencyMs: 150, accounts: { delayMs: 0 } });
    const { lender, email, password, url } = simulator;
    config = folder.config('slow.json', {
      ...{ lender, email, password, base_url: url },
      destination: { type: 'duckdb', path },
    });
    const file = input(...Array.from({ length: 12_000 }, (_, number) => account(number)));
    const running = start(['push', '--config', config, '--input', file]);
    while (simulator.accounts().length < 2_000) await new Promise((resolve) => setTimeout(resolve, 10));
    running.process.kill(signal);
    const ended = await running.ended;
    expect(ended.code).toBe(code);
    const stopped = JSON.parse(ended.stdout);
    expect(stopped.accepted).toBeLessThan(12_000);
    const [record] = await records();
    expect(record).toMatchObject({ command: 'push', status: 'stopped', summary: stopped });
    expect(stopped.error.message).toContain(`stopped by ${signal}`);

    const again = await push(file);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ good: 12_000, accepted_before: stopped.accepted });
    await simulator.accountsSettled();
    const changes = simulator.accounts().map(({ timesChanged }) => timesChanged);
    expect([changes.length, changes.every((times) => times === 1)]).toEqual([12_000, true]);
  },
);

test('a push that cannot go on is recorded with its reason', async () => {
  simulator.setFaults([{ name: '401-for-good' }]);
  const pushed = await push(input(account(1)));
  expect(pushed.code).toBe(2);
  const [record] = await records();
  expect(record).toMatchObject({ status: 'failed', summary: { accepted: 0, error: { kind: 'config_error' } } });
  expect(record!.summary).toEqual(JSON.parse(pushed.stdout));
});

test('a dry run leaves nothing, and one that was refused the ledger no record', async () => {
  expect((await push(input(account(1)), '--dry-run')).code).toBe(0);
  expect(await records()).toEqual([]);
  const other = duckdbDestination(duckdbConfig.parse({ type: 'duckdb', path }));
  await other.ledger.hold({ id: 'another', command: 'push', startedAt: '2026-01-01T00:00:00.000000Z' });
  expect((await push(input(account(1)))).code).toBe(3);
  expect(await other.runs.recent(10)).toEqual([]);
  await other.close();
});
