import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { programName } from '../connector/commands/program.ts';
import type { StatusReport } from '../connector/commands/status-report.ts';
import type { Summary } from '../connector/summary.ts';
import { duckdbConfig } from '../destinations/config.ts';
import { duckdbDestination } from '../destinations/duckdb/destination.ts';
import { STREAMS, streamNamed } from '../schemas/registry.ts';
import type { SimulatorOptions } from '../simulator/options.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { createFolder, type Ended, EXECUTABLE, run, start } from './cli-process.ts';
import { differences } from './truth.ts';

const FILE = 'cleargrid.duckdb';

let folder: ReturnType<typeof createFolder>;
let simulator: Simulator;

beforeEach(() => {
  folder = createFolder();
});
afterEach(async () => {
  await simulator?.stop();
  folder.remove();
});

/** Starts the API and gives a config file for it. */
async function serve(options: SimulatorOptions, more: Record<string, unknown> = {}): Promise<string> {
  simulator = await startSimulator(options);
  const { lender, email, password, url } = simulator;
  return folder.config('config.json', { lender, email, password, base_url: url, ...more });
}

const inFolder = (...args: string[]) => run(args, { cwd: folder.path });

/** The run's summary, which must be the only line on stdout. */
function summaryOf({ stdout }: Ended): Summary {
  expect(stdout.endsWith('\n') && stdout.trimEnd().split('\n').length).toBe(1);
  return JSON.parse(stdout) as Summary;
}

const total = (summary: Summary, key: 'rows_read' | 'rows_written' | 'rows_unchanged') =>
  summary.streams.reduce((sum, stream) => sum + stream[key], 0);

describe('sync', () => {
  test('loads every stream into ./cleargrid.duckdb, and the next one writes only what has changed', async () => {
    const config = await serve({ rows: 50 });
    const first = await inFolder('sync', '--config', config);
    expect(first.code).toBe(0);
    expect(summaryOf(first)).toMatchObject({ command: 'sync', status: 'succeeded' });
    expect(
      summaryOf(first)
        .streams.map((stream) => stream.stream)
        .sort(),
    ).toEqual(STREAMS.map(({ name }) => name).sort());
    expect(total(summaryOf(first), 'rows_written')).toBe(50 * STREAMS.length);
    expect(existsSync(join(folder.path, 'cleargrid.duckdb'))).toBe(true);

    simulator.change('D03', 3);
    simulator.advance(2_000);
    const second = await inFolder('sync', '--config', config);
    expect(second.code).toBe(0);
    expect(total(summaryOf(second), 'rows_written')).toBe(3);
  });

  test('logs nothing but JSON lines, and nowhere the password', async () => {
    const config = await serve({ rows: 5, password: 'hunter2-hunter2', faults: ['500', '429-seconds'] });
    const ended = await inFolder('sync', '--config', config, '--debug');
    expect(ended.code).toBe(0);
    expect(ended.log).toHaveLength(ended.stderr.trimEnd().split('\n').length);
    for (const line of ended.log)
      expect(line).toMatchObject({ time: expect.any(String), level: expect.any(String), message: expect.any(String) });
    expect(ended.stdout + ended.stderr).not.toContain('hunter2');
  });

  test('reads only the streams of --streams', async () => {
    const config = await serve({ rows: 5 });
    const { code, ...ended } = await inFolder('sync', '--streams', 'borrowers,deal_views', '--config', config);
    expect(code).toBe(0);
    expect(summaryOf({ code, ...ended }).streams.map((stream) => stream.stream)).toEqual(['borrowers', 'deal_views']);
  });

  test('with --dry-run asks the API and makes nothing', async () => {
    const config = await serve({ rows: 5 });
    const ended = await inFolder('sync', '--config', config, '--dry-run');
    expect(ended.code).toBe(0);
    expect(summaryOf(ended).streams).toHaveLength(STREAMS.length);
    expect(readdirSync(folder.path)).toEqual(['config.json']);
  });

  test('with --dry-run asks for the newest part of a span that is too long for the API, and says so', async () => {
    const config = await serve({ rows: { D03: 4_000 }, faults: ['504-wide'] });
    const ended = await inFolder('sync', '--config', config, '--dry-run', '--streams', 'borrower_sub_accounts');
    expect(ended.code).toBe(0);
    expect(total(summaryOf(ended), 'rows_read')).toBeGreaterThan(0);
    expect(ended.log.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(
        /the API has no answer for so long a span in time, so in parts; asked from \d.* records on/,
      ),
    );
  });

  test('with --dry-run changes nothing of a file that is there, nor beside it', async () => {
    const config = await serve({ rows: 5 });
    await inFolder('sync', '--config', config);
    const stored = () => readdirSync(folder.path).map((name) => [name, readFileSync(join(folder.path, name), 'hex')]);
    const before = stored();
    simulator.change('D03', 3);
    simulator.advance(60_000);
    for (const flags of [[], ['--full-refresh']]) {
      expect((await inFolder('sync', '--config', config, '--dry-run', ...flags)).code).toBe(0);
      expect(stored()).toEqual(before);
    }
  });

  test('ends with 1 when a stream fails, and the others are loaded', async () => {
    const config = await serve({ rows: 5, catalog: { D03: { cursorField: 'created_at' } } });
    const ended = await inFolder('sync', '--config', config);
    expect(ended.code).toBe(1);
    const summary = summaryOf(ended);
    expect(summary.status).toBe('failed');
    expect(summary.streams.filter((stream) => stream.status === 'failed').map((stream) => stream.stream)).toEqual([
      'borrower_sub_accounts',
    ]);
    expect(total(summary, 'rows_written')).toBe(5 * (STREAMS.length - 1));
  });

  test('skips a dataset that the lender has not got, with a warning, also where the catalog cannot say so', async () => {
    const config = await serve({
      ...{ rows: 5, catalog: { D07: { available: false } } },
      unknowns: { catalogPath: '/elsewhere' },
    });
    for (const flags of [['--dry-run'], []]) {
      const ended = await inFolder('sync', '--config', config, ...flags);
      const { streams, warnings, status } = summaryOf(ended);
      expect([ended.code, status]).toEqual([0, 'succeeded']);
      const others = streams.filter((stream) => stream.status === 'succeeded');
      expect(others).toHaveLength(STREAMS.length - 1);
      expect(streams.find((stream) => stream.status === 'skipped')).toMatchObject({ stream: 'borrower_payments' });
      expect(warnings).toEqual([
        expect.stringContaining('the catalog cannot be read'),
        'borrower_payments: not available to this lender now; skipped',
      ]);
    }
  });

  test('skips a reserved dataset that --streams names, while it is not open', async () => {
    const config = await serve({ rows: 5 });
    const ended = await inFolder('sync', '--config', config, '--streams', 'd04,borrowers');
    expect([ended.code, summaryOf(ended).streams.map(({ stream, status }) => [stream, status])]).toEqual([
      0,
      [
        ['borrowers', 'succeeded'],
        ['d04', 'skipped'],
      ],
    ]);
  });

  test('with --debug tells where a stream failed, and without it only why', async () => {
    const config = await serve({ rows: 5 });
    simulator.onPageRequest(() => simulator.list('D03', { available: false }));
    for (const flags of [[], ['--debug']]) {
      simulator.list('D03', { available: true });
      const { code, log } = await inFolder('sync', '--config', config, '--streams', 'borrower_sub_accounts', ...flags);
      expect(code).toBe(1);
      const stacks = log.filter(({ stack }) => String(stack).includes('fetchPage'));
      expect(stacks).toHaveLength(flags.length);
    }
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('fault 2: ends on %s with %i, and the next run completes what is missing', async (signal, exitCode) => {
    const config = await serve({ rows: 3_000, latencyMs: 60 }, { concurrency: 1 });
    const running = start(['sync', '--config', config], { cwd: folder.path });
    while (simulator.requests().total < 8) await new Promise((resolve) => setTimeout(resolve, 50));
    const asked = performance.now();
    running.process.kill(signal);
    const stopped = await running.ended;
    expect(stopped.code).toBe(exitCode);
    // The bound that orchestrators are promised, after which they would kill.
    expect(performance.now() - asked).toBeLessThan(10_000);
    expect(summaryOf(stopped).status).toBe('stopped');

    const planned = await inFolder('sync', '--config', config, '--dry-run');
    expect(planned.stderr).toMatch(/: would finish \d+ windows? of an earlier run, and read /);
    const streams = ['borrowers', 'borrower_sub_accounts'];
    await inFolder('sync', '--config', config, '--streams', streams.join());
    const destination = duckdbDestination(duckdbConfig.parse({ type: 'duckdb', path: join(folder.path, FILE) }));
    for (const name of streams) {
      expect(await differences(simulator, destination, streamNamed(name)!, `"${name}"`)).toEqual([]);
    }
    await destination.close();
    const { stdout } = await inFolder('status', '--config', config, '--json');
    const report = JSON.parse(stdout) as StatusReport;
    expect(report.streams.find((stream) => stream.stream === 'borrowers')).toMatchObject({
      windows_left: 0,
      complete: expect.any(String),
    });
  });

  test('ends with 3 while another run is at work, and status still answers', async () => {
    // Slow enough to be at work still when the other has waited for the file.
    const config = await serve({ rows: 3_000, latencyMs: 500 }, { concurrency: 1 });
    const running = start(['sync', '--config', config], { cwd: folder.path });
    try {
      while (simulator.requests().total < 6) await new Promise((resolve) => setTimeout(resolve, 50));
      const [second, status] = await Promise.all([
        inFolder('sync', '--config', config),
        inFolder('status', '--config', config),
      ]);
      expect(second.code).toBe(3);
      expect(summaryOf(second)).toMatchObject({ status: 'failed', streams: [] });
      expect(status.code).toBe(0);
    } finally {
      running.process.kill();
      await running.ended;
    }
  });
});

describe('check of a configured destination', () => {
  test('proves that it can be written, and leaves nothing behind', async () => {
    const config = await serve({ rows: 1 }, { destination: { type: 'duckdb', path: './proof.duckdb' } });
    const { code, stdout } = await inFolder('check', '--config', config);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('SUCCEEDED') });
    expect(readdirSync(folder.path)).toEqual(['config.json']);
  });

  test('says FAILED where it cannot be written', async () => {
    const config = await serve({ rows: 1 }, { destination: { type: 'duckdb', path: './nowhere/proof.duckdb' } });
    const { code, stdout } = await inFolder('check', '--config', config);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).connectionStatus).toMatchObject({
      status: 'FAILED',
      message: expect.stringContaining('nowhere'),
    });
  });
});

describe('status', () => {
  test('of a place where nothing has run yet says so, and makes no file', async () => {
    const config = await serve({ rows: 1 });
    const { code, stdout } = await inFolder('status', '--config', config);
    expect(code).toBe(0);
    expect(stdout).toContain('no run yet');
    expect(readdirSync(folder.path)).toEqual(['config.json']);
  });

  test('tells position, rows and last run after a run, in 80 columns and as JSON', async () => {
    const config = await serve({ rows: 20 });
    await inFolder('sync', '--config', config);
    const { code, stdout } = await inFolder('status', '--config', config);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^borrowers +\d{4}-\d\d-\d\d \d\d:\d\d +[\d.]+ (s|min) +20 +ok$/m);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);

    const report = JSON.parse((await inFolder('status', '--config', config, '--json')).stdout) as StatusReport;
    expect(report.last_run).toMatchObject({ command: 'sync', status: 'succeeded' });
    expect(report.streams).toHaveLength(STREAMS.length);
    for (const stream of report.streams)
      expect(stream).toMatchObject({ windows_left: 0, last_run: { rows_written: 20 } });
  });
});

describe('demo', () => {
  test('ends by itself with the changed rows on the screen, and leaves the folder as it was', async () => {
    const { code, stdout, stderr } = await inFolder('demo');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/before +after/);
    expect(stdout).toContain('7 rows written');
    expect(readdirSync(folder.path)).toEqual([]);
    const file = /rows are in (\S+)\. /.exec(stdout)![1]!;
    expect(existsSync(file)).toBe(true);
    rmSync(dirname(file), { recursive: true });
  });

  test('writes where --path says, and never over a file that is there', async () => {
    expect((await inFolder('demo', '--path', 'new.duckdb')).code).toBe(0);
    expect(existsSync(join(folder.path, 'new.duckdb'))).toBe(true);
    const again = await inFolder('demo', '--path', 'new.duckdb');
    expect(again.code).toBe(2);
    expect(again.log[0]!.message).toContain('exists already');
  });

  test('gives advice that works where it is given: each command that it shows can be typed there', async () => {
    const { stdout } = await inFolder('demo', '--path', 'with space.duckdb');
    const [shown] = /^ {3}\S*node .* --help(?= )/m.exec(stdout)!;
    expect(execFileSync('sh', ['-c', shown], { cwd: folder.path, encoding: 'utf8' })).toContain('Usage:');
    expect(stdout).toContain(`duckdb '${join(folder.path, 'with space.duckdb')}' "from`);
    expect(programName(EXECUTABLE, dirname(dirname(EXECUTABLE)))).toBe('npx cleargrid-connector');
    expect(programName('/usr/local/bin/cleargrid-connector', folder.path)).toBe('cleargrid-connector');

    const nowhere = await inFolder('demo', '--path', 'no/where.duckdb');
    expect(nowhere.code).toBe(2);
    expect(nowhere.log[0]!.message).toContain('--path: the folder');
  });
});
