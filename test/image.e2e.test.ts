import { chmodSync, copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { airbyte, lastStates, messagesOf, only, recordsOf, statusesOf } from './airbyte-process.ts';
import { createFolder, EXECUTABLE } from './cli-process.ts';
import { docker, dockerOutput, HAS_DOCKER, hostAddress } from './docker-engine.ts';
import { buildImage, IMAGE } from './image.ts';
import { metadata } from './metadata.ts';
import { PYTHON, python } from './python.ts';
import { startCollector } from './telemetry/collector.ts';

const project = fileURLToPath(new URL('../', import.meta.url));
const { dockerRepository, dockerImageTag } = metadata();
const LOCKED_DOWN = [
  '--read-only',
  '--user',
  '12345:54321',
  '--cap-drop',
  'ALL',
  '--memory',
  '256m',
  '--memory-swap',
  '256m',
];
const LARGE = 1_000_000;

describe.skipIf(!HAS_DOCKER)('the image', () => {
  const folder = createFolder();
  let simulator: Simulator;
  let large: Simulator;
  let postgres: StartedTestContainer;
  let config: string;
  let catalog: string;

  const configFor = (api: Simulator, host: string, name: string, more: Record<string, unknown> = {}) =>
    folder.config(name, {
      lender: api.lender,
      email: api.email,
      password: api.password,
      base_url: `http://${host}:${new URL(api.url).port}`,
      allow_insecure_http: true,
      ...more,
    });
  const withPostgres = async (api: Simulator, schema: string) =>
    configFor(api, await hostAddress(), `${schema}.json`, {
      destination: {
        type: 'postgres',
        host: await hostAddress(),
        port: postgres.getMappedPort(5432),
        database: 'postgres',
        username: 'postgres',
        password: 'secret',
        schema,
        ssl: false,
      },
    });
  const runImage = (flags: readonly string[], ...command: string[]) =>
    docker('run', '--rm', '--volume', `${folder.path}:/config:ro`, ...flags, IMAGE, ...command);
  const inFolder = (path: string) => join('/config', path.slice(folder.path.length));

  beforeAll(async () => {
    chmodSync(folder.path, 0o755);
    [simulator, large, postgres] = await Promise.all([
      startSimulator({ rows: 200, difficult: true, host: '0.0.0.0' }),
      startSimulator({ rows: { D03: LARGE }, host: '0.0.0.0', unknowns: { viaPages: 'full' } }),
      new GenericContainer('postgres:17-alpine')
        .withEnvironment({ POSTGRES_PASSWORD: 'secret' })
        .withExposedPorts(5432)
        .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
        .start(),
      buildImage(),
    ]);
    const host = await hostAddress();
    config = configFor(simulator, host, 'config.json');
    const { messages } = await airbyte('discover', '--config', configFor(simulator, '127.0.0.1', 'here.json'));
    const streams = only(messages, 'CATALOG')[0]!.catalog!.streams.map((stream) => ({
      stream,
      sync_mode: 'incremental',
      destination_sync_mode: 'append',
    }));
    catalog = folder.config('catalog.json', { streams });
    folder.config('large-catalog.json', {
      streams: streams.filter(({ stream }) => stream.name === 'borrower_sub_accounts'),
    });
  }, 900_000);
  afterAll(async () => {
    await Promise.all([simulator?.stop(), large?.stop(), postgres?.stop()]);
    folder.remove();
  }, 60_000);

  const rowsIn = async (table: string) =>
    Number((await postgres.exec(['psql', '-U', 'postgres', '-At', '-c', `select count(*) from ${table}`])).output);

  test("test_image_labels: they are those of metadata.yaml, and the version is the package's", async () => {
    const labels = JSON.parse(await dockerOutput('inspect', IMAGE, '--format', '{{json .Config.Labels}}'));
    expect(labels).toMatchObject({ 'io.airbyte.name': dockerRepository, 'io.airbyte.version': dockerImageTag });
    expect(dockerImageTag).toBe(manifest.version);
  });

  test('test_image_environment_variables and test_docker_env: AIRBYTE_ENTRYPOINT is the entrypoint, with absolute paths', async () => {
    const { Env, Entrypoint, User, Healthcheck } = JSON.parse(
      await dockerOutput('inspect', IMAGE, '--format', '{{json .Config}}'),
    );
    expect(Env).toContain(`AIRBYTE_ENTRYPOINT=${Entrypoint.join(' ')}`);
    for (const word of Entrypoint.filter((each: string) => !each.startsWith('--'))) expect(word).toMatch(/^\//);
    expect({ User, Healthcheck }).toEqual({ User: '1000:1000', Healthcheck: undefined });
  });

  test('is small, has no npm, and lists what is in it', async () => {
    const size = Number(await dockerOutput('inspect', IMAGE, '--format', '{{.Size}}'));
    expect(size / 1e6).toBeLessThan(300);
    const shell = (script: string) => dockerOutput('run', '--rm', '--entrypoint', '/bin/sh', IMAGE, '-c', script);
    expect(await shell('command -v npm npx yarn corepack perl apt-get || echo none')).toBe('none');
    expect(await shell('id -un; id -u')).toBe('airbyte\n1000');
    const sbom = JSON.parse(await shell('cat /app/sbom.json'));
    expect(sbom.bomFormat).toBe('CycloneDX');
    const names = sbom.components.map(({ name }: { name: string }) => name);
    for (const name of Object.keys(manifest.dependencies)) expect(names).toContain(name);
    expect(
      await shell(
        'touch /app/x /tmp/x 2>/dev/null; find / -xdev -writable -type d -not -path "/proc/*" -not -path "/airbyte*" 2>/dev/null | grep -v -E "^/(tmp|var/tmp|run/lock|dev)" || echo none',
      ),
    ).toBe('none');
  });

  test('answers spec, check, discover and read with a read-only root, nothing writable and any user id', async () => {
    const at = ['--config', inFolder(config)];
    const spec = await runImage(LOCKED_DOWN, 'spec');
    expect(messagesOf(spec.stdout)).toMatchObject([{ type: 'SPEC' }]);
    const check = await runImage(LOCKED_DOWN, 'check', ...at);
    expect(messagesOf(check.stdout)).toMatchObject([{ connectionStatus: { status: 'SUCCEEDED' } }]);
    const discover = await runImage(LOCKED_DOWN, 'discover', ...at);
    expect(only(messagesOf(discover.stdout), 'CATALOG')[0]!.catalog!.streams).toHaveLength(19);
    const read = await runImage(LOCKED_DOWN, 'read', ...at, '--catalog', inFolder(catalog));
    expect({ code: read.code, stderr: read.stderr }).toEqual({ code: 0, stderr: '' });
    expect(recordsOf(messagesOf(read.stdout)).length).toBeGreaterThan(19 * 190);
    expect(lastStates(messagesOf(read.stdout))).toHaveLength(19);
  });

  test('sends telemetry where there is an endpoint for it', async () => {
    const collector = await startCollector(undefined, '0.0.0.0');
    try {
      const endpoint = `http://${await hostAddress()}:${new URL(collector.url).port}`;
      const flags = [...LOCKED_DOWN, '--env', `OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`];
      const at = ['--config', inFolder(config), '--catalog', inFolder(catalog)];
      expect(await runImage(flags, 'read', ...at)).toMatchObject({ code: 0, stderr: '' });
      expect(collector.spans().filter(({ name }) => name.startsWith('stream '))).toHaveLength(19);
      expect(collector.points().length).toBeGreaterThan(19);
    } finally {
      await collector.stop();
    }
  });

  test('limits its heap by the memory of its container', async () => {
    const limit = async (memory: string) => {
      const flags = (await dockerOutput('inspect', IMAGE, '--format', '{{json .Config.Entrypoint}}')).match(
        /--[a-z-]+=\d+/g,
      )!;
      const ask = 'process.stdout.write(String(v8.getHeapStatistics().heap_size_limit))';
      return (
        Number(
          await dockerOutput(
            'run',
            '--rm',
            '--memory',
            memory,
            '--entrypoint',
            '/usr/local/bin/node',
            IMAGE,
            ...flags,
            '-e',
            ask,
          ),
        ) /
        2 ** 20
      );
    };
    expect(await limit('256m')).toBeLessThan(160);
    expect(await limit('1g')).toBeGreaterThan(400);
  });

  test('SIGTERM to process 1 ends it within 10 s, with 143 and a STATE to go on from', async () => {
    const name = `cleargrid-stop-${process.pid}`;
    const slow = configFor(large, await hostAddress(), 'slow.json', { concurrency: 1 });
    const running = runImage(
      [...LOCKED_DOWN, '--name', name],
      'read',
      '--config',
      inFolder(slow),
      '--catalog',
      '/config/large-catalog.json',
    );
    while ((await docker('exec', name, '/bin/true')).code !== 0) await wait(200);
    await wait(2_000);
    const began = performance.now();
    await docker('stop', '--time', '20', name);
    const { code, stdout } = await running;
    expect(performance.now() - began).toBeLessThan(12_000);
    expect(code).toBe(143);
    const messages = messagesOf(stdout);
    expect(statusesOf(messages, 'borrower_sub_accounts').at(-1)!.status).toBe('INCOMPLETE');
    expect(lastStates(messages)).toHaveLength(1);
  });

  test('syncs into Postgres', async () => {
    const path = await withPostgres(simulator, 'small');
    const { code, stdout, stderr } = await runImage(LOCKED_DOWN, 'sync', '--config', inFolder(path));
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ status: 'succeeded' });
    expect(await rowsIn('small.borrowers')).toBeGreaterThan(190);
  });

  test('syncs into a DuckDB file of a mounted folder', async () => {
    const data = join(folder.path, 'data');
    mkdirSync(data);
    chmodSync(data, 0o777);
    const path = configFor(simulator, await hostAddress(), 'duckdb.json', {
      destination: { type: 'duckdb', path: '/data/cleargrid.duckdb' },
    });
    const flags = ['--read-only', '--user', '12345:54321', '--volume', `${data}:/data`];
    const { code, stderr } = await runImage(flags, 'sync', '--config', inFolder(path));
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const instance = await DuckDBInstance.create(join(data, 'cleargrid.duckdb'), { access_mode: 'READ_ONLY' });
    const connection = await instance.connect();
    const [[count]] = (await connection.runAndReadAll('select count(*) from borrowers')).getRows() as [[bigint]];
    connection.closeSync();
    instance.closeSync();
    expect(Number(count)).toBeGreaterThan(190);
  });

  test('reads a million records within 256 MB', async () => {
    const path = configFor(large, await hostAddress(), 'large.json');
    const script = `${await dockerOutput('inspect', IMAGE, '--format', '{{join .Config.Entrypoint " "}}')} read --config ${inFolder(path)} --catalog /config/large-catalog.json | grep -c '"type":"RECORD"'`;
    const { code, stdout } = await docker(
      'run',
      '--rm',
      '--volume',
      `${folder.path}:/config:ro`,
      ...LOCKED_DOWN,
      '--entrypoint',
      '/bin/sh',
      IMAGE,
      '-c',
      script,
    );
    expect(code).toBe(0);
    expect(Number(stdout)).toBeGreaterThanOrEqual(LARGE);
  }, 300_000);

  test('syncs a million records into Postgres within 256 MB', async () => {
    const path = await withPostgres(large, 'large');
    const { code, stderr } = await runImage(
      LOCKED_DOWN,
      'sync',
      '--config',
      inFolder(path),
      '--streams',
      'borrower_sub_accounts',
    );
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(await rowsIn('large.borrower_sub_accounts')).toBeGreaterThanOrEqual(LARGE);
  }, 600_000);

  test.skipIf(PYTHON === null)(
    "passes airbyte-cdk's standard tests, of an image and of a source",
    async () => {
      const connector = join(folder.path, 'source-cleargrid');
      cpSync(new URL('airbyte/standard', import.meta.url), connector, { recursive: true });
      copyFileSync(join(project, 'metadata.yaml'), join(connector, 'metadata.yaml'));
      mkdirSync(join(connector, 'secrets'));
      copyFileSync(config, join(connector, 'secrets/config.json'));
      const wrong = configFor(simulator, await hostAddress(), 'wrong.json', { password: 'not-the-password' });
      copyFileSync(wrong, join(connector, 'secrets/wrong.json'));
      const printed = await python(PYTHON!, {
        script: 'airbyte/run_pytest.py',
        // The test that is left out asks a registry on the internet for an earlier version.
        args: [
          '-q',
          '-rs',
          '-p',
          'no:cacheprovider',
          '-k',
          'not spec_backward_compatibility',
          '--connector-image',
          IMAGE,
          '--read-from-streams',
          'all',
          '.',
        ],
        env: { CLEARGRID_EXECUTABLE: EXECUTABLE, PYTHONDONTWRITEBYTECODE: '1' },
        cwd: connector,
      });
      expect(Number(/(\d+) passed/.exec(printed)?.[1])).toBeGreaterThanOrEqual(15);
    },
    600_000,
  );
});

test('the examples all name the version that metadata.yaml names', () => {
  for (const name of readdirSync(join(project, 'docker')).filter(
    (name) => !['Dockerfile', 'config.json'].includes(name),
  )) {
    const named = readFileSync(join(project, 'docker', name), 'utf8').match(/source-cleargrid:[\w.]+/g)!;
    expect(new Set(named), name).toEqual(new Set([`source-cleargrid:${dockerImageTag}`]));
  }
});
