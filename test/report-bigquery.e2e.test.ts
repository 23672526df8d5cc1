import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { startFront } from './bigquery-front.ts';
import { startEmulator } from './bigquery-server.ts';
import { reportWorld } from './report-world.ts';

const emulator = await startEmulator();
afterAll(() => emulator?.stop());

test.skipIf(emulator === null)('report tells streams, runs and rejects of BigQuery (needs an emulator)', async () => {
  const front = await startFront(emulator!.endpoint);
  const destination = {
    type: 'bigquery',
    project_id: emulator!.project,
    dataset: 'report',
    api_endpoint: front.endpoint,
  };
  const world = await reportWorld({ hours: 2, more: { destination, streams: ['borrower_payment_plans'] } });
  try {
    await world.sync();
    world.simulator.insert('D08', 3, { public_id: null });
    await world.sync();
    const { code, stderr, path } = await world.report();
    expect([code, stderr]).toEqual([0, '']);
    const html = readFileSync(path, 'utf8');
    expect(html).toContain('<h1>1 thing to look at</h1>');
    expect(html).toContain('<th scope="row">public_id is null</th><td>3</td><td>3</td>');
  } finally {
    await world.end();
    await front.close();
  }
});
