import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Summary } from '../connector/summary.ts';
import { account, ndjson } from './accounts-example.ts';
import { run } from './cli-process.ts';
import { type Collector, startCollector } from './telemetry/collector.ts';
import { telemetryWorld } from './telemetry/world.ts';

const world = telemetryWorld();

const warnings = (log: readonly Record<string, unknown>[]) =>
  log.filter(({ level, message }) => level === 'warn' && String(message).includes('telemetry'));

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
    await world.collect(startIt());
    await world.serve();
    const { code, stdout, log } = await world.sync({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=not-to-be-seen' });
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Summary).status).toBe('succeeded');
    expect(warnings(log)).toHaveLength(1);
    expect(JSON.stringify(log)).not.toContain('not-to-be-seen');
  });

  test('is loaded only where there is an endpoint, and only for what has one', async () => {
    await world.collect();
    await world.serve({ rows: { D01: 10 } });
    const none = { OTEL_EXPORTER_OTLP_ENDPOINT: '' };
    expect(await loadedBySync(none)).toEqual([]);
    expect(await loadedBySync({ OTEL_SDK_DISABLED: 'true' })).toEqual([]);
    expect(world.collector.paths).toEqual([]);
    const traces = await loadedBySync({
      ...none,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${world.collector.url}/v1/traces`,
    });
    expect(traces).toContain('exporter-trace-otlp-proto');
    expect(traces).not.toContain('exporter-metrics-otlp-proto');
    expect(new Set(world.collector.paths)).toEqual(new Set(['/v1/traces']));
  });

  test('says what is wrong with an endpoint or a protocol', async () => {
    await world.collect();
    await world.serve({ rows: { D01: 10 } });
    const bad = await world.sync({ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' });
    expect([bad.code, warnings(bad.log).length]).toEqual([0, 0]);
    expect(bad.log.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL: no traces are sent',
      'OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL: no metrics are sent',
    ]);
    const grpc = await world.sync({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
    expect(grpc.log.some(({ message }) => String(message).includes('http/protobuf is sent'))).toBe(true);
    expect(world.collector.paths).toContain('/v1/traces');
  });

  test('is told of read, push and reconcile as well', async () => {
    await world.collect();
    await world.serve(
      { rows: { D01: 20 } },
      { destination: { type: 'duckdb', path: join(world.folder.path, 'ledger.duckdb') } },
    );
    const discovered = JSON.parse(
      (await run(['discover', '--config', world.config])).stdout.trim().split('\n').at(-1)!,
    );
    const [stream] = discovered.catalog.streams.filter(({ name }: { name: string }) => name === 'borrowers');
    const configured = { stream, sync_mode: 'incremental', destination_sync_mode: 'append_dedup' };
    const catalog = world.folder.config('catalog.json', { streams: [configured] });
    const read = await run(['read', '--config', world.config, '--catalog', catalog], world.settings());
    expect([read.code, world.measured('cleargrid.rows.read', 'borrowers')]).toEqual([0, 20]);
    expect(world.only('stream borrowers').parentId).toBe(world.only('read').spanId);

    const input = join(world.folder.path, 'accounts.ndjson');
    writeFileSync(input, ndjson([account(1), account(2)]));
    expect((await run(['push', '--config', world.config, '--input', input], world.settings())).code).toBe(0);
    const pushed = world.collector.points().filter(({ metric }) => metric === 'cleargrid.accounts');
    expect(pushed.find(({ attributes }) => attributes['cleargrid.account.state'] === 'accepted')?.value).toBe(2);
    expect(world.only('push').attributes).toMatchObject({ 'cleargrid.status': 'succeeded' });

    await world.simulator.accountsSettled();
    expect((await run(['reconcile', '--config', world.config, '--wait', '5s'], world.settings())).code).toBe(0);
    const confirmed = world.collector.points().filter(({ metric }) => metric === 'cleargrid.accounts');
    expect(confirmed.find(({ attributes }) => attributes['cleargrid.account.state'] === 'confirmed')?.value).toBe(2);
    const proof = world.only('reconcile');
    expect(
      world.collector.spans().some(({ parentId, name }) => parentId === proof.spanId && name.startsWith('stream ')),
    ).toBe(true);
  });
});

/** The OpenTelemetry packages, and our own modules behind them, that a sync loads. */
async function loadedBySync(env: Readonly<Record<string, string>>): Promise<string[]> {
  const coverage = mkdtempSync(join(tmpdir(), 'cleargrid-loaded-'));
  try {
    expect((await world.sync({ ...env, NODE_V8_COVERAGE: coverage })).code).toBe(0);
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
