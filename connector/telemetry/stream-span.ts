import { type Attributes, type Context, type Span, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { ATTR_DB_COLLECTION_NAME, ATTR_DB_SYSTEM_NAME, ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import type { Window } from '../../destinations/position.ts';
import type { StreamEvent } from '../report.ts';
import type { StreamSummary } from '../summary.ts';
import { ATTR_STATUS, ATTR_STREAM, DB_SYSTEM } from './names.ts';
import { recordFailure } from './record-failure.ts';
import type { Into } from './telemetry.ts';

/** So many windows and commits of a stream are traced, each; a first load may have any number of them. */
const MOST_OF_EACH = 500;

export interface StreamSpan {
  readonly span: Span;
  happened(event: StreamEvent): void;
  end(summary: StreamSummary): void;
  /** Ends it without knowing what became of the stream. */
  abandon(): void;
}

export interface StreamSpanOptions {
  readonly tracer: Tracer;
  readonly parent: Context;
  readonly stream: string;
  readonly into: Into | null;
  readonly redact: (text: string) => string;
}

/** The span of a stream, with its windows and commits below it: a commit may write pages of several windows. */
export function streamSpan({ tracer, parent, stream, into, redact }: StreamSpanOptions): StreamSpan {
  const span = tracer.startSpan(`stream ${stream}`, { attributes: { [ATTR_STREAM]: stream } }, parent);
  const context = trace.setSpan(parent, span);
  const windows = new Map<Window, Span>();
  const begun = { windows: 0, commits: 0 };
  const system = into === null ? null : DB_SYSTEM[into];
  const database: Attributes =
    system === null ? {} : { [ATTR_DB_SYSTEM_NAME]: system, [ATTR_DB_COLLECTION_NAME]: stream };

  function beginWindow(window: Window): void {
    if (++begun.windows > MOST_OF_EACH) return;
    const { since, until } = window;
    const attributes = {
      [ATTR_STREAM]: stream,
      ...(since !== null && { 'cleargrid.window.since': since }),
      ...(until !== null && { 'cleargrid.window.until': until }),
    };
    windows.set(window, tracer.startSpan('window', { attributes }, context));
  }

  function traceCommit(event: Extract<StreamEvent, { type: 'committed' | 'not committed' }>): void {
    if (++begun.commits > MOST_OF_EACH) return;
    const commit = tracer.startSpan(
      'commit',
      {
        kind: system === null ? SpanKind.INTERNAL : SpanKind.CLIENT,
        startTime: Date.now() - event.ms,
        attributes: { ...database, [ATTR_STREAM]: stream, 'cleargrid.pages': event.pages },
      },
      context,
    );
    if (event.type === 'not committed') recordFailure(commit, event.failure, redact);
    else {
      const { written, unchanged, rejects } = event.done;
      commit.setAttributes({
        'cleargrid.rows.written': written,
        'cleargrid.rows.unchanged': unchanged,
        'cleargrid.rejects': rejects,
      });
    }
    commit.end();
  }

  function end(): void {
    for (const window of windows.values()) window.end();
    windows.clear();
    span.setAttributes({ 'cleargrid.windows': begun.windows, 'cleargrid.commits': begun.commits });
    span.end();
  }

  return {
    span,
    happened(event) {
      switch (event.type) {
        case 'window begun':
          return beginWindow(event.window);
        case 'window ended': {
          const window = windows.get(event.window);
          if (window !== undefined && event.failure !== null) recordFailure(window, event.failure, redact);
          window?.end();
          windows.delete(event.window);
          return;
        }
        case 'committed':
        case 'not committed':
          return traceCommit(event);
        case 'retried':
          span.addEvent('retry', { [ATTR_ERROR_TYPE]: event.reason });
      }
    },
    end(summary) {
      const { status, error } = summary;
      span.setAttributes({ [ATTR_STATUS]: status, ...figuresOf(summary) });
      if (error !== null) recordFailure(span, error, redact);
      if (error?.request_id) span.setAttribute('cleargrid.request_id', error.request_id);
      end();
    },
    abandon: end,
  };
}

function figuresOf(summary: StreamSummary): Attributes {
  return {
    'cleargrid.rows.read': summary.rows_read,
    'cleargrid.rows.written': summary.rows_written,
    'cleargrid.rows.unchanged': summary.rows_unchanged,
    'cleargrid.rows.deleted': summary.rows_deleted,
    'cleargrid.changed_fields': summary.changed_fields,
    'cleargrid.unparsed_dates': summary.unparsed_dates,
    'cleargrid.rejects': summary.rejects,
    'cleargrid.requests': summary.requests,
    'cleargrid.retries': summary.retries,
    'cleargrid.bytes': summary.bytes,
    ...(summary.complete !== null && { 'cleargrid.complete': summary.complete }),
  };
}
