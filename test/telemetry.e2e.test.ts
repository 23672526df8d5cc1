import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StreamSummary, Summary } from '../connector/summary.ts';
import manifest from '../package.json' with { type: 'json' };
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/simulator.ts';
import { account, ndjson } from './accounts-example.ts';
import { createFolder, run, start } from './cli-process.ts';
import { type Collector, type ReceivedSpan, startCollector } from './telemetry/collector.ts';

const STREAMS = ['borrower_sub_accounts', 'borrower_payments', 'borrowers'];
const PASSWORD = 'hunter2-hunter2';

let folder: ReturnType<typeof createFolder>;
let simulator: Simulator;
let collector: Collector;
let config: string;

beforeEach(() => {
  folder = createFolder();
});
afterEach(async () => {
  await simulator?.stop();
  await collector?.stop();
  folder.remove();
});

async function serve(options: SimulatorOptions = {}, more: object = {}): Promise<void> {
  simulator = await startSimulator({ rows: { D03: 6_000, D07: 1_500, D01: 500 }, password: PASSWORD, ...options });
  const { lender, email, password, url } = simulator;
  config = folder.config('config.json', { lender, email, password, base_url: url, streams: STREAMS, ...more });
}

/** Each of these befalls one request for a page. */
function failOnce(): void {
  for (const fault of ['500', '429-seconds', 'truncated-json'] as const)
    simulator.failNext(1, fault, { route: 'page' });
}

const settings = (env: Readonly<Record<string, string>> = {}) => ({
  cwd: folder.path,
  env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env },
});
const sync = (env?: Readonly<Record<string, string>>) => run(['sync', '--config', config], settings(env));
const warnings = (log: readonly Record<string, unknown>[]) =>
  log.filter(({ level, message }) => level === 'warn' && String(message).includes('telemetry'));

/** The only span of a name. */
function only(name: string): ReceivedSpan {
  const found = collector.spans().filter((span) => span.name === name);
  expect([name, found.length]).toEqual([name, 1]);
  return found[0]!;
}

/** The sum of a metric's points, of one stream or of all. */
function measured(metric: string, stream?: string): number {
  return collector
    .points()
    .filter(
      (point) => point.metric === metric && (stream === undefined || point.attributes['cleargrid.stream'] === stream),
    )
    .reduce((sum, { value }) => sum + value, 0);
}

describe('a sync that is traced and measured', () => {
  test('is one tree: the run, its streams, their windows and commits', async () => {
    collector = await startCollector();
    await serve();
    failOnce();
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const { code, stdout } = await sync({ TRACEPARENT: `00-${traceId}-b7ad6b7169203331-01` });
    expect(code).toBe(0);
    const summary = JSON.parse(stdout) as Summary;

    const spans = collector.spans();
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    const root = only('sync');
    expect(root.parentId).toBe('b7ad6b7169203331');
    expect(root.attributes).toMatchObject({
      'cleargrid.run.id': summary.run_id,
      'cleargrid.status': 'succeeded',
      'process.exit.code': 0,
    });
    for (const stream of summary.streams) {
      const span = only(`stream ${stream.stream}`);
      expect(span.parentId).toBe(root.spanId);
      expect(span.attributes).toMatchObject({
        'cleargrid.status': 'succeeded',
        'cleargrid.rows.written': stream.rows_written,
        'cleargrid.retries': stream.retries,
      });
      const below = spans.filter(({ parentId }) => parentId === span.spanId);
      const [windows, commits] = ['window', 'commit'].map((name) => below.filter((each) => each.name === name));
      expect(windows!.length).toBe(span.attributes['cleargrid.windows']);
      expect(commits!.length).toBe(span.attributes['cleargrid.commits']);
      const written = commits!.reduce((sum, { attributes }) => sum + Number(attributes['cleargrid.rows.written']), 0);
      expect(written).toBe(stream.rows_written);
      for (const each of below) {
        expect(each.end >= each.start && each.start >= span.start && each.end <= span.end).toBe(true);
      }
      expect(commits![0]!.attributes).toMatchObject({
        'db.system.name': 'duckdb',
        'db.collection.name': stream.stream,
      });
    }
    const accounted = new Set(['sync', 'window', 'commit', ...summary.streams.map(({ stream }) => `stream ${stream}`)]);
    expect(spans.filter(({ name }) => !accounted.has(name))).toEqual([]);
  });

  test('is measured as its summary counts', async () => {
    collector = await startCollector();
    await serve({ difficult: true });
    failOnce();
    const first = JSON.parse((await sync()).stdout) as Summary;
    expect(first.status).toBe('succeeded');
    const counted: Record<string, keyof StreamSummary> = {
      'cleargrid.rows.read': 'rows_read',
      'cleargrid.rows.written': 'rows_written',
      'cleargrid.rows.unchanged': 'rows_unchanged',
      'cleargrid.changed_fields': 'changed_fields',
      'cleargrid.rejects': 'rejects',
      'cleargrid.requests': 'requests',
      'cleargrid.retries': 'retries',
      'cleargrid.bytes': 'bytes',
      'http.client.request.duration': 'requests',
    };
    for (const stream of first.streams) {
      for (const [metric, key] of Object.entries(counted)) {
        expect([stream.stream, metric, measured(metric, stream.stream)]).toEqual([stream.stream, metric, stream[key]]);
      }
    }
    expect(measured('cleargrid.retries')).toBeGreaterThan(0);
    expect(measured('cleargrid.rejects')).toBeGreaterThan(0);
    const retries = collector.points().filter(({ metric }) => metric === 'cleargrid.retries');
    expect(new Set(retries.map(({ attributes }) => attributes['error.type']))).toEqual(
      new Set(['interrupted', 'refused', 'throttled']),
    );
    const commits = collector.spans().filter(({ name }) => name === 'commit');
    expect(measured('cleargrid.commit.duration')).toBe(commits.length);
    expect(measured('cleargrid.stream.duration')).toBe(STREAMS.length);
    const lags = collector.points().filter(({ metric }) => metric === 'cleargrid.lag');
    expect(lags.map(({ unit, value }) => [unit, value >= 0 && value < 600])).toEqual(STREAMS.map(() => ['s', true]));
  });

  test('tells who it is, as the environment says', async () => {
    collector = await startCollector();
    await serve();
    expect((await sync()).code).toBe(0);
    expect(collector.resource()).toMatchObject({
      'service.name': 'cleargrid-connector',
      'service.version': manifest.version,
    });
    await collector.stop();
    collector = await startCollector();
    const named = { OTEL_SERVICE_NAME: 'hourly', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test' };
    expect((await sync(named)).code).toBe(0);
    expect(collector.resource()).toMatchObject({ 'service.name': 'hourly', 'deployment.environment.name': 'test' });
  });

  test('tells why a stream failed, and no secret', async () => {
    collector = await startCollector();
    await serve();
    simulator.failNext(200, '500', { route: 'page', code: 'D07' });
    const { code, stdout } = await sync();
    expect(code).toBe(1);
    const { streams } = JSON.parse(stdout) as Summary;
    const { error } = streams.find(({ stream }) => stream === 'borrower_payments')!;
    const failed = only('stream borrower_payments');
    expect(failed.status).toEqual({ code: 2, message: error!.message });
    expect(failed.attributes).toMatchObject({ 'error.type': 'transient_error', 'cleargrid.status': 'failed' });
    expect(failed.events).toContainEqual({
      name: 'exception',
      attributes: { 'exception.type': 'transient_error', 'exception.message': error!.message },
    });
    const window = collector.spans().find(({ parentId, name }) => parentId === failed.spanId && name === 'window');
    expect(window!.status.code).toBe(2);
    expect(only('sync').status.code).toBe(2);
    for (const body of collector.bodies) expect(body.includes(PASSWORD)).toBe(false);
  });

  test('tells why a run could not begin', async () => {
    collector = await startCollector();
    await serve({}, { password: 'wrong-password' });
    const { code } = await sync();
    expect(only('sync')).toMatchObject({ status: { code: 2 }, attributes: { 'process.exit.code': code } });
    for (const body of collector.bodies) expect(body.includes('wrong-password')).toBe(false);
  });

  test('is told to its end when it is stopped', async () => {
    collector = await startCollector();
    await serve({ rows: 3_000, latencyMs: 60 }, { concurrency: 1, streams: undefined });
    const running = start(['sync', '--config', config], settings());
    while (simulator.requests().total < 8 && running.process.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 50));
    running.process.kill('SIGTERM');
    expect((await running.ended).code).toBe(143);
    const root = only('sync');
    expect(root.attributes).toMatchObject({ 'process.exit.code': 143, 'cleargrid.status': 'stopped' });
    expect(root.status.code).not.toBe(2);
    expect(measured('cleargrid.requests')).toBeGreaterThan(0);
  });
});

describe('telemetry', () => {
  test.each<[string, () => Promise<Collector>]>([
    ['refuses', () => startCollector((_, response) => void response.writeHead(401).end())],
    ['is overloaded', () => startCollector((_, response) => void response.writeHead(503).end())],
    ['never answers', () => startCollector(() => {})],
    [
      'is down',
      async () => {
        const gone = await startCollector();
        await gone.stop();
        return { ...gone, stop: async () => {} };
      },
    ],
  ])('of a collector that %s costs one warning', async (_, startIt) => {
    collector = await startIt();
    await serve();
    const { code, stdout, log } = await sync({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=not-to-be-seen' });
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Summary).status).toBe('succeeded');
    expect(warnings(log)).toHaveLength(1);
    expect(JSON.stringify(log)).not.toContain('not-to-be-seen');
  });

  test('is loaded only where there is an endpoint, and only for what has one', async () => {
    collector = await startCollector();
    await serve({ rows: { D01: 10 } });
    const none = { OTEL_EXPORTER_OTLP_ENDPOINT: '' };
    expect(await loadedBySync(none)).toEqual([]);
    expect(await loadedBySync({ OTEL_SDK_DISABLED: 'true' })).toEqual([]);
    expect(collector.paths).toEqual([]);
    const traces = await loadedBySync({ ...none, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces` });
    expect(traces).toContain('exporter-trace-otlp-proto');
    expect(traces).not.toContain('exporter-metrics-otlp-proto');
    expect(new Set(collector.paths)).toEqual(new Set(['/v1/traces']));
  });

  test('says what is wrong with an endpoint or a protocol', async () => {
    collector = await startCollector();
    await serve({ rows: { D01: 10 } });
    const bad = await sync({ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' });
    expect([bad.code, warnings(bad.log).length]).toEqual([0, 0]);
    expect(bad.log.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL: no traces are sent',
      'OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL: no metrics are sent',
    ]);
    const grpc = await sync({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
    expect(grpc.log.some(({ message }) => String(message).includes('http/protobuf is sent'))).toBe(true);
    expect(collector.paths).toContain('/v1/traces');
  });

  test('is told of read, push and reconcile as well', async () => {
    collector = await startCollector();
    await serve({ rows: { D01: 20 } }, { destination: { type: 'duckdb', path: join(folder.path, 'ledger.duckdb') } });
    const discovered = JSON.parse((await run(['discover', '--config', config])).stdout.trim().split('\n').at(-1)!);
    const [stream] = discovered.catalog.streams.filter(({ name }: { name: string }) => name === 'borrowers');
    const configured = { stream, sync_mode: 'incremental', destination_sync_mode: 'append_dedup' };
    const catalog = folder.config('catalog.json', { streams: [configured] });
    const read = await run(['read', '--config', config, '--catalog', catalog], settings());
    expect([read.code, measured('cleargrid.rows.read', 'borrowers')]).toEqual([0, 20]);
    expect(only('stream borrowers').parentId).toBe(only('read').spanId);

    const input = join(folder.path, 'accounts.ndjson');
    writeFileSync(input, ndjson([account(1), account(2)]));
    expect((await run(['push', '--config', config, '--input', input], settings())).code).toBe(0);
    const pushed = collector.points().filter(({ metric }) => metric === 'cleargrid.accounts');
    expect(pushed.find(({ attributes }) => attributes['cleargrid.account.state'] === 'accepted')?.value).toBe(2);
    expect(only('push').attributes).toMatchObject({ 'cleargrid.status': 'succeeded' });

    await simulator.accountsSettled();
    expect((await run(['reconcile', '--config', config, '--wait', '5s'], settings())).code).toBe(0);
    const confirmed = collector.points().filter(({ metric }) => metric === 'cleargrid.accounts');
    expect(confirmed.find(({ attributes }) => attributes['cleargrid.account.state'] === 'confirmed')?.value).toBe(2);
    const proof = only('reconcile');
    expect(
      collector.spans().some(({ parentId, name }) => parentId === proof.spanId && name.startsWith('stream ')),
    ).toBe(true);
  });
});

/** The OpenTelemetry packages, and our own modules behind them, that a sync loads. */
async function loadedBySync(env: Readonly<Record<string, string>>): Promise<string[]> {
  const coverage = mkdtempSync(join(tmpdir(), 'cleargrid-loaded-'));
  try {
    expect((await sync({ ...env, NODE_V8_COVERAGE: coverage })).code).toBe(0);
    const urls = readdirSync(coverage)
      .flatMap((file): { url: string }[] => JSON.parse(readFileSync(join(coverage, file), 'utf8')).result)
      .map(({ url }) => url);
    expect(urls.some((url) => url.includes('/connector/sync/run.'))).toBe(true);
    const names = urls.flatMap(
      (url) => /\/@opentelemetry\/([^/]+)\/|\/connector\/telemetry\/(?!telemetry\.)([^/]+)/.exec(url)?.slice(1) ?? [],
    );
    return [...new Set(names.filter((name) => name !== undefined))];
  } finally {
    rmSync(coverage, { recursive: true });
  }
}
