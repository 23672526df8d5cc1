import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
