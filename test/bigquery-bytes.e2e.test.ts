import { afterAll, describe, expect, test } from 'vitest';
import { decodeJson } from '../schemas/decode.ts';
import { startSimulator } from '../simulator/simulator.ts';
import { startFront } from './bigquery-front.ts';
import { startEmulator } from './bigquery-server.ts';
import { bigqueryTarget } from './bigquery-target.ts';
import { createFolder, run } from './cli-process.ts';

/** What bounds the bytes that a MERGE scans, as far as an emulator shows it, which bills nothing. */

const emulator = await startEmulator();
afterAll(() => emulator?.stop());

describe.skipIf(emulator === null)('bytes scanned per MERGE (needs an emulator)', () => {
  const CHANGED = 3;
  /** The last 15 minutes before the last record hold fewer than this. */
  const LOOKED_BACK_OVER = 5;

  test("are those of its rows' days, told by a dry run and limited by maximum_bytes_billed", async () => {
    const simulator = await startSimulator({ rows: { D03: 500 } });
    const front = await startFront(emulator!.endpoint);
    const target = bigqueryTarget(emulator!.project, front.endpoint, emulator!.endpoint);
    const folder = createFolder();
    try {
      const { lender, email, password, url } = simulator;
      const config = folder.config('config.json', {
        ...{ lender, email, password, base_url: url, streams: ['borrower_sub_accounts'] },
        destination: { ...target.config, maximum_bytes_billed: 123_456_789 },
      });
      expect((await run(['sync', '--config', config])).code).toBe(0);
      const keys = simulator.change('D03', CHANGED);
      const records = [...simulator.truth('D03')].map(({ bytes }) => decodeJson(bytes) as Record<string, string>);
      const changed = records.filter(({ public_id }) => keys.includes(public_id!));
      simulator.advance(2_000);

      const told = (await run(['sync', '--config', config, '--dry-run'])).log.map(({ message }) => String(message));
      expect(told).toContainEqual(expect.stringMatching(/would read \d+ bytes of its table/));

      front.jobs.length = 0;
      const { code, stdout } = await run(['sync', '--config', config]);
      expect({ code, written: JSON.parse(stdout).streams[0].rows_written }).toEqual({ code: 0, written: CHANGED });
      const queries = front.jobs.flatMap(({ configuration }) => configuration.query ?? []);
      for (const { maximumBytesBilled } of queries) expect(maximumBytesBilled).toBe('123456789');
      const [merge, ...others] = queries.filter(({ query }) => /^merge .*borrower_sub_accounts/m.test(query));
      expect(others).toEqual([]);
      const days = merge!.query.matchAll(/_old\.`created_at` >= timestamp '(\S+) 00:00:00\+00'/g);
      const found = new Set([...days].map(([, day]) => day));
      for (const { created_at } of changed) expect([...found]).toContain(created_at!.slice(0, 10));
      expect(found.size).toBeLessThan(CHANGED + LOOKED_BACK_OVER);
    } finally {
      await target.remove();
      await front.close();
      await simulator.stop();
      folder.remove();
    }
  });
});
