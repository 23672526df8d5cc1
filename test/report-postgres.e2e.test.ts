import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StatusReport } from '../connector/commands/status-report.ts';
import type { Summary } from '../connector/summary.ts';
import { streamNamed } from '../schemas/registry.ts';
import { run } from './cli-process.ts';
import { startPostgres, type TestServer } from './postgres-server.ts';
import { configFor } from './postgres-target.ts';
import { reportWorld } from './report-world.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

test('report tells streams, runs and rejects of Postgres, also while a run is at work', async () => {
  const database = await server.createDatabase();
  const destination = configFor(server, database, 'a schema');
  const world = await reportWorld({ hours: 2, more: { destination, streams: ['borrower_payment_plans'] } });
  try {
    await world.sync();
    world.simulator.insert('D08', 3, { public_id: null });
    await world.sync();
    const admin = await server.connect(database);
    await admin.query(`insert into "a schema"._cleargrid_runs values ('r', 'sync', '0', now(), null, 'running', null)`);
    await admin.end();
    const { code, stderr, path } = await world.report();
    expect([code, stderr]).toEqual([0, '']);
    const html = readFileSync(path, 'utf8');
    expect(html).toContain('<th scope="row">public_id is null</th><td>3</td>');
    expect(html).toContain('has not ended');
    expect(html).toContain('The last 3 runs');
    expect(await server.sessionsLeft(database)).toBe(0);
  } finally {
    await world.end();
  }
});

test('the tasks of a job are one run in status and on the page, with the rows of all', async () => {
  const destination = configFor(server, await server.createDatabase(), 'cleargrid');
  const streams = ['borrower_payment_plans', 'borrowers', 'borrower_payments'];
  const world = await reportWorld({ hours: 1, more: { destination, streams } });
  try {
    const tasks = ['0/2', '1/2'].map((task) => run(['sync', '--config', world.config, '--task', task]));
    const summaries = (await Promise.all(tasks)).map(({ stdout }) => JSON.parse(stdout) as Summary);
    const { stdout } = await run(['status', '--config', world.config, '--json']);
    const status = JSON.parse(stdout) as StatusReport;
    const [start, end] = [
      summaries.map((one) => one.started_at).sort()[0],
      summaries.map((one) => one.ended_at).sort()[1],
    ];
    expect(status.last_run).toMatchObject({ tasks: 2, status: 'succeeded', started_at: start, ended_at: end });
    for (const { stream, last_run: last } of status.streams) {
      const truth = world.simulator.truth(streamNamed(stream)!.dataset.code);
      expect([stream, last!.rows_written]).toEqual([stream, [...truth].length]);
    }
    const { path } = await world.report();
    const html = readFileSync(path, 'utf8');
    expect(html).toContain('<h2 id="runs-title">The run</h2>');
    expect(html).toContain('<h1>All 3 streams are well</h1>');
  } finally {
    await world.end();
  }
});
