import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StatusReport } from '../connector/commands/status-report.ts';
import type { Summary } from '../connector/summary.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { createFolder, run } from './cli-process.ts';

/** Positions that somebody has damaged, taken away or brought from elsewhere: every command says of them what `sync` says. */

const POSITIONS = '"_cleargrid_positions"';
const NAMES = [
  'borrowers',
  'borrower_deals',
  'conversations',
  'deal_views',
  'borrower_payments',
  'user_lender_details',
];
const [NOT_JSON, OTHER_LENDER, OTHER_KEY, GONE, GOOD] = NAMES as [string, string, string, string, string];

const folder = createFolder();
let simulator: Simulator;
let config: string;
beforeAll(async () => {
  simulator = await startSimulator({ rows: 5 });
  const { lender, email, password, url } = simulator;
  const destination = { type: 'duckdb', path: './cleargrid.duckdb' };
  const stream_overrides = [{ name: OTHER_KEY, primary_key: ['public_id', 'created_at'] }];
  const whole = { lender, email, password, base_url: url, streams: NAMES, destination };
  await inFolder('sync', '--config', folder.config('before.json', whole));
  // A run's instants come from the server's `Date`, which is cut to whole seconds: the runs of the tests shall be later ones.
  await wait(1_100);
  config = folder.config('config.json', { ...whole, stream_overrides });

  await inDatabase(
    `update ${POSITIONS} set "position" = '{"version": 1}' where "stream" = '${NOT_JSON}'`,
    `update ${POSITIONS} set "position" = replace("position"::text, '${simulator.lenderPublicId}', 'another') where "stream" = '${OTHER_LENDER}'`,
    `delete from ${POSITIONS} where "stream" = '${GONE}'`,
  );
});
afterAll(async () => {
  await simulator.stop();
  folder.remove();
});

/** As somebody else would, between two runs. */
async function inDatabase(...statements: string[]): Promise<void> {
  const instance = await DuckDBInstance.create(join(folder.path, 'cleargrid.duckdb'));
  const connection = await instance.connect();
  for (const sql of statements) await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}

const inFolder = (...args: string[]) => run(args, { cwd: folder.path });

/** What each failed stream of a summary says. */
const errorsOf = (stdout: string) =>
  new Map((JSON.parse(stdout) as Summary).streams.map(({ stream, error }) => [stream, error?.message ?? null]));

describe('a table that cannot serve its stream', () => {
  test('fails that stream, with what to do, and keeps no other from being loaded', async () => {
    await inDatabase('alter table "user_lender_details" alter column "updated_at" type varchar');
    const ended = await inFolder('sync', '--config', config, '--streams', `${GOOD},user_lender_details`);
    expect(ended.code).toBe(1);
    const errors = errorsOf(ended.stdout);
    expect(errors.get(GOOD)).toBeNull();
    expect(errors.get('user_lender_details')).toContain('column updated_at has the type VARCHAR');
    const { stdout } = await inFolder('status', '--config', config);
    expect(stdout).toMatch(/^user_lender_details .*failed$/m);
  });
});

describe('a position that sync refuses', () => {
  test('is refused in the same words by sync --dry-run', async () => {
    const dry = await inFolder('sync', '--config', config, '--dry-run');
    expect(dry.code).toBe(1);
    const errors = errorsOf(dry.stdout);
    expect(errors.get(NOT_JSON)).toContain('its position is damaged');
    expect(errors.get(OTHER_LENDER)).toContain('its table belongs to another lender (another;');
    expect(errors.get(OTHER_KEY)).toContain('its key was (public_id) and is now (public_id, created_at)');
    expect(errors.get(GOOD)).toBeNull();

    const real = errorsOf((await inFolder('sync', '--config', config, '--streams', NAMES.slice(0, 2).join())).stdout);
    for (const stream of [NOT_JSON, OTHER_LENDER]) expect(errors.get(stream)).toBe(real.get(stream));
  });

  test('is taken by sync --dry-run --full-refresh as far as a full refresh takes it', async () => {
    const { stdout } = await inFolder('sync', '--config', config, '--dry-run', '--full-refresh');
    const errors = errorsOf(stdout);
    expect([NOT_JSON, OTHER_KEY, GOOD].map((stream) => errors.get(stream))).toEqual([null, null, null]);
    expect(errors.get(OTHER_LENDER)).toContain('another lender');
  });

  test('makes check fail, and check names each', async () => {
    const { code, stdout } = await inFolder('check', '--config', config);
    expect(code).toBe(0);
    const { status, message } = JSON.parse(stdout).connectionStatus;
    expect(status).toBe('FAILED');
    for (const stream of [NOT_JSON, OTHER_LENDER, OTHER_KEY]) expect(message).toContain(`${stream}: `);
    expect(message).not.toContain(`${GOOD}: `);
  });

  test('is told by status beside its stream, with what settles it', async () => {
    const report = JSON.parse((await inFolder('status', '--config', config, '--json')).stdout) as StatusReport;
    const problems = new Map(report.streams.map(({ stream, problem }) => [stream, problem]));
    expect(problems.get(NOT_JSON)).toContain('its position is damaged');
    expect(problems.get(NOT_JSON)).toContain(`--streams ${NOT_JSON} --full-refresh`);
    expect(problems.get(OTHER_KEY)).toContain('its key was (public_id)');
    expect(problems.get(GONE)).toContain('its position is gone');
    expect(problems.get(GOOD)).toBeNull();

    const { code, stdout } = await inFolder('status', '--config', config);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${NOT_JSON} .*refused$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^${GOOD} .*ok$`, 'm'));
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});
