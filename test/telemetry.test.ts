import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { commandSpan } from '../connector/telemetry/command-span.ts';
import { parentContext } from '../connector/telemetry/parent.ts';
import { systemError } from '../destinations/failure.ts';
import type { Window } from '../destinations/position.ts';

describe('the parent of a run', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const spanId = 'b7ad6b7169203331';
  const parentOf = (TRACEPARENT?: string, more = {}) =>
    trace.getSpanContext(parentContext({ ...(TRACEPARENT !== undefined && { TRACEPARENT }), ...more }));

  test('is the span that TRACEPARENT names, with its state', () => {
    const parent = parentOf(`00-${traceId}-${spanId}-01`, { TRACESTATE: 'vendor=abc' });
    expect(parent).toMatchObject({ traceId, spanId, traceFlags: 1, isRemote: true });
    expect(parent?.traceState?.get('vendor')).toBe('abc');
    expect(parentOf(`00-${traceId}-${spanId}-00`)?.traceFlags).toBe(0);
    expect(parentOf(`01-${traceId}-${spanId}-01-more`)?.spanId).toBe(spanId);
  });

  test.each([
    ['is missing', undefined],
    ['is empty', ''],
    ['is no traceparent', 'yes'],
    ['is of a forbidden version', `ff-${traceId}-${spanId}-01`],
    ['has a trace of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['has a span of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['is too short', `00-${traceId}-${spanId.slice(1)}-01`],
  ])('is nobody where it %s', (_, value) => {
    expect(parentOf(value)).toBeUndefined();
  });
});

describe('the spans of a run', () => {
  function traced() {
    const exporter = new InMemorySpanExporter();
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    const tracer = provider.getTracer('test');
    const redact = (text: string) => text.replaceAll('secret', '****');
    const command = commandSpan({ tracer, command: 'sync', env: {}, redact });
    return { command, reporter: command.reporter('duckdb'), spans: () => exporter.getFinishedSpans() };
  }
  const done = { written: 1, unchanged: 0, changedFields: 0, unparsedDates: 0, rejects: 0, repeatedKeys: 0 };
  const windowAt = (at: number): Window => ({ since: null, until: String(at), cursor: null, last: null });

  test('stay few, however many windows and commits a stream has', () => {
    const { command, reporter, spans } = traced();
    reporter.streamStarted('borrowers');
    for (let at = 0; at < 5_000; at++) {
      const window = windowAt(at);
      reporter.happened('borrowers', { type: 'window begun', window });
      reporter.happened('borrowers', { type: 'retried', reason: 'refused' });
      reporter.happened('borrowers', { type: 'committed', ms: 1, pages: 1, done });
      reporter.happened('borrowers', { type: 'window ended', window, failure: null });
    }
    command.end(0, null);
    expect(spans().length).toBeLessThan(1_100);
    const stream = spans().find(({ name }) => name === 'stream borrowers')!;
    expect(stream.attributes).toMatchObject({ 'cleargrid.windows': 5_000, 'cleargrid.commits': 5_000 });
    expect(stream.events.length).toBeLessThan(200);
  });

  test('end with the command where the run was abandoned', () => {
    const { command, reporter, spans } = traced();
    reporter.streamStarted('borrowers');
    reporter.happened('borrowers', { type: 'window begun', window: windowAt(1) });
    command.end(143, null);
    expect(spans().map(({ name }) => name)).toEqual(['window', 'stream borrowers', 'sync']);
    expect(spans().every(({ ended }) => ended)).toBe(true);
  });

  test('carry no secret that a message might hold', () => {
    const { command, reporter, spans } = traced();
    const failure = systemError('a secret place');
    reporter.streamStarted('borrowers');
    reporter.happened('borrowers', { type: 'not committed', ms: 1, pages: 1, failure });
    reporter.warning('a secret thing', 'borrowers');
    reporter.warning('a secret of all');
    command.end(4, failure);
    const told = spans().map(({ attributes, events, status }) => ({ attributes, events, status }));
    expect(JSON.stringify(told)).not.toContain('secret');
    expect(JSON.stringify(told).split('****')).toHaveLength(7);
  });
});
