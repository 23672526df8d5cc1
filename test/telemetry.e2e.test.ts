import { describe, expect, test } from 'vitest';
import type { StreamSummary, Summary } from '../connector/summary.ts';
import manifest from '../package.json' with { type: 'json' };
import { start } from './cli-process.ts';
import { PASSWORD, STREAMS, telemetryWorld } from './telemetry/world.ts';

/** What is told of the same instant may differ by a millisecond: in nanoseconds. */
const A_TICK = 2_000_000n;

const world = telemetryWorld();

/** Each of these befalls one request for a page. */
function failOnce(): void {
  for (const fault of ['500', '429-seconds', 'truncated-json'] as const)
    world.simulator.failNext(1, fault, { route: 'page' });
}

describe('a sync that is traced and measured', () => {
  test('is one tree: the run, its streams, their windows and commits', async () => {
    await world.collect();
    await world.serve();
    failOnce();
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const { code, stdout } = await world.sync({ TRACEPARENT: `00-${traceId}-b7ad6b7169203331-01` });
    expect(code).toBe(0);
    const summary = JSON.parse(stdout) as Summary;

    const spans = world.collector.spans();
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    const root = world.only('sync');
    expect(root.parentId).toBe('b7ad6b7169203331');
    expect(root.attributes).toMatchObject({
      'cleargrid.run.id': summary.run_id,
      'cleargrid.status': 'succeeded',
      'process.exit.code': 0,
    });
    for (const stream of summary.streams) {
      const span = world.only(`stream ${stream.stream}`);
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
        expect(each.end >= each.start).toBe(true);
        expect(each.start >= span.start - A_TICK && each.end <= span.end + A_TICK).toBe(true);
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
    await world.collect();
    await world.serve({ difficult: true });
    failOnce();
    const first = JSON.parse((await world.sync()).stdout) as Summary;
    expect(first.status).toBe('succeeded');
    const counted: Record<string, keyof StreamSummary> = {
      'cleargrid.rows.read': 'rows_read',
      'cleargrid.rows.written': 'rows_written',
      'cleargrid.rows.unchanged': 'rows_unchanged',
      'cleargrid.changed_fields': 'changed_fields',
      'cleargrid.unparsed_dates': 'unparsed_dates',
      'cleargrid.rejects': 'rejects',
      'cleargrid.requests': 'requests',
      'cleargrid.retries': 'retries',
      'cleargrid.bytes': 'bytes',
      'http.client.request.duration': 'requests',
    };
    for (const stream of first.streams) {
      for (const [metric, key] of Object.entries(counted)) {
        expect([stream.stream, metric, world.measured(metric, stream.stream)]).toEqual([
          stream.stream,
          metric,
          stream[key],
        ]);
      }
    }
    expect(world.measured('cleargrid.retries')).toBeGreaterThan(0);
    expect(world.measured('cleargrid.rejects')).toBeGreaterThan(0);
    const retries = world.collector.points().filter(({ metric }) => metric === 'cleargrid.retries');
    expect(new Set(retries.map(({ attributes }) => attributes['error.type']))).toEqual(
      new Set(['interrupted', 'refused', 'throttled']),
    );
    const commits = world.collector.spans().filter(({ name }) => name === 'commit');
    expect(world.measured('cleargrid.commit.duration')).toBe(commits.length);
    expect(world.measured('cleargrid.stream.duration')).toBe(STREAMS.length);
    const lags = world.collector.points().filter(({ metric }) => metric === 'cleargrid.lag');
    expect(lags.map(({ unit, value }) => [unit, value >= 0 && value < 600])).toEqual(STREAMS.map(() => ['s', true]));
  });

  test('tells who it is, as the environment says', async () => {
    await world.collect();
    await world.serve();
    expect((await world.sync()).code).toBe(0);
    expect(world.collector.resource()).toMatchObject({
      'service.name': 'cleargrid-connector',
      'service.version': manifest.version,
    });
    await world.collector.stop();
    await world.collect();
    const named = { OTEL_SERVICE_NAME: 'hourly', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test' };
    expect((await world.sync(named)).code).toBe(0);
    expect(world.collector.resource()).toMatchObject({
      'service.name': 'hourly',
      'deployment.environment.name': 'test',
    });
  });

  test('tells which task it is, the same in each job, so that no two send the same series', async () => {
    await world.serve();
    const resourceOf = async (env: Record<string, string>, ...flags: string[]) => {
      await world.collect();
      await start(['sync', '--config', world.config, ...flags], world.settings(env)).ended;
      const resource = world.collector.resource();
      await world.collector.stop();
      return [resource['service.instance.id'], resource['cleargrid.task']];
    };
    expect(await resourceOf({}, '--task', '1/4')).toEqual(['1/4', '1/4']);
    const cloudRun = { CLOUD_RUN_TASK_INDEX: '2', CLOUD_RUN_TASK_COUNT: '4' };
    expect(await resourceOf(cloudRun)).toEqual(['2/4', '2/4']);
    const pod = { ...cloudRun, OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=pod-2' };
    expect(await resourceOf(pod)).toEqual(['pod-2', '2/4']);
    expect(await resourceOf({}, '--dry-run')).toEqual([undefined, undefined]);
  });

  test('tells why a stream failed, and no secret', async () => {
    await world.collect();
    await world.serve();
    world.simulator.failNext(200, '500', { route: 'page', code: 'D07' });
    const { code, stdout } = await world.sync();
    expect(code).toBe(1);
    const { streams } = JSON.parse(stdout) as Summary;
    const { error } = streams.find(({ stream }) => stream === 'borrower_payments')!;
    const failed = world.only('stream borrower_payments');
    expect(failed.status).toEqual({ code: 2, message: error!.message });
    expect(failed.attributes).toMatchObject({ 'error.type': 'transient_error', 'cleargrid.status': 'failed' });
    expect(failed.events).toContainEqual({
      name: 'exception',
      attributes: { 'exception.type': 'transient_error', 'exception.message': error!.message },
    });
    const window = world.collector
      .spans()
      .find(({ parentId, name }) => parentId === failed.spanId && name === 'window');
    expect(window!.status.code).toBe(2);
    expect(world.only('sync').status.code).toBe(2);
    for (const body of world.collector.bodies) expect(body.includes(PASSWORD)).toBe(false);
  });

  test('tells why a run could not begin', async () => {
    await world.collect();
    await world.serve({}, { password: 'wrong-password' });
    const { code } = await world.sync();
    expect(world.only('sync')).toMatchObject({ status: { code: 2 }, attributes: { 'process.exit.code': code } });
    for (const body of world.collector.bodies) expect(body.includes('wrong-password')).toBe(false);
  });

  test('is told to its end when it is stopped', async () => {
    await world.collect();
    await world.serve({ rows: 3_000, latencyMs: 60 }, { concurrency: 1, streams: undefined });
    const running = start(['sync', '--config', world.config], world.settings());
    while (world.simulator.requests().total < 8 && running.process.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 50));
    running.process.kill('SIGTERM');
    expect((await running.ended).code).toBe(143);
    const root = world.only('sync');
    expect(root.attributes).toMatchObject({ 'process.exit.code': 143, 'cleargrid.status': 'stopped' });
    expect(root.status.code).not.toBe(2);
    expect(world.measured('cleargrid.requests')).toBeGreaterThan(0);
  });
});
