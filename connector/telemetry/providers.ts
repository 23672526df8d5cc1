import type { Meter, Tracer } from '@opentelemetry/api';
import {
  defaultResource,
  detectResources,
  type Resource,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { Task } from '../sync/part.ts';
import { VERSION } from '../version.ts';
import { ATTR_TASK } from './names.ts';

const NAME = 'cleargrid-connector';

/** Called when something could not be sent. */
export type SendFailed = (error: Error | undefined) => void;

/**
 * What we are called, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES says otherwise. Tasks are instances, so that no two of them send
 * the same series; the same from job to job, so that a series goes on with the next. A run that is alone has no id of its own: a new one for
 * each run would make each counter a series of a single point.
 */
export function ourResource(task: Task | null): Resource {
  const which = task && `${task.index}/${task.count}`;
  const ours = resourceFromAttributes({
    ...{ [ATTR_SERVICE_NAME]: NAME, [ATTR_SERVICE_VERSION]: VERSION },
    ...(which !== null && { [ATTR_SERVICE_INSTANCE_ID]: which, [ATTR_TASK]: which }),
  });
  const told = detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] });
  return defaultResource().merge(ours).merge(told);
}

/** Spans wait in a queue of 2,048 at most; what does not fit while a collector is slow is dropped. */
export async function openTraces(resource: Resource, failed: SendFailed) {
  const [{ OTLPTraceExporter }, { BatchSpanProcessor, TracerProvider }] = await Promise.all([
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/sdk-trace'),
  ]);
  const exporter = new OTLPTraceExporter();
  watch(exporter, failed);
  const provider = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter })] });
  const tracer: Tracer = provider.getTracer(NAME, VERSION);
  return { tracer, shutdown: () => provider.shutdown() };
}

export async function openMetrics(resource: Resource, failed: SendFailed) {
  const [{ OTLPMetricExporter }, { MeterProvider, PeriodicExportingMetricReader }] = await Promise.all([
    import('@opentelemetry/exporter-metrics-otlp-proto'),
    import('@opentelemetry/sdk-metrics'),
  ]);
  const exporter = new OTLPMetricExporter();
  watch(exporter, failed);
  const provider = new MeterProvider({ resource, readers: [new PeriodicExportingMetricReader({ exporter })] });
  const meter: Meter = provider.getMeter(NAME, VERSION);
  return { meter, shutdown: () => provider.shutdown() };
}

interface Exporter<Items, Result> {
  export(items: Items, done: (result: Result) => void): void;
}

/** Lets the failures of an exporter be known: the packages tell them to nobody. */
function watch<Items, Result extends { code: number; error?: Error }>(
  exporter: Exporter<Items, Result>,
  failed: SendFailed,
): void {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.code !== 0) failed(result.error);
      done(result);
    });
}
