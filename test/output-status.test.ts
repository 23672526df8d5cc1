import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { readStored, statusReport } from '../connector/commands/status-report.ts';
import { parseConfig } from '../connector/config/load.ts';
import { statusText } from '../connector/output/status.ts';
import type { Destination, RunRecord } from '../destinations/contract.ts';
import { LockedFailure } from '../destinations/failure.ts';
import type { Position } from '../destinations/position.ts';

const NOW = new Date('2026-06-01T13:00:00Z');
const config = parseConfig({ lender: 'acme', email: 'e', password: 'p' }, {}, 'c.json');

const POSITION: Position = {
  version: 1,
  lender: 'uuid',
  table: 'identity',
  cursor_field: 'updated_at',
  key: ['public_id'],
  rows: true,
  from: null,
  complete: '2026-06-01T12:00:00.000000Z',
  seen: '2026-06-01T11:58:07.120000Z',
  until: null,
  windows: [],
  refresh: null,
};

const WINDOW = { since: null, until: '2026-05-01T00:00:00.000000Z', cursor: 'c', last: null };

/** A destination that has stored these positions and runs. */
function storing(positions: Readonly<Record<string, unknown>>, runs: readonly Partial<RunRecord>[]): Destination {
  const stored = Object.entries(positions).map(([stream, position]) => ({
    stream,
    document: typeof position === 'string' ? position : JSON.stringify(position),
    runId: 'r',
    updatedAt: '2026-06-01T12:00:00.000000Z',
  }));
  const records = runs.map((run) => ({
    runId: 'r1',
    command: 'sync',
    version: '0.1.0',
    startedAt: '2026-06-01T12:00:00.000000Z',
    endedAt: '2026-06-01T12:00:40.000000Z',
    status: 'succeeded' as const,
    summary: null,
    ...run,
  }));
  return {
    positions: () => Promise.resolve(stored),
    runs: { recent: () => Promise.resolve(records) },
  } as unknown as Destination;
}

const streamRun = (stream: string, more: object = {}) => ({
  stream,
  status: 'succeeded',
  rows_read: 5,
  rows_written: 12_345_678,
  rows_deleted: 0,
  rejects: 0,
  error: null,
  ...more,
});

/** What a terminal of so many columns shows. */
async function shown(destination: Destination, columns?: number): Promise<string> {
  const report = await statusReport(config, destination, 'DuckDB ./cleargrid.duckdb, schema main', NOW);
  return statusText(report, NOW, Object.assign(new PassThrough(), { columns }) as unknown as NodeJS.WriteStream);
}

const stripped = (text: string) => text.replace(/\u001b\[\d+m/g, '');

describe('status', () => {
  test('without any run says how to begin, and lists every stream', async () => {
    const text = await shown(storing({}, []));
    expect(text).toContain('no run yet');
    expect(text).toMatch(/borrower_payment_plan_installments +- +- +- +.*not yet/);
  });

  test('tells position, lag, rows of the last run, windows left and the last error', async () => {
    const error = { kind: 'transient_error', message: 'the API answers 503', request_id: 'req_1' };
    const text = stripped(
      await shown(
        storing(
          {
            borrowers: POSITION,
            borrower_deals: { ...POSITION, complete: null, until: '2026-06-01T12:00:00.000000Z', windows: [WINDOW] },
            deal_views: '{"version": 1',
            conversations: { ...POSITION, refresh: { started: POSITION.complete, pass: 2, since: null, until: null } },
          },
          [
            { summary: { streams: [streamRun('borrowers'), streamRun('borrower_deals')] } },
            {
              runId: 'r0',
              startedAt: '2026-05-31T12:00:00.000000Z',
              endedAt: '2026-05-31T12:01:00.000000Z',
              summary: { streams: [streamRun('borrower_deals', { status: 'failed', error })] },
            },
          ],
        ),
      ),
    );
    expect(text).toContain('Last run: sync at 2026-06-01 12:00:00 UTC, succeeded after 40 s, 59 min ago');
    expect(text).toMatch(/borrowers +2026-06-01 12:00 +1 h +12,345,678 +ok/);
    expect(text).toMatch(/borrower_deals +- +- +12,345,678 +1 left/);
    expect(text).toMatch(/deal_views .*refused/);
    expect(text.replace(/\s+/g, ' ')).toContain('deal_views: its position is damaged (not JSON)');
    expect(text).toMatch(/conversations .*refresh/);
    // What a later run has overcome is told apart from what is to be looked at.
    expect(text.replace(/\s+/g, ' ')).toContain(
      'Past errors, overcome since borrower_deals: last error, 2026-05-31 12:01:00: the API answers 503 (request req_1)',
    );
  });

  test('tells the tasks of a job as one run', async () => {
    const task = (index: number, rows: number) => ({
      runId: `r${index}`,
      startedAt: `2026-06-01T12:00:0${index}.000000Z`,
      endedAt: `2026-06-01T12:00:4${index}.000000Z`,
      summary: { task: `${index}/3`, streams: [streamRun('borrowers', { rows_written: rows })] },
    });
    const destination = storing({ borrowers: POSITION }, [task(2, 300), task(1, 20), task(0, 1)]);
    const text = stripped(await shown(destination));
    expect(text).toContain('Last run: sync of 3 tasks at 2026-06-01 12:00:00 UTC, succeeded after 42 s');
    expect(text).toMatch(/borrowers +2026-06-01 12:00 +1 h +321 +ok/);
    const report = await statusReport(config, destination, 'd', NOW);
    expect(report.streams.find(({ stream }) => stream === 'borrowers')!.last_run).toMatchObject({
      ...{ run_id: 'r0', tasks: 3, started_at: '2026-06-01T12:00:00.000000Z', ended_at: '2026-06-01T12:00:42.000000Z' },
      ...{ rows_read: 15, rows_written: 321 },
    });
  });

  test('looks back over as many jobs as runs, and leaves out one that is not all there', async () => {
    const records = Array.from({ length: 1_000 }, (_, at): RunRecord => {
      const [job, index] = [Math.floor(at / 8), at % 8];
      const began = Date.parse('2026-06-01T12:00:00Z') - job * 3_600_000 - index * 1_000;
      return {
        ...{ runId: `r${at}`, command: 'sync', version: '0', startedAt: new Date(began).toISOString() },
        ...{ endedAt: new Date(began + 60_000).toISOString(), status: 'succeeded' },
        summary: { task: `${index}/8`, streams: [streamRun('borrowers', { rows_written: 1 })], warnings: [] },
      };
    });
    const recent = (limit: number) => Promise.resolve(records.slice(0, limit));
    const { runs } = await readStored({ ...storing({}, []), runs: { recent } } as unknown as Destination);
    expect(runs).toHaveLength(99);
    expect(new Set(runs.map((job) => job.runs.length))).toEqual(new Set([8]));
  });

  test('says where later changes are only seen by the next full refresh', async () => {
    const text = (await shown(storing({}, []))).replace(/\s+/g, ' ');
    expect(text).toContain('seen by the next sync --full-refresh');
    expect(text).toContain('created_at, 15 min: borrower_account_events');
    expect(text).toContain('communicated_at, 30 d: communication_logs');
  });

  test('says that a run is at work, or was killed', async () => {
    expect(await shown(storing({}, [{ status: 'running', endedAt: null }]))).toContain('has not ended');
  });

  test('says so when another run has the destination to itself', async () => {
    const locked = { positions: () => Promise.reject(new LockedFailure('the file is open in process 7')) } as unknown;
    const text = (await shown(locked as Destination)).replace(/\s+/g, ' ');
    expect(text).toContain('cannot be asked now: the file is open in process 7');
  });

  test('fits 80 columns, whatever there is to tell', async () => {
    const long = { kind: 'system_error', message: 'word '.repeat(60), request_id: 'req_0123456789' };
    const streams = ['borrower_payment_plan_installments', 'borrower_deal_activity_logs', 'borrower_sub_accounts'];
    const text = await shown(
      storing(
        Object.fromEntries(
          streams.map((stream) => [
            stream,
            { ...POSITION, complete: '2025-01-01T00:00:00.000000Z', windows: Array(12).fill(WINDOW) },
          ]),
        ),
        [{ summary: { streams: streams.map((stream) => streamRun(stream, { error: long, status: 'stopped' })) } }],
      ),
    );
    const widest = Math.max(
      ...stripped(text)
        .split('\n')
        .map((line) => line.length),
    );
    expect(widest).toBeLessThanOrEqual(80);
  });

  test('tells a position that somebody has damaged beside its stream, however it is damaged', async () => {
    const noInstant = { ...POSITION, complete: '2026-13-45T25:00:00.000000Z' };
    const documents = ['3', 'null', '"x"', '[]', '{"version": 7}', JSON.stringify(noInstant)];
    for (const document of documents) {
      const text = (await shown(storing({ borrowers: document, deal_views: POSITION }, []))).replace(/\s+/g, ' ');
      expect(text).toMatch(/borrowers: its position (is damaged|was written by a newer version)/);
      expect(text).toMatch(/deal_views 2026-06-01 12:00 1 h - ok/);
    }
  });

  test('tells what streams share once, with the names of all and a command for all', async () => {
    const failed = (stream: string, request_id: string) =>
      streamRun(stream, {
        status: 'failed',
        error: { kind: 'transient_error', message: `${stream}: the API answers 503`, request_id },
      });
    const text = await shown(
      storing({ borrowers: '{}', deal_views: '{}' }, [
        { summary: { streams: [failed('conversations', 'req_1'), failed('borrower_deals', 'req_2')] } },
      ]),
    );
    const flat = text.replace(/\s+/g, ' ');
    expect(flat).not.toContain('Past errors');
    expect(flat.match(/the API answers 503/g)).toHaveLength(1);
    expect(flat).toContain(
      'borrower_deals, conversations: last error, 2026-06-01 12:00:40: the API answers 503 (request',
    );
    expect(flat.match(/its position is damaged/g)).toHaveLength(1);
    expect(flat).toContain('--streams borrowers,deal_views --full-refresh');
  });

  test('tells an error of a verify that came after the last run as one to look at', async () => {
    const error = { kind: 'transient_error', message: 'the API answers 503', request_id: null };
    const runs = [
      {
        ...{ runId: 'r2', command: 'verify', startedAt: '2026-06-01T12:10:00.000000Z' },
        ...{ endedAt: '2026-06-01T12:11:00.000000Z' },
        summary: { streams: [streamRun('borrowers', { status: 'failed', rows_written: 0, error })] },
      },
      { summary: { streams: [streamRun('borrowers')] } },
    ];
    const text = stripped(await shown(storing({ borrowers: POSITION }, runs), 80));
    expect(text).toContain('To look at\nborrowers: last error, 2026-06-01 12:11:00: the API answers 503');
    expect(text).not.toContain('Past errors');
  });

  test.each([79, 60, 40])('does with less on a terminal of %i columns', async (columns) => {
    const error = { kind: 'system_error', message: 'word '.repeat(60), request_id: null };
    const name = 'borrower_payment_plan_installments';
    const run = { summary: { streams: [streamRun(name, { error })] } };
    const text = stripped(await shown(storing({ [name]: POSITION }, [run]), columns));
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(text).toMatch(/^borrower_payment_.* ok$/m);
    expect(text).toMatch(/^borrower_deals .* not yet$/m);
  });

  test('tells what verify said last, which stands beside the last run that wrote', async () => {
    const found = { verdict: 'differs', api: 41, table: 40 };
    const error = { kind: 'config_error', message: 'borrowers: the table differs from the API', request_id: null };
    const verified = { status: 'failed', rows_written: 0, verify: found, error };
    const runs = [
      { runId: 'r2', command: 'verify', summary: { streams: [streamRun('borrowers', verified)] } },
      { summary: { streams: [streamRun('borrowers')] } },
    ];
    const text = await shown(storing({ borrowers: POSITION }, runs), 80);
    expect(text).toMatch(/borrowers .* 12,345,678 +.*differs/);
    const told = text.replace(/\s+/g, ' ');
    expect(told).toContain(
      'borrowers: verify found it to differ from the API, 2026-06-01 12:00:40. To read just what differs',
    );
    expect(told).toContain('verify --config FILE --streams borrowers --repair');
    expect(told).not.toContain('last error');

    const mended = {
      runId: 'r3',
      command: 'verify',
      summary: { streams: [streamRun('borrowers', { verify: { ...found, verdict: 'equal' } })] },
    };
    expect(await shown(storing({ borrowers: POSITION }, [mended, ...runs]), 80)).not.toContain('differ');
  });

  test('is one JSON document for programs, with the same facts', async () => {
    const report = await statusReport(
      config,
      storing({ borrowers: POSITION }, [{ summary: { streams: [streamRun('borrowers')] } }]),
      'd',
      NOW,
    );
    expect(report.streams[0]).toMatchObject({
      stream: 'borrowers',
      complete: POSITION.complete,
      lag_seconds: 3600,
      windows_left: 0,
      last_run: { run_id: 'r1', rows_written: 12_345_678 },
      last_verify: null,
      last_error: null,
      changes_seen_within_seconds: null,
    });
  });
});
