import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { createFolder, EXECUTABLE, run, start } from './cli-process.ts';

const COMMANDS = ['check', 'sync', 'status', 'simulate', 'demo'];

const folder = createFolder();
let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ rows: 10 });
});
afterAll(async () => {
  await simulator.stop();
  folder.remove();
});

const login = () => ({
  lender: simulator.lender,
  email: simulator.email,
  password: simulator.password,
  base_url: simulator.url,
});

/** The only line of the log, which must be one. */
function onlyLine({ log, stderr }: { log: readonly Record<string, unknown>[]; stderr: string }) {
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  return log[0]!;
}

describe('version and help', () => {
  test("--version is the package's", async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  // That they start in a blink follows; `npm run bench:start` measures it.
  test.each(['--version', 'spec'])('%s loads no package, and few modules', (command) => {
    const coverage = mkdtempSync(join(tmpdir(), 'cleargrid-loaded-'));
    try {
      spawnSync(process.execPath, [EXECUTABLE, command], { env: { ...process.env, NODE_V8_COVERAGE: coverage } });
      const loaded = readdirSync(coverage)
        .flatMap((file): { url: string }[] => JSON.parse(readFileSync(join(coverage, file), 'utf8')).result)
        .filter(({ url }) => url.startsWith('file:'));
      expect(loaded.map(({ url }) => url).filter((url) => url.includes('node_modules'))).toEqual([]);
      expect(loaded.length).toBeGreaterThan(2);
      expect(loaded.length).toBeLessThan(20);
    } finally {
      rmSync(coverage, { recursive: true });
    }
  });

  test('--help names every command and every exit code', async () => {
    const { code, stdout, stderr } = await run(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    for (const exit of [0, 1, 2, 3, 4, 75]) expect(stdout).toMatch(new RegExp(`^  ${exit} `, 'm'));
    expect(stdout).toMatch(/^ {2}130, 143 /m);
  });

  test.each(COMMANDS)('%s --help tells its flags, wherever it stands, and does nothing', async (command) => {
    const { code, stdout } = await run([command, '--debug', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`cleargrid-connector ${command}`);
    expect(stdout).toContain('--debug');
  });

  test.each([['-v'], ['version']])('%s is --version', async (asked) => {
    expect(await run([asked])).toMatchObject({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  test('help is --help, and help of a command that of the command', async () => {
    expect(await run(['help'])).toEqual(await run(['--help']));
    expect(await run(['help', 'sync'])).toEqual(await run(['sync', '--help']));
  });

  test('simulate --help lists the faults', async () => {
    const { stdout } = await run(['simulate', '--help']);
    for (const fault of ['429-seconds', 'reset-mid-body', 'all'])
      expect(stdout).toMatch(new RegExp(`^  ${fault} `, 'm'));
  });
});

describe('wrong usage ends with 2 and names what is wrong, and what is near', () => {
  test.each<[string[], string]>([
    [[], 'a command is missing'],
    [['snyc'], 'there is no command "snyc"; did you mean "sync"?'],
    [['toString'], 'there is no command "toString"'],
    [['--config', 'x', 'sync'], 'the command comes first'],
    [['sync', '--confg', 'x'], 'there is no flag --confg; did you mean "--config"?'],
    [['sync', '-x'], 'there is no flag -x'],
    [['sync'], '--config FILE is required'],
    [['sync', '--config'], '--config needs a value'],
    [['sync', '--config', '--dry-run'], '--config needs a value'],
    [['sync', '--config='], '--config needs a value'],
    [['sync', '--config', 'x', '--config', 'y'], '--config is given twice'],
    [['sync', '--config', 'x', 'more'], '"more" is not expected here'],
    [['sync', '--config', 'x', '--dry-run=yes'], '--dry-run takes no value'],
    [['simulate', '--port', '99999'], '--port must be a whole number from 0 to 65535'],
    [['simulate', '--rows', 'many'], '--rows must be a whole number'],
    [['simulate', '--rows', '-1'], '--rows must be a whole number from 0'],
    [['simulate', '--open', 'D13,D01'], '--open: D01 cannot open; reserved are D04, '],
    [
      ['simulate', '--assume', 'viapages=full,meta=x,catalog-page=0'],
      'nothing is assumed of "viapages"; did you mean "via-pages"?; meta=x is none of: filter | empty | absent; ' +
        'catalog-page=0 is none of: all, or a number',
    ],
    [['simulate', '--faults', 'sience'], 'there is no fault "sience" (did you mean "silence"?)'],
  ])('%j', async (args, message) => {
    const ended = await run(args);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(onlyLine(ended)).toMatchObject({
      level: 'error',
      kind: 'config_error',
      message: expect.stringContaining(message),
    });
  });

  test('so does a config with problems, all of them in one message', async () => {
    const config = folder.config('wrong.json', {
      ...login(),
      concurency: 3,
      start_date: '2025-02-31',
      password: '${UNSET_HERE}',
    });
    const ended = await run(['sync', '--config', config]);
    expect(ended.code).toBe(2);
    const { message } = onlyLine(ended);
    for (const path of ['concurency', 'start_date', 'password']) expect(message).toContain(`\n  ${path}: `);
    expect(JSON.parse(ended.stdout)).toMatchObject({ status: 'failed', streams: [], warnings: [message] });
  });

  test('so does an unknown stream of --streams, before anything is asked', async () => {
    const config = folder.config('dead.json', { ...login(), base_url: 'http://127.0.0.1:9' });
    const ended = await run(['sync', '--config', config, '--streams', 'borrowers,borower_deals']);
    expect(ended.code).toBe(2);
    expect(onlyLine(ended).message).toContain('"borower_deals" is no stream; did you mean "borrower_deals"?');
  });

  test('a stack trace is told only with --debug', async () => {
    expect((await run(['sync'])).stderr).not.toContain('at ');
    expect((await run(['sync', '--debug'])).log[0]!.stack).toContain('    at ');
  });
});

describe('check', () => {
  test('prints SUCCEEDED and makes no file where no destination is configured', async () => {
    const cwd = createFolder();
    try {
      const config = folder.config('good.json', login());
      const { code, stdout } = await run(['check', '--config', config], { cwd: cwd.path });
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}\n',
      });
      expect(readdirSync(cwd.path)).toEqual([]);
    } finally {
      cwd.remove();
    }
  });

  test.each([
    ['a refused login', { password: 'not-the-password' }, 'the login is refused'],
    ['an API that is out of reach', { base_url: 'http://127.0.0.1:9' }, '127.0.0.1:9'],
    ['a config with problems', { streams: ['nonsense'] }, 'streams[0]'],
  ])('prints FAILED for %s, and still ends with 0', async (_, part, message) => {
    const config = folder.config('failing.json', { ...login(), ...part });
    const { code, stdout, stderr } = await run(['check', '--config', config]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'CONNECTION_STATUS',
      connectionStatus: { status: 'FAILED', message: expect.stringContaining(message) },
    });
    expect(stdout + stderr).not.toContain('not-the-password');
  });
});

describe('a sync that cannot begin still prints its summary', () => {
  test.each([
    ['2 when the login is refused', { password: 'not-the-password' }, 2, 'config_error'],
    ['75 when the API is out of reach', { base_url: 'http://127.0.0.1:9' }, 75, 'transient_error'],
  ])('and ends with %s', async (_, part, code, kind) => {
    const config = folder.config('sync.json', { ...login(), ...part });
    const ended = await run(['sync', '--config', config], { cwd: folder.path });
    expect(ended.code).toBe(code);
    expect(ended.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      command: 'sync',
      status: 'failed',
      streams: [],
      warnings: [expect.any(String)],
    });
    expect(onlyLine(ended)).toMatchObject({ level: 'error', kind });
    expect(ended.stdout + ended.stderr).not.toContain('not-the-password');
  });
});

test('a start_date that is still to come is warned of, and status tells where the file is', async () => {
  const config = folder.config('future.json', { ...login(), streams: ['borrowers'], start_date: '2100-01-01' });
  const { stdout } = await run(['sync', '--config', config, '--dry-run'], { cwd: folder.path });
  expect(JSON.parse(stdout).warnings).toEqual([expect.stringContaining('is in the future')]);
  const status = await run(['status', '--config', config, '--json'], { cwd: folder.path });
  expect(JSON.parse(status.stdout).destination).toBe(`DuckDB ${folder.path}/cleargrid.duckdb, schema main`);
});

describe('the process', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends with the code of %s', async (signal, code) => {
    const running = start(['simulate', '--rows', '1']);
    await running.firstLine();
    running.process.kill(signal);
    expect((await running.ended).code).toBe(code);
  });

  test('ends at once on a second signal', async () => {
    // Takes a login and never answers it: the first signal asks, the second does not wait.
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const { port } = silent.address() as { port: number };
      const config = folder.config('silent.json', { ...login(), base_url: `http://127.0.0.1:${port}` });
      const running = start(['check', '--config', config]);
      await once(silent, 'connection');
      running.process.kill('SIGTERM');
      running.process.kill('SIGINT');
      expect([130, 143]).toContain((await running.ended).code);
    } finally {
      silent.close();
    }
  });

  test('tells what nobody caught in one line, and ends with 4', async () => {
    const throws = 'data:text/javascript,setTimeout(()=>{throw new Error("nobody caught this")},1500)';
    const ended = await run(['simulate', '--rows', '1'], { node: ['--import', throws] });
    expect(ended.code).toBe(4);
    expect(onlyLine(ended)).toMatchObject({ level: 'error', message: 'nobody caught this', kind: 'system_error' });
  });

  test("tells Node's own warnings through the log", async () => {
    const warns = 'data:text/javascript,setTimeout(()=>process.emitWarning("careful","DeprecationWarning"),1000)';
    const running = start(['simulate', '--rows', '1'], { node: ['--import', warns] });
    await running.firstLine();
    await once(running.process.stderr, 'data');
    running.process.kill();
    expect(onlyLine(await running.ended)).toMatchObject({
      level: 'warn',
      message: 'careful',
      name: 'DeprecationWarning',
    });
  });

  test.skipIf(!existsSync('/dev/full')).each([
    ['sync', 75, 'stdout cannot be written (ENOSPC)'],
    ['status', 75, 'stdout cannot be written (ENOSPC)'],
    ['discover', 1, 'stdout cannot be written (ENOSPC)'],
    ['--help', 75, ''],
  ])('does not end well when stdout took nothing: %s', async (command, code, message) => {
    const config = folder.config('unheard.json', { ...login(), streams: ['borrowers'] });
    const args = command.startsWith('-') ? [command] : [command, '--config', config];
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [EXECUTABLE, ...args], { cwd: folder.path, stdio: ['ignore', full, 'pipe'] });
    const [told, [ended]] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
    closeSync(full);
    expect(ended).toBe(code);
    expect(told).toContain(message);
  });

  test('does not mind a reader that has gone', async () => {
    const running = start(['--help']);
    running.process.stdout.destroy();
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('simulate', () => {
  test('--open opens a reserved dataset, which is loaded under its code', async () => {
    const running = start(['simulate', '--rows', '5', '--open', 'D13']);
    const { config } = JSON.parse(await running.firstLine());
    const folder = createFolder();
    try {
      const path = folder.config('config.json', { ...config, streams: ['d13'] });
      const { code, stdout } = await run(['sync', '--config', path], { cwd: folder.path });
      expect([code, JSON.parse(stdout).streams[0]]).toMatchObject([0, { stream: 'd13', rows_written: 5 }]);
    } finally {
      running.process.kill('SIGTERM');
      await running.ended;
      folder.remove();
    }
  });

  test('--assume picks other answers to what the documentation leaves open', async () => {
    const running = start(['simulate', '--rows', '3', '--assume', 'partial-rows=documented, auth-failure=v1']);
    try {
      const { url, config } = JSON.parse(await running.firstLine()) as { url: string; config: Record<string, string> };
      const login = (body: object) =>
        fetch(`${url}/admin/auth/${config.lender}/login`, {
          ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
        }).then((answer) => answer.json() as Promise<Record<string, string>>);
      expect(await login({})).toEqual({ error: expect.any(String) });
      const { token, lenderPublicId } = await login(config);
      const page = await fetch(`${url}/admin/v3/lenders/${lenderPublicId}/exports/S1/D01`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(await page.text()).not.toContain('national_id');
    } finally {
      running.process.kill('SIGTERM');
      await running.ended;
    }
  });

  test('--difficult brings values that are hard to land, and --clock-behind a clock of its own', async () => {
    const running = start(['simulate', '--rows', '600', '--difficult', '--clock-behind', '7200']);
    const { config } = JSON.parse(await running.firstLine());
    const folder = createFolder();
    try {
      const path = folder.config('config.json', { ...config, streams: ['borrower_sub_accounts'] });
      const { code, stdout } = await run(['sync', '--config', path], { cwd: folder.path });
      const { started_at, streams } = JSON.parse(stdout);
      expect([code, streams[0].changed_fields > 0, streams[0].unparsed_dates > 0]).toEqual([0, true, true]);
      const behind = Date.now() - Date.parse(started_at);
      expect(behind).toBeGreaterThan(7_190_000);
      expect(behind).toBeLessThan(7_290_000);
    } finally {
      running.process.kill('SIGTERM');
      await running.ended;
      folder.remove();
    }
  });

  test.each([{ flags: [] }, { flags: ['--host', '0.0.0.0'] }])(
    'prints its URL and a config with which check succeeds: $flags',
    async ({ flags }) => {
      const running = start(['simulate', '--rows', '5', '--faults', '500,429-seconds', ...flags]);
      try {
        const { url, config } = JSON.parse(await running.firstLine());
        expect(config.base_url).toBe(url);
        const { stdout } = await run(['check', '--config', folder.config('printed.json', config)]);
        expect(stdout).toContain('SUCCEEDED');
      } finally {
        running.process.kill();
        await running.ended;
      }
    },
  );

  test('says how far it is while it makes many records, and stops at once when it is told to', async () => {
    const running = start(['simulate', '--rows', '300000']);
    const told = await once(running.process.stderr, 'data');
    expect(String(told)).toMatch(/making records: [\d,]+ of 5,700,000/);
    const asked = performance.now();
    running.process.kill('SIGTERM');
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 143, stdout: '' });
    expect(performance.now() - asked).toBeLessThan(5_000);
  });

  test.skipIf(process.availableMemory() > 80e9)('refuses more records than there is memory for', async () => {
    const { code, stdout, log } = await run(['simulate', '--rows', '10000000']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(log[0]!.message).toMatch(
      /need about 85.5 GB of memory, and [\d.]+ GB are free here; give --rows \d+ or less/,
    );
  });

  test('refuses an address that is not of this machine, saying so', async () => {
    const ended = await run(['simulate', '--rows', '1', '--host', '192.0.2.1']);
    expect(ended.code).toBe(2);
    expect(onlyLine(ended).message).toContain('--host 192.0.2.1 is no address of this machine');
  });

  test('refuses a port that is taken, saying so', async () => {
    const port = new URL(simulator.url).port;
    const ended = await run(['simulate', '--port', port]);
    expect(ended.code).toBe(2);
    expect(onlyLine(ended).message).toContain(`port ${port} cannot be listened on`);
  });
});
