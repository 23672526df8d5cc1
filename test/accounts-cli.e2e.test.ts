import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { duckdbConfig } from '../destinations/config.ts';
import { duckdbDestination } from '../destinations/duckdb/destination.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/simulator.ts';
import { account, fullAccount, ndjson } from './accounts-example.ts';
import { createFolder, type Ended, run, start } from './cli-process.ts';

let folder: ReturnType<typeof createFolder>;
let simulator: Simulator;
let config: string;

beforeEach(() => {
  folder = createFolder();
});
afterEach(async () => {
  await simulator.stop();
  folder.remove();
});

async function serve(options: SimulatorOptions = {}, changes: object = {}): Promise<void> {
  simulator = await startSimulator({ rows: {}, ...options });
  const { lender, email, password, url } = simulator;
  const destination = { type: 'duckdb', path: join(folder.path, 'ledger.duckdb') };
  config = folder.config('config.json', { lender, email, password, base_url: url, destination, ...changes });
}

function file(name: string, text: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
}

const push = (...args: string[]): Promise<Ended> => run(['push', '--config', config, ...args]);
const reconcile = (...args: string[]): Promise<Ended> =>
  run(['reconcile', '--config', config, '--wait', '1s', ...args]);
const summary = ({ stdout }: Ended) => JSON.parse(stdout) as Record<string, unknown>;
const ids = () =>
  simulator
    .accounts()
    .map(({ accountId }) => accountId)
    .sort();

describe('push', () => {
  test('takes NDJSON, a JSON array, CSV and standard input alike', async () => {
    await serve();
    const csv = 'status,accountId,subAccountId,principal,phones.0.number\ncreate,C-1,S-1,12.50,+971501234567\n';
    for (const [name, text] of [
      ['a.ndjson', ndjson([account(1)])],
      ['b.json', JSON.stringify([fullAccount, account(2)], null, 2)],
      ['c.csv', csv],
    ] as const) {
      expect(await push('--input', file(name, text))).toMatchObject({ code: 0 });
    }
    const piped = start(['push', '--config', config, '--input', '-', '--format', 'csv']);
    piped.process.stdin.end(csv.replaceAll('C-1', 'C-2'));
    const { code, stdout } = await piped.ended;
    expect([code, JSON.parse(stdout).accepted]).toEqual([0, 1]);
    expect(ids()).toEqual(['A-1', 'A-2', 'C-1', 'C-2']);
  });

  test('takes the rows of a query on the destination', async () => {
    await serve({ rows: { D02: 30 } });
    expect((await run(['sync', '--config', config, '--streams', 'borrower_accounts'])).code).toBe(0);
    const query = `select 'update' as status, account_reference_id as "accountId", account_reference_id || '-1' as "subAccountId",
      paid_amount / 100 as "paidAmount", due_date as "dateDue", public_id as "additionalData.key" from borrower_accounts`;
    const pushed = await push('--query', query);
    expect([pushed.code, pushed.stderr.includes('bad')]).toEqual([0, false]);
    expect(summary(pushed)).toMatchObject({ good: 30, accepted: 30 });
    const wrong = await push('--query', 'select account_reference_id as accountid, 1 as status from borrower_accounts');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('did you mean \\"accountId\\"?')]);
  });

  test('with strict sends nothing for one bad account; without it, all the others', async () => {
    await serve();
    const input = file('a.ndjson', ndjson([account(1), account(2, { language: 'fr' }), account(3)]));
    const strict = await push('--input', input, '--strict');
    expect([strict.code, ids()]).toEqual([1, []]);
    expect(summary(strict)).toMatchObject({ status: 'failed', good: 2, bad: 1, accepted: 0, error: null });
    const pushed = await push('--input', input);
    expect([pushed.code, ids()]).toEqual([1, ['A-1', 'A-3']]);
    expect(pushed.log.filter(({ line }) => line !== undefined)).toMatchObject([
      { line: 2, account_id: 'A-2', problems: [{ field: 'language', reason: 'must be en or ar' }] },
    ]);
  });

  test('goes through v1 where the config says so', async () => {
    await serve({}, { accounts_api: 'v1' });
    const input = file('a.ndjson', ndjson([account(1)]));
    expect((await push('--input', input)).code).toBe(0);
    expect(ids()).toEqual(['A-1']);
    await simulator.accountsSettled();
    expect((await reconcile()).code).toBe(0);
  });

  test.each([
    [['--input', 'missing.csv'], 2, 'does not exist'],
    [[], 2, 'either --input FILE'],
    [['--input', '-', '--query', 'select 1'], 2, 'either --input FILE'],
    [['--input', '-', '--format', 'cvs'], 2, 'did you mean csv?'],
    [['--query', 'create table x (y int)'], 2, 'the query must be a SELECT'],
    [['--query', 'selec 1'], 2, 'syntax error'],
  ])('refuses %j', async (args, code, message) => {
    await serve();
    const ended = await push(...args);
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(message)]);
  });

  test('is refused while another run has the ledger', async () => {
    await serve();
    const path = join(folder.path, 'ledger.duckdb');
    const other = duckdbDestination(duckdbConfig.parse({ type: 'duckdb', path }));
    await other.ledger.hold({ id: 'another', command: 'push', startedAt: '2026-01-01T00:00:00.000000Z' });
    const ended = await push('--input', file('a.ndjson', ndjson([account(1)])));
    await other.close();
    expect([ended.code, ended.stderr, ids()]).toEqual([3, expect.stringContaining('in use by run another'), []]);
  });
});

describe('reconcile', () => {
  test('shows what is confirmed and what is lost, and with the next push all is well', async () => {
    let drops = true;
    await serve({ accounts: { delayMs: 0, drop: ({ accountId }) => drops && accountId === 'A-2' } });
    const input = file('a.ndjson', ndjson([account(1), account(2), account(3)]));
    expect((await push('--input', input)).code).toBe(0);
    const table = await reconcile();
    expect(table.code).toBe(1);
    expect(table.stdout).toMatch(/confirmed +2 /);
    expect(table.stdout).toMatch(/^ +2 +A-2 +lost$/m);
    const json = await reconcile('--json', '--since', '2020-01-01');
    expect(summary(json)).toMatchObject({
      ...{ command: 'reconcile', status: 'failed', confirmed: 2, lost: 1, differs: 0, pending: 0, error: null },
      problems: [{ line: 2, account_id: 'A-2', state: 'lost', fields: [] }],
    });
    drops = false;
    const again = await push('--input', input);
    expect(summary(again)).toMatchObject({ accepted: 1, lost_before: 1, accepted_before: 2 });
    expect(again.stderr).toContain('1 sent again after they were lost');
    const proven = await reconcile();
    expect([proven.code, proven.stdout]).toEqual([0, expect.stringMatching(/confirmed +1 /)]);
    expect([(await reconcile()).stdout.trim(), (await reconcile()).code]).toEqual([
      expect.stringContaining('Nothing to prove'),
      0,
    ]);
    for (const { stdout, stderr } of [table, json, again, proven]) {
      expect(stdout + stderr).not.toMatch(/Layla|Haddad|78419|\+971|@example\.com|simulated/);
    }
  });

  test('has nothing to prove where nothing was pushed, and says so', async () => {
    await serve();
    const proven = await reconcile();
    expect([proven.code, proven.stdout]).toEqual([0, expect.stringContaining('knows of no account')]);
    expect(summary(await reconcile('--json'))).toMatchObject({ status: 'succeeded', confirmed: 0, problems: [] });
  });

  test.each([
    [['--wait', 'soon'], 'must be an ISO-8601 duration'],
    [['--wait', '15'], 'or 15m, 90s, 2h'],
    [['--wait=-PT5M'], 'must not be negative'],
    [['--since', 'yesterday'], 'must be an ISO-8601 date'],
  ])('refuses %j', async (args, message) => {
    await serve();
    const ended = await run(['reconcile', '--config', config, ...args]);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
