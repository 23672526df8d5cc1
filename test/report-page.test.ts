import domino from 'domino';
import { describe, expect, test } from 'vitest';
import { jobsOf } from '../connector/commands/jobs.ts';
import { type StatusReport, type Stored, statusOf } from '../connector/commands/status-report.ts';
import { parseConfig } from '../connector/config/load.ts';
import { attentionOf } from '../connector/report-page/attention.ts';
import { type PageFacts, pageFacts } from '../connector/report-page/facts.ts';
import { pageHtml } from '../connector/report-page/page.ts';
import type { RejectCount, RunRecord } from '../destinations/contract.ts';

const NOW = new Date('2026-06-01T13:00:00Z');
const config = parseConfig({ lender: 'acme', email: 'e', password: 'p', streams: ['borrowers'] }, {}, 'c.json');

/** A run of that hour; `more` is what its only stream did. */
function runAt(hour: number, more: object = {}, record: Partial<RunRecord> & { warnings?: string[] } = {}): RunRecord {
  const { warnings = [], ...rest } = record;
  const at = `2026-06-01T${String(hour).padStart(2, '0')}:00:00.000000Z`;
  const stream = {
    ...{ stream: 'borrowers', status: 'succeeded', rows_read: 50, rows_written: 40, rows_unchanged: 10 },
    ...{ rows_deleted: 0, changed_fields: 0, rejects: 0, requests: 1, retries: 0, bytes: 1, seconds: 2, complete: at },
    ...{ error: null, ...more },
  };
  return {
    ...{ runId: `run-${hour}`, command: 'sync', version: '0', startedAt: at, endedAt: at.replace(':00.', ':04.') },
    ...{ status: 'succeeded', summary: { streams: [stream], warnings } },
    ...rest,
  } as RunRecord;
}

function position(complete: string): string {
  return JSON.stringify({
    ...{ version: 1, lender: 'u', table: 't', cursor_field: 'updated_at', key: ['public_id'], rows: true, from: null },
    ...{ complete, seen: complete, until: null, windows: [], refresh: null },
  });
}

interface Told {
  readonly runs: readonly RunRecord[];
  readonly complete?: string;
  readonly rejects?: readonly RejectCount[];
}

function factsOf({ runs, complete = '2026-06-01T12:00:00.000000Z', rejects = [] }: Told): PageFacts {
  const documents = [{ stream: 'borrowers', document: position(complete), runId: 'r', updatedAt: complete }];
  const stored: Stored = { documents, runs: jobsOf(runs), busy: null };
  const status: StatusReport = statusOf(stored, config, 'DuckDB x', NOW);
  return pageFacts(status, stored, rejects);
}

const levelsAndTitles = (told: Told) => attentionOf(factsOf(told), NOW).map(({ level, title }) => `${level}: ${title}`);

describe('what needs attention', () => {
  const hourly = [runAt(12), runAt(11), runAt(10)];

  test('is nothing where runs come as they should', () => {
    expect(levelsAndTitles({ runs: hourly })).toEqual([]);
    expect(pageHtml(factsOf({ runs: hourly }), NOW)).toContain('<h1>The stream is well</h1>');
  });

  test('a failed stream comes first, with its message, what to do and the command for it', () => {
    const error = { kind: 'transient_error', message: 'borrowers: the API answers 503', request_id: 'req_1' };
    const failed = runAt(12, { status: 'failed', error, changed_fields: 2 }, { status: 'failed' });
    const [first, ...others] = attentionOf(factsOf({ runs: [failed, ...hourly] }), NOW);
    expect(first).toMatchObject({
      level: 'act',
      text: 'the API answers 503 (request req_1)',
      streams: ['borrowers'],
      command: 'cleargrid-connector sync --config FILE --streams borrowers',
    });
    expect(others.map(({ level }) => level)).toEqual(['know']);
  });

  test('an error of an earlier run that is over does not', () => {
    const error = { kind: 'transient_error', message: 'the API answers 503', request_id: null };
    expect(levelsAndTitles({ runs: [runAt(12), runAt(11, { status: 'failed', error }), runAt(10)] })).toEqual([]);
  });

  test('runs that have stopped coming are told once, and not again for each stream', () => {
    const runs = [runAt(6), runAt(5), runAt(4)];
    expect(levelsAndTitles({ runs, complete: '2026-06-01T06:00:00.000000Z' })).toEqual([
      'act: No run has begun for 7 h',
    ]);
  });

  test('a daily schedule is not late after hours', () => {
    const before = runAt(12, {}, { startedAt: '2026-05-31T02:00:00.000000Z' });
    const runs = [runAt(2), before, runAt(3, {}, { startedAt: '2026-05-30T02:00:00.000000Z' })];
    expect(levelsAndTitles({ runs, complete: '2026-06-01T02:00:00.000000Z' })).toEqual([]);
  });

  test('a stream that the runs leave behind is told', () => {
    expect(levelsAndTitles({ runs: hourly, complete: '2026-06-01T02:00:00.000000Z' })).toEqual([
      'look: 1 stream lags behind the others',
    ]);
  });

  test('rejects count when the latest run brought them, and not for ever', () => {
    const group = { stream: 'borrowers', reason: 'public_id is null', records: 3, seenAt: NOW.toISOString() };
    expect(levelsAndTitles({ runs: hourly, rejects: [{ ...group, fresh: 0 }] })).toEqual([]);
    const [item] = attentionOf(factsOf({ runs: hourly, rejects: [{ ...group, fresh: 2 }] }), NOW);
    expect(item).toMatchObject({
      title: '2 new rejects in the latest run',
      text: 'public_id is null (2).',
      command: "select * from _cleargrid_rejects where run_id = 'run-12'",
    });
  });

  test('what the latest run warned of stands there: deletions that wait, quotas', () => {
    const warnings = ['borrowers: 900 of 1000 rows are no longer returned by the API; ... --allow-mass-delete'];
    expect(
      attentionOf(factsOf({ runs: [runAt(12, {}, { warnings }), runAt(11, {}, { warnings: ['old'] })] }), NOW),
    ).toMatchObject([{ level: 'look', text: warnings[0] }]);
  });

  test('the tasks of a daily job are one run: no schedule of seconds, and no warning of its leader is lost', () => {
    const day = (date: string, ...warnings: string[]) =>
      [0, 1, 2, 3].map((index) => {
        const startedAt = `2026-05-${date}T12:00:0${index * 3}.000000Z`;
        const { summary } = runAt(12);
        return runAt(
          12,
          {},
          {
            runId: `${date}-${index}`,
            startedAt,
            endedAt: startedAt,
            ...{
              summary: {
                ...(summary as object),
                task: `${index}/4`,
                warnings: index === 0 ? warnings : [],
              },
            },
          },
        );
      });
    const runs = [...day('31', '900 of 1000 rows are no longer returned'), ...day('30', 'old'), ...day('29')];
    const group = { stream: 'borrowers', reason: 'public_id is null', records: 3, fresh: 2, seenAt: NOW.toISOString() };
    const facts = factsOf({ runs, complete: '2026-06-01T10:00:00.000000Z', rejects: [group] });
    expect([facts.runs.length, facts.interval, facts.runs[0]!.rowsWritten]).toEqual([3, 86_400, 160]);
    const items = attentionOf(facts, NOW);
    expect(items.map(({ title, text }) => `${title}: ${text}`)).toEqual([
      '2 new rejects in the latest run: public_id is null (2).',
      'The latest run warned: 900 of 1000 rows are no longer returned',
    ]);
    expect(items[0]!.command).toContain("where run_id in ('31-0', '31-1', '31-2', '31-3')");
    expect(pageHtml(facts, NOW)).toContain(
      'aria-label="Rows written, the last 3 runs: least 160, most 160, latest 160"',
    );
  });

  test('a table that verify found to differ is to be repaired; one that is equal again is not', () => {
    const error = { kind: 'config_error', message: 'borrowers: the table differs from the API', request_id: null };
    const verified = (verdict: string, hour: number) => {
      const failure = verdict === 'differs' ? { status: 'failed', error } : {};
      return runAt(hour, { ...failure, verify: { verdict, api: 41, table: 40 } }, { command: 'verify' });
    };
    const differs = factsOf({ runs: [verified('differs', 12), ...hourly] });
    expect(attentionOf(differs, NOW)).toMatchObject([
      {
        level: 'act',
        text: 'borrowers has 40 rows for 41 records of the API.',
        command: 'cleargrid-connector verify --config FILE --streams borrowers --repair',
      },
    ]);
    expect(pageHtml(differs, NOW)).toContain('differs, 2026-06-01 12:00:04 UTC: 40 rows here, 41 records at the API');
    expect(pageHtml(differs, NOW)).toContain('<h1>1 thing needs attention</h1>');
    expect(levelsAndTitles({ runs: [verified('equal', 12), verified('differs', 11), ...hourly] })).toEqual([]);
    expect(pageHtml(factsOf({ runs: hourly }), NOW)).toContain('never');
  });
});

describe('the page', () => {
  test('keeps whatever stands in a message or a name as text', () => {
    const evil = '<script>alert(1)</script>"\'&<img src=x onerror=alert(1)>';
    const error = { kind: 'system_error', message: evil, request_id: evil };
    const stream = runAt(12, { stream: evil, status: 'failed', error });
    const rejects = [{ stream: evil, reason: evil, records: 1, fresh: 1, seenAt: evil }];
    const html = pageHtml(factsOf({ runs: [{ ...stream, runId: evil }], rejects }), NOW);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    const read = domino.createDocument(html);
    expect(read.querySelectorAll('svg').length).toBeGreaterThan(5);
    expect(read.querySelectorAll('script, img, [onerror]')).toHaveLength(0);
  });

  test('takes records of older versions, of other commands and of runs at work', () => {
    const old = runAt(10, { seconds: undefined, bytes: undefined });
    const push = runAt(11, {}, { command: 'push', summary: { accepted: 3 } });
    const odd = runAt(9, {}, { summary: 'what?' });
    const running = runAt(12, {}, { status: 'running', endedAt: null, summary: null });
    const facts = factsOf({ runs: [running, push, old, odd] });
    expect(facts.runs.map(({ run_id: id, seconds }) => [id, seconds])).toEqual([
      ['run-12', null],
      ['run-10', 4],
      ['run-9', 4],
    ]);
    expect(facts.streams[0]!.runs).toMatchObject([{ run_id: 'run-10', seconds: null, rowsWritten: 40, bytes: 0 }]);
    expect(pageHtml(facts, NOW)).toContain('has not ended');
  });

  test('names each step of an axis once, from 0, and gives the names room', () => {
    const axes = (rows: number, seconds: number) => {
      const read = domino.createDocument(
        pageHtml(
          factsOf({ runs: [runAt(12, { rows_written: rows, seconds }), runAt(11, { rows_written: 0, seconds: 0 })] }),
          NOW,
        ),
      );
      const charts = [...read.querySelectorAll('details .charts svg')].slice(-3, -1);
      return charts.map((chart) =>
        [...chart.querySelectorAll('[aria-label="y-axis tick label"] text')].map(({ textContent }) => textContent),
      );
    };
    expect(axes(0, 0)).toEqual([
      ['0', '1'],
      ['0.0 s', '0.5 s', '1.0 s'],
    ]);
    expect(axes(1, 0.2)).toEqual([
      ['0', '1'],
      ['0.0 s', '0.1 s', '0.2 s'],
    ]);
    expect(axes(2, 100)).toEqual([
      ['0', '1', '2'],
      ['0.0 s', '50 s', '1 min 40 s'],
    ]);
    expect(axes(9, 7_000)).toEqual([
      ['0', '2', '4', '6', '8'],
      ['0.0 s', '33 min', '1 h 6 min', '1 h 40 min'],
    ]);
    expect(axes(410_000, 3)).toEqual([
      ['0', '200,000', '400,000'],
      ['0.0 s', '1.0 s', '2.0 s', '3.0 s'],
    ]);
  });

  test('says of one stream that it is complete, and of several that they are', () => {
    const stuck = { ...runAt(12), status: 'running' as const };
    const facts = factsOf({ runs: [stuck] });
    const unread = { ...facts.streams[0]!, status: { ...facts.streams[0]!.status, windows_left: 0, complete: null } };
    const title = (streams: PageFacts['streams']) =>
      /<h1>(.*)<\/h1>/.exec(
        pageHtml({ ...facts, runs: facts.runs.map((run) => ({ ...run, status: 'succeeded' })), streams }, NOW),
      )![1];
    expect(title([unread])).toBe('0 of 1 stream is complete');
    expect(title([unread, unread])).toBe('0 of 2 streams are complete');
    expect(title([unread, facts.streams[0]!])).toBe('1 of 2 streams is complete');
  });

  test('says in words what each chart shows', () => {
    const html = pageHtml(factsOf({ runs: [runAt(12, { rows_written: 7 }), runAt(11), runAt(10)] }), NOW);
    expect(html).toContain('aria-label="Rows written, the last 3 runs: least 7, most 40, latest 7"');
    expect(html).toContain('aria-label="Rows read a second, borrowers: least 25, most 25, latest 25"');
    const charts = html.match(/<svg[^>]*>/g)!;
    expect(charts.filter((svg) => svg.includes('role="img"') && svg.includes('aria-label='))).toHaveLength(
      charts.length,
    );
  });
});
