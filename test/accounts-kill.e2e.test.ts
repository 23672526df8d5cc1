import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { account, ndjson } from './accounts-example.ts';
import { createFolder, start } from './cli-process.ts';
import { chance } from './simulation/virtual-time.ts';

let folder: ReturnType<typeof createFolder>;
let simulator: Simulator;

beforeEach(() => {
  folder = createFolder();
});
afterEach(async () => {
  await simulator.stop();
  folder.remove();
});

/** What is wrong before it is sent, and what the API refuses. */
const isBad = (number: number) => number % 101 === 7;
const isRefused = (number: number) => number % 307 === 11;

test('a push of 2,000 accounts that is killed twenty times has every good account once in effect, and names every bad one', async () => {
  simulator = await startSimulator({
    rows: {},
    latencyMs: [50, 300],
    accounts: { refuse: ({ accountId }) => (isRefused(Number(String(accountId).slice(2))) ? ['Unknown debtor'] : []) },
  });
  const { lender, email, password, url } = simulator;
  const destination = { type: 'duckdb', path: join(folder.path, 'killed.duckdb') };
  const config = folder.config('config.json', { lender, email, password, base_url: url, destination });
  const input = join(folder.path, 'accounts.ndjson');
  const numbers = Array.from({ length: 2000 }, (_, number) => number);
  writeFileSync(
    input,
    ndjson(numbers.map((number) => account(number, isBad(number) ? { dateDue: '31/02/2026' } : {}))),
  );
  const args = ['push', '--config', config, '--input', input];

  const { next } = chance(7);
  const outputs: string[] = [];
  let killed = 0;
  for (let run = 0; run < 20; run++) {
    const running = start(args);
    const early = await Promise.race([running.ended, wait(250 + next() * 900, null)]);
    if (early === null) {
      running.process.kill('SIGKILL');
      killed++;
    }
    const { stdout, stderr } = await running.ended;
    outputs.push(stdout, stderr);
  }
  const ended = await start(args).ended;
  outputs.push(ended.stdout, ended.stderr);
  await simulator.accountsSettled();

  expect(killed).toBeGreaterThan(8);
  expect(ended.code).toBe(1);
  const bad = numbers.filter(isBad);
  const refused = numbers.filter((number) => isRefused(number) && !isBad(number));
  const good = numbers.filter((number) => !isBad(number) && !isRefused(number));
  const summary = JSON.parse(ended.stdout);
  expect(summary).toMatchObject({ good: 2000 - bad.length, bad: bad.length, refused: refused.length, error: null });
  expect(summary.accepted + summary.accepted_before).toBe(good.length);
  const named = ended.log.filter(({ line }) => line !== undefined).map(({ line }) => Number(line) - 1);
  expect(named.sort((a, b) => a - b)).toEqual([...bad, ...refused].sort((a, b) => a - b));

  const inEffect = simulator.accounts().filter(({ timesChanged }) => timesChanged > 0);
  expect(inEffect.map(({ accountId }) => Number(accountId.slice(2))).sort((a, b) => a - b)).toEqual(good);
  expect(inEffect.filter(({ timesChanged }) => timesChanged !== 1)).toEqual([]);
  expect(outputs.join('')).not.toMatch(/Layla|Haddad|78419|\+971|@example|simulated/);

  const accepted = simulator.accounts().reduce((sum, { timesAccepted }) => sum + timesAccepted, 0);
  const again = await start(args).ended;
  expect(JSON.parse(again.stdout)).toMatchObject({ accepted: 0, accepted_before: good.length, requests: 0 });
  expect(simulator.accounts().reduce((sum, { timesAccepted }) => sum + timesAccepted, 0)).toBe(accepted);
});
