import { afterAll, describe, expect, test } from 'vitest';
import type { Summary } from '../connector/summary.ts';
import { streamNamed } from '../schemas/registry.ts';
import { startSimulator } from '../simulator/simulator.ts';
import { startFront } from './bigquery-front.ts';
import { startEmulator } from './bigquery-server.ts';
import { bigqueryTarget } from './bigquery-target.ts';
import { createFolder, type Running, start } from './cli-process.ts';
import { differences } from './truth.ts';

/** The tasks of one job, each a process, into one dataset of an emulator. */

const streams = ['borrower_sub_accounts', 'borrower_payments'].map((name) => streamNamed(name)!);
const TASKS = 4;

const emulator = await startEmulator();
afterAll(() => emulator?.stop());

describe.skipIf(emulator === null)('tasks into BigQuery (needs an emulator)', () => {
  test('load 50,000 rows together while rows change, one of them killed and started again', async () => {
    const front = await startFront(emulator!.endpoint);
    const target = bigqueryTarget(emulator!.project, front.endpoint, emulator!.endpoint);
    const simulator = await startSimulator({ rows: { D03: 50_000, D07: 3_000 } });
    const folder = createFolder();
    const { lender, email, password, url } = simulator;
    const config = folder.config('config.json', {
      ...{ lender, email, password, base_url: url, concurrency: 16, destination: target.config },
      streams: streams.map(({ name }) => name),
    });
    const task = (index: number): Running => start(['sync', '--config', config, '--task', `${index}/${TASKS}`]);
    const job = async (running: readonly Running[]) => {
      const ended = await Promise.all(running.map((one) => one.ended));
      for (const { code, stderr } of ended) expect(code, stderr.slice(-2000)).toBe(0);
      return ended.map(({ stdout }) => JSON.parse(stdout) as Summary);
    };

    try {
      const stopChurn = simulator.startChurn({ codes: ['D03', 'D07'], everyPages: 10, changes: 3 });
      const running = Array.from({ length: TASKS }, (_, index) => task(index));
      await new Promise<void>((resolve) => {
        let left = 20;
        const stop = simulator.onPageRequest(() => {
          if (--left > 0) return;
          stop();
          resolve();
        });
      });
      running[1]!.process.kill('SIGKILL');
      await running[1]!.ended;
      running[1] = task(1);
      const first = await job(running);
      stopChurn();
      const loaded = first.map((summary) => summary.streams.find(({ stream }) => stream === streams[0]!.name)!);
      expect(loaded.filter(({ rows_read }) => rows_read > 2_000).length).toBeGreaterThanOrEqual(2);

      simulator.change('D03', 20);
      simulator.advance(2000);
      await job(Array.from({ length: TASKS }, (_, index) => task(index)));
      const reader = target.destination();
      for (const stream of streams)
        expect(await differences(simulator, reader, stream, target.spell(stream.name))).toEqual([]);
      await reader.close();
    } finally {
      await target.remove();
      await simulator.stop();
      await front.close();
      folder.remove();
    }
  });
});
