import { afterAll, describe, expect, test } from 'vitest';
import { connectApi } from '../connector/api/connect.ts';
import { parseConfig } from '../connector/config/load.ts';
import { silentReporter } from '../connector/report.ts';
import type { StreamSummary } from '../connector/summary.ts';
import { runSync } from '../connector/sync/run.ts';
import { streamNamed } from '../schemas/registry.ts';
import { startSimulator } from '../simulator/simulator.ts';
import { startFront } from './bigquery-front.ts';
import { startEmulator } from './bigquery-server.ts';
import { bigqueryTarget } from './bigquery-target.ts';
import { differences } from './truth.ts';

/** The job as a whole, from the simulated API into an emulator: what it costs is told. */

/** As many as make windows worth cutting. */
const ROWS = 30_000;

const emulator = await startEmulator();
afterAll(() => emulator?.stop());

describe.skipIf(emulator === null)('sync into BigQuery (needs an emulator)', () => {
  test('writes what the API has, and tells what each stream cost, in the summary and the run record', async () => {
    const front = await startFront(emulator!.endpoint);
    const target = bigqueryTarget(emulator!.project, front.endpoint, emulator!.endpoint);
    const simulator = await startSimulator({ rows: { D03: ROWS } });
    const { lender, email, password, url } = simulator;
    const signal = new AbortController().signal;
    const streams = ['borrower_sub_accounts'];
    const config = parseConfig({ lender, email, password, base_url: url, streams }, {}, 'test');

    async function sync(dryRun: boolean) {
      const api = await connectApi({
        lender,
        email,
        password,
        signal,
        environment: 'production',
        baseUrl: url,
        concurrency: 8,
      });
      const destination = target.destination();
      const notices: string[] = [];
      const reporter = { ...silentReporter, notice: (message: string) => void notices.push(message) };
      const choice = { streams: null, dryRun, fullRefresh: false, allowMassDelete: false };
      try {
        return { notices, summary: await runSync({ config, api, destination, signal, reporter, ...choice }) };
      } finally {
        await api.close();
        await destination.close();
      }
    }

    try {
      const [first] = (await sync(false)).summary.streams;
      expect(first).toMatchObject({ status: 'succeeded', rows_written: ROWS });
      expect(first!.requests).toBeGreaterThan(ROWS / 1000);
      expect(first!.costs).toMatchObject({ load_jobs: 1, bytes_billed: 0 });
      expect(first!.costs!.jobs).toBeGreaterThan(2);
      expect(first!.costs!.bytes_loaded).toBeGreaterThan(ROWS * 50);
      expect(first!.costs!.table_modifications).toBeGreaterThan(0);

      const reader = target.destination();
      const [recorded] = await reader.runs.recent(1);
      expect((recorded!.summary as { streams: StreamSummary[] }).streams[0]!.costs).toEqual(first!.costs);
      expect(await differences(simulator, reader, streamNamed(streams[0]!)!, target.spell(streams[0]!))).toEqual([]);
      await reader.close();

      // As a schedule of every other minute would, which makes more of the next run's few changes than there may be in a day.
      await target.run(
        `insert into ${target.spell('_cleargrid_runs')} (\`run_id\`, \`command\`, \`version\`, \`started_at\`, \`status\`)
         select cast(n as string), 'sync', '0', timestamp_sub(current_timestamp(), interval n minute), 'succeeded' from unnest(generate_array(1, 1300)) as n`,
      );
      simulator.change('D03', 10);
      const { summary: second } = await sync(false);
      expect(second.warnings).toContainEqual(
        expect.stringMatching(
          /^borrower_sub_accounts: at 130\d runs a day .* is changed \d+ times a day\. Beyond 1500 /,
        ),
      );
      const planned = await sync(true);
      expect(planned.summary.streams[0]!.costs).toBeUndefined();
      expect(planned.notices).toContainEqual(
        expect.stringMatching(/^borrower_sub_accounts: .* would read \d+ bytes of its table/),
      );
    } finally {
      await target.remove();
      await simulator.stop();
      await front.close();
    }
  });
});
