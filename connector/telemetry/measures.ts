import type { Attributes, Counter, Meter } from '@opentelemetry/api';
import {
  ATTR_DB_SYSTEM_NAME,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  METRIC_HTTP_CLIENT_REQUEST_DURATION,
} from '@opentelemetry/semantic-conventions';
import { asFailure } from '../../destinations/failure.ts';
import { type Reporter, type StreamProgress, silentReporter } from '../report.ts';
import { PageFailure } from '../source.ts';
import type { StreamSummary } from '../summary.ts';
import { ATTR_STATUS, ATTR_STREAM, DB_SYSTEM } from './names.ts';
import type { Into } from './telemetry.ts';

/** What is counted: its unit, and what it says. */
const COUNTED = {
  'cleargrid.rows.read': ['{row}', 'Records that the API delivered, repeats included'],
  'cleargrid.rows.written': ['{row}', 'Rows inserted or replaced'],
  'cleargrid.rows.unchanged': ['{row}', 'Rows that were there already, the same or newer'],
  'cleargrid.rows.deleted': ['{row}', 'Rows marked deleted by a full refresh'],
  'cleargrid.changed_fields': ['{field}', 'Values that did not fit their column'],
  'cleargrid.unparsed_dates': ['{date}', 'Business dates that are no day'],
  'cleargrid.rejects': ['{record}', 'Records without a usable key'],
  'cleargrid.requests': ['{request}', 'Requests for pages, repeats included'],
  'cleargrid.bytes': ['By', 'Bytes of pages that arrived whole'],
} as const;
type Counted = keyof typeof COUNTED;
type Totals = Partial<Record<Counted, number>>;

/** Bounds of histograms, in seconds; for requests those that the semantic conventions ask for. */
const REQUEST_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const COMMIT_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const STREAM_BOUNDS = [1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600];

/** Measures streams. Counters follow what the run itself counts, so that in the end they equal its summary. */
export function meterReporter(meter: Meter, { into, origin }: { into: Into | null; origin: URL }): Reporter {
  const counters = Object.entries(COUNTED).map(
    ([name, [unit, description]]) => [name as Counted, meter.createCounter(name, { unit, description })] as const,
  );
  const retries = meter.createCounter('cleargrid.retries', {
    unit: '{retry}',
    description: 'Pages asked for again, or for something else instead, by what went wrong',
  });
  const histogram = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries } });
  const requests = histogram(METRIC_HTTP_CLIENT_REQUEST_DURATION, 'Duration of requests for pages', REQUEST_BOUNDS);
  const commits = histogram('cleargrid.commit.duration', 'Duration of commits', COMMIT_BOUNDS);
  const streams = histogram('cleargrid.stream.duration', 'How long a stream was at work', STREAM_BOUNDS);
  const lag = meter.createGauge('cleargrid.lag', {
    unit: 's',
    description: 'How far behind now a stream was complete when it ended',
  });
  const told = new Map<string, Totals>();
  const system = into === null ? null : DB_SYSTEM[into];
  const common: Attributes = system === null ? {} : { [ATTR_DB_SYSTEM_NAME]: system };
  const api: Attributes = {
    [ATTR_HTTP_REQUEST_METHOD]: 'GET',
    [ATTR_SERVER_ADDRESS]: origin.hostname,
    [ATTR_SERVER_PORT]: Number(origin.port || (origin.protocol === 'https:' ? 443 : 80)),
  };

  /** Counts what has come to it since it was told last. */
  function count(stream: string, totals: Totals): void {
    const before = told.get(stream) ?? {};
    const attributes = { ...common, [ATTR_STREAM]: stream };
    for (const [name, counter] of counters) addTo(counter, attributes, totals[name], before[name]);
    told.set(stream, { ...before, ...totals });
  }

  return {
    ...silentReporter,
    streamStarted: (stream) => void told.delete(stream),
    progress: (stream, progress) => count(stream, totalsOf(progress)),
    happened(stream, event) {
      const attributes = { ...common, [ATTR_STREAM]: stream };
      switch (event.type) {
        case 'answered':
          requests.record(event.ms / 1000, { ...api, [ATTR_STREAM]: stream, ...answerOf(event.error) });
          break;
        case 'retried':
          retries.add(1, { ...attributes, [ATTR_ERROR_TYPE]: event.reason });
          break;
        case 'committed':
          commits.record(event.ms / 1000, attributes);
          break;
        case 'not committed':
          commits.record(event.ms / 1000, { ...attributes, [ATTR_ERROR_TYPE]: event.failure.kind });
          break;
      }
    },
    streamEnded(summary) {
      const { stream, status, error, complete, seconds } = summary;
      const attributes = { ...common, [ATTR_STREAM]: stream };
      count(stream, totalsIn(summary));
      const failed = error === null ? {} : { [ATTR_ERROR_TYPE]: error.kind };
      streams.record(seconds, { ...attributes, [ATTR_STATUS]: status, ...failed });
      if (into !== null && complete !== null) {
        lag.record(Math.max(0, (Date.now() - Date.parse(complete)) / 1000), attributes);
      }
    },
  };
}

/** A first 0 is told too: who watches for an increase needs what it increased from. */
function addTo(counter: Counter, attributes: Attributes, now?: number, before?: number): void {
  if (now !== undefined && now !== before) counter.add(now - (before ?? 0), attributes);
}

function totalsOf({ rowsRead, rowsWritten, rowsUnchanged, rejects, requests, bytes }: StreamProgress): Totals {
  return {
    'cleargrid.rows.read': rowsRead,
    'cleargrid.rows.written': rowsWritten,
    'cleargrid.rows.unchanged': rowsUnchanged,
    'cleargrid.rejects': rejects,
    'cleargrid.requests': requests,
    'cleargrid.bytes': bytes,
  };
}

function totalsIn(summary: StreamSummary): Totals {
  return {
    'cleargrid.rows.read': summary.rows_read,
    'cleargrid.rows.written': summary.rows_written,
    'cleargrid.rows.unchanged': summary.rows_unchanged,
    'cleargrid.rows.deleted': summary.rows_deleted,
    'cleargrid.changed_fields': summary.changed_fields,
    'cleargrid.unparsed_dates': summary.unparsed_dates,
    'cleargrid.rejects': summary.rejects,
    'cleargrid.requests': summary.requests,
    'cleargrid.bytes': summary.bytes,
  };
}

/** How a request ended: the status of its answer, or why there is none. */
function answerOf(error: unknown): Attributes {
  if (error === null) return { [ATTR_HTTP_RESPONSE_STATUS_CODE]: 200 };
  if (error instanceof DOMException) return { [ATTR_ERROR_TYPE]: 'abandoned' };
  if (!(error instanceof PageFailure)) return { [ATTR_ERROR_TYPE]: asFailure(error).kind };
  const { status, reason } = error;
  if (status === null) return { [ATTR_ERROR_TYPE]: reason };
  return { [ATTR_HTTP_RESPONSE_STATUS_CODE]: status, [ATTR_ERROR_TYPE]: status === 200 ? reason : String(status) };
}
