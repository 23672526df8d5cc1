import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createLog } from '../connector/output/log.ts';
import { frame } from '../connector/output/progress.ts';
import { redactor, secretRedactor } from '../connector/output/redact.ts';
import { logReporter } from '../connector/output/reporters.ts';
import { summaryText } from '../connector/output/table.ts';
import { span } from '../connector/output/words.ts';
import { NO_PROGRESS } from '../connector/report.ts';
import type { StreamSummary, Summary } from '../connector/summary.ts';
import { configError } from '../destinations/failure.ts';

const screen = process.stdout;

function recordingLog(options: { debug?: boolean; terminal?: boolean } = {}) {
  const lines: string[] = [];
  const log = createLog({
    write: (text) => lines.push(text.trimEnd()),
    terminal: options.terminal ?? false,
    debug: options.debug ?? false,
    now: () => new Date('2026-06-01T12:00:00Z'),
  });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}

function streamSummary(changes: Partial<StreamSummary>): StreamSummary {
  return {
    stream: 'borrowers',
    status: 'succeeded',
    rows_read: 10,
    rows_written: 10,
    rows_unchanged: 0,
    rows_deleted: 0,
    changed_fields: 0,
    unparsed_dates: 0,
    rejects: 0,
    requests: 1,
    retries: 0,
    bytes: 1000,
    seconds: 1,
    complete: '2026-06-01T12:00:00.000000Z',
    error: null,
    ...changes,
  };
}

describe('redaction', () => {
  test('takes a secret out wherever it stands, the longest first', () => {
    const redact = redactor(['secret', 'secret-and-more']);
    expect(redact('a secret-and-more b secret c')).toBe('a **** b **** c');
  });

  test('takes it out as it looks inside of JSON and of a URL', () => {
    const redact = redactor(['p"w/\n']);
    expect(redact(JSON.stringify({ password: 'p"w/\n' }))).toBe('{"password":"****"}');
    expect(redact(`postgres://u:${encodeURIComponent('p"w/\n')}@h`)).toBe('postgres://u:****@h');
  });

  test('takes nothing out when there is no secret, or an empty one', () => {
    expect(redactor([''])('text')).toBe('text');
  });

  test.each([
    ['1', 'the answer holds "1"', 'the answer holds "****"'],
    ['1', 'postgres://etl:1@db/x?password=1&b', 'postgres://etl:****@db/x?password=****&b'],
    ['1', 'borrowers: 1,200 rows read, 11 windows left', 'borrowers: 1,200 rows read, 11 windows left'],
    ['.*', 'a password=.* and all of this', 'a password=**** and all of this'],
    [
      '2026',
      'in use since 2026-06-01T12:00:00.000000Z; year 2026',
      'in use since 2026-06-01T12:00:00.000000Z; year ****',
    ],
    ['4b8e', 'run 0b9f3c1e-7a51-4b8e-9a3b-6c2f7d1e8a90', 'run 0b9f3c1e-7a51-4b8e-9a3b-6c2f7d1e8a90'],
    ['0b9f3c1e-7a51-4b8e-9a3b-6c2f7d1e8a90', 'for 0b9f3c1e-7a51-4b8e-9a3b-6c2f7d1e8a90', 'for ****'],
    ['2026-06-01', 'in use since 2026-06-01T12:00:00.000000Z', 'in use since ****T12:00:00.000000Z'],
  ])('of %j in %j leaves what else it would tear apart', (secret, text, shown) => {
    expect(secretRedactor([secret])(text)).toBe(shown);
  });

  test('leaves the summary its own words, whatever the password', () => {
    for (const password of ['a', 'sync', 'succeeded', 'borrowers', '2026', summary.run_id]) {
      const { log } = recordingLog();
      log.hide([password]);
      const { warnings, ...own } = summary;
      expect(log.redact({ ...own, warnings: [...warnings, `"${password}"`] })).toMatchObject({
        ...{ run_id: summary.run_id, command: 'sync', status: 'failed', started_at: summary.started_at },
        ...{ streams: summary.streams.map(({ stream, status }) => ({ stream, status })), warnings: ['"****"'] },
      });
    }
  });

  test('covers messages, fields at any depth, stack traces and causes', () => {
    const { log, lines } = recordingLog({ debug: true });
    log.hide(['hunter2']);
    log.warn('with hunter2', { deep: [{ er: 'hunter2' }] });
    log.failure(configError('refused for hunter2', new Error('because of hunter2')));
    expect(lines.join('\n')).not.toContain('hunter2');
    expect(log.redact({ error: 'hunter2' })).toEqual({ error: '****' });
  });
});

describe('the log', () => {
  test('is JSON lines with time, level, message and fields', () => {
    const { log, parsed } = recordingLog();
    log.info('done', { stream: 'borrowers', rows: 3 });
    expect(parsed()).toEqual([
      { time: '2026-06-01T12:00:00.000Z', level: 'info', message: 'done', stream: 'borrowers', rows: 3 },
    ]);
  });

  test('shows details and stack traces only when they are asked for', () => {
    const quiet = recordingLog();
    quiet.log.debug('detail');
    quiet.log.failure(new Error('broken'));
    expect(quiet.parsed()).toEqual([
      { time: '2026-06-01T12:00:00.000Z', level: 'error', message: 'broken', kind: 'system_error' },
    ]);
    const loud = recordingLog({ debug: true });
    loud.log.failure(new Error('broken', { cause: new Error('the reason') }));
    expect(loud.parsed()[0].stack).toMatch(/broken(.|\n)*caused by: Error: the reason/);
  });

  test('is plain lines on a terminal', () => {
    const { log, lines } = recordingLog({ terminal: true });
    log.warn('careful', { stream: 'x' });
    expect(lines).toEqual([expect.stringContaining('warning: careful')]);
  });
});

describe('a run told to programs', () => {
  test('tells progress at most every 15 s a stream', () => {
    const { log, parsed } = recordingLog();
    let now = 0;
    const reporter = logReporter(log, () => now);
    const progress = { ...NO_PROGRESS, rowsRead: 1, windows: 2, waiting: 'retry in 4 s: 503' };
    reporter.streamStarted('borrowers');
    for (now = 0; now < 31_000; now += 100) reporter.progress('borrowers', progress);
    expect(parsed().map((line) => line.message)).toEqual([
      'borrowers: started',
      'borrowers: 1 row read, 2 windows left, retry in 4 s: 503',
      'borrowers: 1 row read, 2 windows left, retry in 4 s: 503',
    ]);
  });

  test('tells a warning that streams share once', () => {
    const { log, parsed } = recordingLog();
    const reporter = logReporter(log);
    for (const stream of ['borrowers', 'conversations'])
      reporter.warning(`${stream}: its table is gone; it is loaded from the start`, stream);
    reporter.warning('the catalog cannot be read');
    expect(parsed().map((line) => line.message)).toEqual([
      'borrowers: its table is gone; it is loaded from the start',
      'conversations: the same as borrowers',
      'the catalog cannot be read',
    ]);
  });

  test('tells a cause that streams share once', () => {
    const { log, parsed } = recordingLog();
    const reporter = logReporter(log);
    for (const stream of ['borrowers', 'conversations', 'deal_views']) {
      const error = {
        kind: 'transient_error' as const,
        message: `${stream}: the API is out of reach`,
        request_id: null,
      };
      reporter.streamEnded(streamSummary({ stream, status: 'failed', error }), null);
    }
    expect(parsed().map((line) => line.message)).toEqual([
      'borrowers: the API is out of reach',
      'conversations: failed as borrowers did',
      'deal_views: failed as borrowers did',
    ]);
  });
});

describe('progress on a terminal', () => {
  const progress = { ...NO_PROGRESS, rowsRead: 1_234_567, windows: 14, waiting: 'retry in 4 s: 503 and more words' };
  const active = (streams: number) =>
    new Map(Array.from({ length: streams }, (_, at) => [`stream_${at}_`.padEnd(34, 'x'), { since: 0, progress }]));

  test('has a line a stream, with rows, rows a second, windows and what it waits for', () => {
    expect(frame(active(1), 1000, 80, 24)).toMatch(/1,234,567 rows 14 windows {2}retry in 4 s: 503/);
    const busy = new Map([['borrowers', { since: 0, progress: { ...progress, waiting: null } }]]);
    expect(frame(busy, 2000, 80, 24)).toMatch(/1,234,567 rows 14 windows {2}617,284 rows\/s/);
  });

  test('never leaves the width or the height of the terminal', () => {
    const lines = frame(active(30), 1000, 80, 10).split('\n');
    expect(lines).toHaveLength(8);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
    expect(lines.at(-1)).toBe('... and 23 streams more');
  });
});

const summary: Summary = {
  run_id: 'b5b1',
  command: 'sync',
  version: '0.1.0',
  started_at: '2026-06-01T12:00:00.000000Z',
  ended_at: '2026-06-01T12:01:30.000000Z',
  status: 'failed',
  streams: [
    streamSummary({ stream: 'borrower_payment_plan_installments', rows_read: 1_234_567, rejects: 2 }),
    ...['borrowers', 'conversations'].map((stream) =>
      streamSummary({
        stream,
        status: 'failed',
        error: { kind: 'transient_error', message: 'the API is out of reach', request_id: null },
      }),
    ),
  ],
  warnings: [],
};

describe('the summary table', () => {
  test('has a line a stream, each failure once and how the run ended', () => {
    const text = summaryText(summary, screen);
    expect(text).toMatch(/borrower_payment_plan_installments +1,234,567 +10 +0 +.*ok/);
    expect(text).toContain('2 records in _cleargrid_rejects');
    expect(text.match(/the API is out of reach/g)).toHaveLength(1);
    expect(text).toContain('borrowers, conversations failed (transient_error)');
    expect(text).toContain('Run failed: 30 rows written in 1 min 30 s');
  });
});

test.each([80, 60, 40])('fits a terminal of %i columns, with names and states to the last', (columns) => {
  const streams = [
    streamSummary({ stream: 'borrower_payment_plan_installments', rows_read: 1_234_567, rows_unchanged: 12_345_678 }),
    streamSummary({ stream: 'borrowers', status: 'skipped' }),
  ];
  const narrow = Object.assign(new PassThrough(), { columns }) as unknown as NodeJS.WriteStream;
  const lines = summaryText({ ...summary, streams }, narrow)
    .split('\n')
    .slice(0, 3);
  expect(
    Math.max(
      ...stripVTControlCharacters(lines.join('\n'))
        .split('\n')
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(columns);
  expect(lines[1]).toMatch(/^borrower_payment_.*ok/);
  expect(lines[2]).toMatch(/^borrowers .*skipped/);
});

test.each([
  [0.04, '0.0 s'],
  [9.96, '10.0 s'],
  [59, '59 s'],
  [61, '1 min 1 s'],
  [3 * 86_400 + 4 * 3600, '3 d 4 h'],
  [40 * 86_400 + 4 * 3600, '40 d'],
])('%d seconds read as %s', (seconds, text) => {
  expect(span(seconds)).toBe(text);
});
