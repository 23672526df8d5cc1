import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { account, ndjson } from './accounts-example.ts';
import { createFolder, type Ended, run, start } from './cli-process.ts';
import { startPostgres, type TestServer } from './postgres-server.ts';
import { configFor } from './postgres-target.ts';

/** Push and reconcile as processes, with their ledger in a real server. */

let server: TestServer;
let admin: pg.Client;
let simulator: Simulator;
let folder: ReturnType<typeof createFolder>;
let config: string;
let database: string;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());
beforeEach(async () => {
  folder = createFolder();
  database = await server.createDatabase();
  admin = await server.connect(database);
  simulator = await startSimulator({ rows: {}, latencyMs: 100, accounts: { delayMs: 0 } });
  const { lender, email, password, url } = simulator;
  const destination = configFor(server, database, 'cleargrid');
  config = folder.config('config.json', { lender, email, password, base_url: url, destination });
});
afterEach(async () => {
  expect(await server.sessionsLeft(database)).toBe(0);
  await admin.end();
  await simulator.stop();
  folder.remove();
});

const push = (...flags: string[]): Promise<Ended> => run(['push', '--config', config, ...flags]);
const reconcile = (): Promise<Ended> => run(['reconcile', '--config', config, '--wait', '1s', '--json']);
const summary = ({ stdout }: Ended) => JSON.parse(stdout) as Record<string, unknown>;

function input(count: number): string {
  const file = join(folder.path, 'a.ndjson');
  writeFileSync(file, ndjson(Array.from({ length: count }, (_, number) => account(number))));
  return file;
}

test('the rows of a query are pushed and proven, once, and both runs are recorded', async () => {
  await admin.query('create schema cleargrid');
  await admin.query(
    `create table cleargrid.due as select 'A-' || n as id, n * 1.10 as amount from generate_series(1, 700) n`,
  );
  const query = `select 1 as status, id as "accountId", id || '-1' as "subAccountId", amount as principal from cleargrid.due order by id`;
  const pushed = await push('--query', query);
  expect([pushed.code, summary(pushed)]).toEqual([0, expect.objectContaining({ good: 700, accepted: 700 })]);
  const proven = await reconcile();
  expect([proven.code, summary(proven)]).toEqual([0, expect.objectContaining({ confirmed: 700, problems: [] })]);
  expect(summary(await push('--query', query))).toMatchObject({ accepted: 0, accepted_before: 700, requests: 0 });

  const { rows } = await admin.query(
    `select command, status, summary->>'run_id' = run_id as own from cleargrid._cleargrid_runs order by command`,
  );
  expect(rows).toEqual([
    { command: 'push', status: 'succeeded', own: true },
    { command: 'push', status: 'succeeded', own: true },
    { command: 'reconcile', status: 'succeeded', own: true },
  ]);
});

test.each([
  ['select * from nowhere', 'relation "nowhere" does not exist'],
  ['selec 1', 'syntax error'],
  [`select ('Layla' || 1)::int as status`, 'the query failed (SQLSTATE 22P02)'],
  ['drop table x', 'syntax error'],
])('the query %s is refused, and its values are not told', async (query, message) => {
  const pushed = await push('--query', query);
  expect([pushed.code, pushed.stderr]).toEqual([2, expect.stringContaining(message.replaceAll('"', '\\"'))]);
  expect(pushed.stderr + pushed.stdout).not.toContain('Layla');
});

test('of two pushes at once the second is refused, and names the first', async () => {
  const file = input(8_000);
  const first = start(['push', '--config', config, '--input', file]);
  while (simulator.accounts().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  first.process.kill('SIGSTOP');
  const second = await push('--input', file);
  const proof = await reconcile();
  first.process.kill('SIGCONT');
  const ended = await first.ended;
  const runId = String(summary(ended).run_id);
  expect([second.code, proof.code, ended.code]).toEqual([3, 3, 0]);
  for (const { stderr } of [second, proof]) expect(stderr).toContain(runId);
  expect(simulator.accounts().every(({ timesChanged }) => timesChanged === 1)).toBe(true);
});
