import { expect, test } from 'vitest';
import { silentReporter } from '../connector/report.ts';
import { PageFailure, type Source } from '../connector/source.ts';
import { syncStreams } from '../connector/sync/streams.ts';
import { memoryDestination } from '../destinations/memory/destination.ts';
import { memoryWarehouse } from '../destinations/memory/warehouse.ts';
import { streamNamed } from '../schemas/registry.ts';
import { instantAt } from './simulation/model-api.ts';
import { chance, virtualTime } from './simulation/virtual-time.ts';

/** An API from which no page helps. */

const stream = streamNamed('borrower_sub_accounts')!;

async function syncFrom(answer: (asked: number) => string) {
  const warehouse = memoryWarehouse();
  const destination = memoryDestination(warehouse);
  const time = virtualTime(chance(1));
  const process = time.process();
  const now = () => instantAt(time.now());
  const asked: number[] = [];
  const source: Source = {
    ...{ lender: 'lender', now, hasServerClock: true },
    fetchPage: async (_, __, signal) => {
      asked.push(time.now());
      await process.sleep(5, signal);
      return { bytes: Buffer.from(answer(asked.length)), askedAt: now(), release: () => {} };
    },
  };
  const run = { id: 'run', command: 'sync', startedAt: now(), fullRefresh: new Set<string>(), warn: () => {} };
  const tables = await destination.open([stream], run);
  let ended = false;
  const work = syncStreams({
    ...{ streams: [{ stream, lookBackMs: 0 }], tables, destination, source, timing: process, reporter: silentReporter },
    ...{ signal: new AbortController().signal, concurrency: 16, streamsAtOnce: 1, startDate: null },
    ...{ fullRefresh: false, allowMassDelete: false },
  }).finally(() => {
    ended = true;
  });
  while (!ended) await time.step();
  const document = warehouse.positions.get(stream.name)?.document ?? null;
  const windows = document === null ? [] : (JSON.parse(document).windows as unknown[]);
  return { summary: (await work)[0]!, asked, windows, seconds: time.now() / 1000 };
}

/** Fault 4: every page is a 504, at once. */
function timeout(retryAfterMs: number | null) {
  return () => {
    throw new PageFailure('timed_out', 'Gateway timeout', { status: 504, retryAfterMs });
  };
}

const page = (nextCursor: string) => JSON.stringify({ code: 200, body: { rows: [], pagination: { nextCursor } } });

test('a lasting 504 fails its stream within two minutes, by few requests and with a small position', async () => {
  const { summary, asked, windows, seconds } = await syncFrom(timeout(null));
  expect(summary).toMatchObject({ status: 'failed', error: { kind: 'transient_error' } });
  expect(seconds).toBeLessThan(120);
  expect(asked.length).toBeLessThan(1000);
  expect(windows.length).toBeLessThanOrEqual(64);
});

test('it is not asked again before it wants to be', async () => {
  const { summary, asked } = await syncFrom(timeout(7_000));
  expect(summary.status).toBe('failed');
  expect(asked[1]! - asked[0]!).toBeGreaterThanOrEqual(7_000);
  expect(asked.length).toBeLessThan(1000);
});

test.each([
  ['empty pages without an end', (asked: number) => page(`cursor ${asked}`), /page after page without a record/],
  ['page cursors that run in a circle', (asked: number) => page(`cursor ${asked % 2}`), /run in a circle/],
])('%s end the stream, with the advice to report it', async (_, answer, told) => {
  const { summary, asked, windows } = await syncFrom(answer);
  expect(summary.error?.message).toMatch(told);
  expect(summary.error?.message).toContain('report it to ClearGrid');
  expect(asked.length).toBeLessThan(1100);
  expect(windows.length).toBeLessThan(3);
});
