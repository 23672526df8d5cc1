import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { streamNamed } from '../schemas/registry.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { createFolder } from './cli-process.ts';
import { fullSize } from './full-size.ts';
import { allDifferences, killAndFinish, runToEnd } from './kill.ts';
import { chance } from './simulation/virtual-time.ts';

/** Fault 1, on the process itself. */

const streams = ['borrower_sub_accounts', 'borrower_payments', 'communication_logs'].map((name) => streamNamed(name)!);
/** Of a first load, each somewhere in 25 pages. */
const KILLS = fullSize(12, 3);
/** Paged by the time of change: what changes comes again. */
const CHANGING = ['D03', 'D07'];
const tableOf = ({ name }: { name: string }) => `"main"."${name}"`;

let folder: ReturnType<typeof createFolder>;
let simulator: Simulator;

beforeEach(() => {
  folder = createFolder();
});
afterEach(async () => {
  await simulator.stop();
  folder.remove();
});

async function serve(rows: Record<string, number>) {
  simulator = await startSimulator({ rows });
  const { lender, email, password, url } = simulator;
  const destination = { type: 'duckdb', path: join(folder.path, 'killed.duckdb') };
  const names = streams.map(({ name }) => name);
  const config = folder.config('config.json', { lender, email, password, base_url: url, streams: names, destination });
  return { config, destination };
}

test('fault 1: a first load that is killed again and again loses nothing and doubles nothing', async () => {
  const { config, destination } = await serve({ D03: 20_000 * KILLS, D07: 5_000, D21: 5_000 });
  const { random, stopChurn } = {
    random: chance(1).next,
    stopChurn: simulator.startChurn({ codes: CHANGING, everyPages: 10, changes: 3 }),
  };
  const { ended, killed } = await killAndFinish({ simulator, config, args: [], kills: KILLS, pages: [1, 25], random });
  stopChurn();
  expect(ended.code).toBe(0);
  expect(killed).toBe(KILLS);
  simulator.advance(2000);
  expect((await runToEnd(config)).code).toBe(0);
  expect(await allDifferences(simulator, streams, destination, tableOf)).toEqual([]);
});

test('fault 1: a full refresh that is killed while rows change marks no live row deleted', async () => {
  const { config, destination } = await serve({ D03: fullSize(60_000, 30_000), D07: 2_000, D21: 2_000 });
  const random = chance(2).next;
  expect((await runToEnd(config)).code).toBe(0);
  for (const { dataset } of streams) simulator.remove(dataset.code, 50);
  const stopChurn = simulator.startChurn({ codes: CHANGING, everyPages: 3, changes: 3 });
  const { killed } = await killAndFinish({
    simulator,
    config,
    args: ['--full-refresh'],
    kills: 5,
    pages: [1, 12],
    random,
  });
  stopChurn();
  expect(killed).toBe(5);
  simulator.advance(2000);
  for (let run = 0; run < 2; run++) {
    expect((await runToEnd(config)).code).toBe(0);
  }
  expect(await allDifferences(simulator, streams, destination, tableOf)).toEqual([]);
});
