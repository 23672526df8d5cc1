import { describe, expect, test } from 'vitest';
import { type Job, jobsOf, summaryOf, warningsOf } from '../connector/commands/jobs.ts';
import type { RunRecord } from '../destinations/contract.ts';

interface Ran {
  readonly task?: string | null;
  readonly from: string;
  /** None: it is at work, or was killed. */
  readonly to?: string;
  readonly status?: RunRecord['status'];
  readonly streams?: readonly object[];
  readonly warnings?: readonly string[];
  readonly command?: string;
}

const instant = (time: string) => `2026-06-01T${time}.000000Z`;
let ids = 0;

/** The record that a run leaves; times are of one day. */
function ran({ task = null, from, to, status = 'succeeded', streams = [], warnings = [], command = 'sync' }: Ran) {
  const summary = { ...(task !== null && { task }), streams, warnings };
  return {
    ...{ runId: `run-${ids++}`, command, version: '0', startedAt: instant(from) },
    ...(to === undefined
      ? { endedAt: null, status: 'running' as const, summary: null }
      : { endedAt: instant(to), status, summary }),
  };
}

const stream = (rows: number, more: object = {}) => ({
  ...{ stream: 'borrowers', status: 'succeeded', rows_read: rows, rows_written: rows, rows_unchanged: 1 },
  ...{
    rows_deleted: 0,
    changed_fields: 1,
    unparsed_dates: 1,
    rejects: 1,
    requests: 2,
    retries: 0,
    bytes: 10,
    seconds: rows / 10,
  },
  ...{ complete: instant('12:00:00'), error: null, ...more },
});
const failed = (message: string, kind = 'transient_error') =>
  stream(0, { status: 'failed', complete: null, error: { kind, message, request_id: 'req_1' } });

/** Of each job: of how many tasks, its status, its first start and its last end. */
const shape = (jobs: readonly Job[]) =>
  jobs.map(({ tasks, status, startedAt, endedAt }) => [
    ...[tasks, status, startedAt.slice(11, 19), endedAt?.slice(11, 19) ?? null],
  ]);

const four = (from: string, to: string, more: Partial<Ran> = {}): RunRecord[] =>
  [0, 1, 2, 3].map((index) => ran({ task: `${index}/4`, from: `${from}:0${index}`, to: `${to}:1${index}`, ...more }));

describe('the tasks of a job', () => {
  test('are one run: counts add up, it lasts from the first start to the last end', () => {
    const records = four('12:00', '12:01', { streams: [stream(100)] });
    const [job, ...others] = jobsOf(records.toReversed());
    expect(others).toEqual([]);
    expect(shape([job!])).toEqual([[4, 'succeeded', '12:00:00', '12:01:13']]);
    expect(job!.runs).toEqual(records);
    expect(summaryOf(job!)).toEqual([
      {
        ...stream(100),
        ...{ rows_read: 400, rows_written: 400, rows_unchanged: 4, changed_fields: 4, unparsed_dates: 4, rejects: 4 },
        ...{ requests: 8, bytes: 40, seconds: 10 },
      },
    ]);
  });

  test('are those whose times overlap, or that begin within ten minutes of the first', () => {
    const late = ran({ task: '3/4', from: '12:09:59', to: '12:11:00' });
    const [a, b, c] = four('12:00', '12:01');
    expect(jobsOf([a!, b!, c!, late])).toHaveLength(1);
    const long = ran({ task: '0/4', from: '12:00:00', to: '13:00:00' });
    const beside = ran({ task: '3/4', from: '12:59:00', to: '13:10:00' });
    expect(shape(jobsOf([long, beside]))).toEqual([[4, 'succeeded', '12:00:00', '13:10:00']]);
    expect(jobsOf([long, { ...beside, startedAt: instant('13:00:01') }])).toHaveLength(2);
  });

  test('of another number, another command, and runs alone are none of it', () => {
    const records = [
      ...four('12:00', '12:01'),
      ran({ task: '0/3', from: '12:00:30', to: '12:02:00' }),
      ran({ task: '0/4', from: '12:00:30', to: '12:02:00', command: 'verify' }),
      ran({ from: '12:00:31', to: '12:00:50' }),
    ];
    expect(shape(jobsOf(records)).map(([tasks]) => tasks)).toEqual([null, 3, 4, 4]);
  });

  test('begin the next job once they have succeeded, however soon that is', () => {
    const jobs = jobsOf([...four('12:00', '12:01'), ...four('12:03', '12:04'), ...four('12:06', '12:07')]);
    expect(shape(jobs).map(([tasks, , from]) => [tasks, from])).toEqual([
      [4, '12:06:00'],
      [4, '12:03:00'],
      [4, '12:00:00'],
    ]);
  });

  test('have the worst status among them, in the job and in each stream', () => {
    const [a, b, c, d] = four('12:00', '12:01', { streams: [stream(1)] });
    const bad = ran({ task: '2/4', from: '12:00:02', to: '12:00:40', status: 'failed', streams: [failed('503')] });
    const [job] = jobsOf([a!, b!, bad, d!]);
    expect([job!.status, summaryOf(job!)[0]!.status]).toEqual(['failed', 'failed']);
    expect(summaryOf(job!)[0]!.error).toEqual({ kind: 'transient_error', message: '503', request_id: 'req_1' });
    expect(jobsOf([a!, b!, { ...c!, status: 'stopped' }, d!])[0]!.status).toBe('stopped');
  });

  test('keep the errors and warnings of all, each once', () => {
    const shared = { warnings: ['the catalog cannot be read'] };
    const records = [
      ran({ task: '0/3', from: '12:00:00', to: '12:01:00', streams: [failed('503')], warnings: ['900 rows wait'] }),
      ran({ task: '1/3', from: '12:00:01', to: '12:01:00', streams: [failed('no key', 'config_error')], ...shared }),
      ran({ task: '2/3', from: '12:00:02', to: '12:01:00', streams: [failed('503')], ...shared }),
    ];
    const [job] = jobsOf(records);
    expect(warningsOf(job!)).toEqual(['900 rows wait', 'the catalog cannot be read']);
    expect(summaryOf(job!)[0]!.error).toMatchObject({
      kind: 'config_error',
      message: 'task 0/3, 2/3: 503; task 1/3: no key',
    });
  });

  test('that are begun again have the status of their last try, and the rows of all', () => {
    const [a, b, c] = four('12:00', '12:01', { streams: [stream(10)] });
    const first = ran({ task: '3/4', from: '12:00:03', to: '12:00:20', status: 'failed', streams: [failed('503')] });
    const again = ran({ task: '3/4', from: '12:00:30', to: '12:02:00', streams: [stream(5)] });
    const [job] = jobsOf([a!, b!, c!, first, again]);
    expect(shape([job!])).toEqual([[4, 'succeeded', '12:00:00', '12:02:00']]);
    expect(summaryOf(job!)[0]).toMatchObject({ status: 'succeeded', rows_written: 35, error: { message: '503' } });
  });
});

describe('a task that has left no end', () => {
  const killed = ran({ from: '12:00:00' });
  const [, b, c, d] = four('12:00', '12:01', { streams: [stream(10)] });

  test('is at work in its job, or was killed, also where it began first', () => {
    const [job, ...others] = jobsOf([d!, c!, b!, killed]);
    expect(others).toEqual([]);
    expect(shape([job!])).toEqual([[4, 'running', '12:00:00', null]]);
    expect(summaryOf(job!)[0]).toMatchObject({ rows_written: 30 });
  });

  test('was killed where all tasks have ended, and the job is what they say', () => {
    const again = ran({ task: '0/4', from: '12:00:40', to: '12:01:30', streams: [stream(10)] });
    expect(shape(jobsOf([killed, b!, c!, d!, again]))).toEqual([[4, 'succeeded', '12:00:00', '12:01:30']]);
  });

  test('does not hide that another failed', () => {
    const bad = { ...d!, status: 'failed' as const };
    expect(shape(jobsOf([killed, b!, c!, bad]))).toEqual([[4, 'failed', '12:00:00', '12:01:13']]);
  });

  test('is of the job that begins now, not of one that is over', () => {
    const now = [1, 2, 3].map((second) => ran({ from: `12:03:0${second}` }));
    expect(shape(jobsOf([...four('12:00', '12:01'), ...now]))).toEqual([
      [null, 'running', '12:03:01', null],
      [4, 'succeeded', '12:00:00', '12:01:13'],
    ]);
  });
});

test('runs without tasks are told one by one, whatever they have left', () => {
  const records = [
    ran({ from: '12:00:00' }),
    ran({ from: '12:00:30' }),
    ran({ from: '12:01:00', to: '12:02:00' }),
    { ...ran({ from: '12:02:00', to: '12:03:00' }), summary: 'what?' },
    { ...ran({ from: '12:03:00', to: '12:04:00' }), summary: { task: 7, streams: 'none', warnings: null } },
  ];
  const jobs = jobsOf(records);
  expect(jobs.map(({ tasks, runs, ...record }) => record)).toEqual(records.toReversed());
  expect(jobs.flatMap(summaryOf)).toEqual([]);
  expect(jobs.flatMap(warningsOf)).toEqual([]);
});
