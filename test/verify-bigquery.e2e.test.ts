import { afterAll, describe, expect, test } from 'vitest';
import { startSimulator } from '../simulator/simulator.ts';
import { startFront } from './bigquery-front.ts';
import { startEmulator } from './bigquery-server.ts';
import { bigqueryTarget } from './bigquery-target.ts';
import { verifyWorld } from './verify-world.ts';

const emulator = await startEmulator();
afterAll(() => emulator?.stop());

describe.skipIf(emulator === null)('verify in BigQuery (needs an emulator)', () => {
  test('finds what was deleted and added, and mends it', async () => {
    const front = await startFront(emulator!.endpoint);
    const { destination, spell, run, remove } = bigqueryTarget(emulator!.project, front.endpoint, emulator!.endpoint);
    const simulator = await startSimulator({ rows: { D16: 2_500 } });
    const streams = ['borrower_deals'];
    const config = { stream_overrides: [{ name: streams[0], primary_key: ['public_id', 'created_at'] }] };
    const world = verifyWorld({ simulator, streams, destination, spell, config });
    const table = spell(streams[0]!);
    try {
      await world.sync();
      expect(await world.verdict()).toMatchObject({ verify: { verdict: 'equal', api: 2_500, table: 2_500 } });
      await run(`delete from ${table} where public_id = (select min(public_id) from ${table})`);
      await run(
        `insert into ${table} select * replace (timestamp_add(created_at, interval 1 day) as created_at) from ${table}
          where public_id = (select max(public_id) from ${table})`,
      );
      const { verify } = await world.verdict();
      const sum = (side: 'missing' | 'extra') => verify!.spans.reduce((total, span) => total + span[side], 0);
      expect([verify!.verdict, sum('missing'), sum('extra')]).toEqual(['differs', 1, 1]);
      expect(await world.verdict({ repair: true })).toMatchObject({
        status: 'succeeded',
        verify: { verdict: 'equal' },
      });
    } finally {
      await simulator.stop();
      await remove();
      await front.close();
    }
  });
});
