import { SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { Failure } from '../../destinations/failure.ts';
import type { Reporter } from '../report.ts';
import { ATTR_STATUS } from './names.ts';
import { parentContext } from './parent.ts';
import { recordFailure } from './record-failure.ts';
import { type StreamSpan, streamSpan } from './stream-span.ts';
import type { Into } from './telemetry.ts';

/** The span of a command; all others are below it. */
export interface CommandSpan {
  reporter(into: Into | null): Reporter;
  ran(run: { readonly run_id: string; readonly status: string }): void;
  end(code: number, failure: Failure | null): void;
}

export interface CommandSpanOptions {
  readonly tracer: Tracer;
  readonly command: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Takes secrets out of a message. */
  readonly redact: (text: string) => string;
}

export function commandSpan({ tracer, command, env, redact }: CommandSpanOptions): CommandSpan {
  const parent = parentContext(env);
  const root = tracer.startSpan(command, { attributes: { 'cleargrid.command': command } }, parent);
  const context = trace.setSpan(parent, root);
  const open = new Map<string, StreamSpan>();
  const begin = (stream: string, into: Into | null) => {
    open.get(stream)?.abandon();
    const span = streamSpan({ tracer, parent: context, stream, into, redact });
    open.set(stream, span);
    return span;
  };

  return {
    reporter: (into) => ({
      streamStarted: (stream) => void begin(stream, into),
      progress: () => {},
      happened: (stream, event) => open.get(stream)?.happened(event),
      streamEnded(summary) {
        (open.get(summary.stream) ?? begin(summary.stream, into)).end(summary);
        open.delete(summary.stream);
      },
      notice: () => {},
      warning(message, stream) {
        const span = (stream === undefined ? undefined : open.get(stream)?.span) ?? root;
        span.addEvent('warning', { message: redact(message) });
      },
    }),
    ran({ run_id: id, status }) {
      root.setAttributes({ 'cleargrid.run.id': id, [ATTR_STATUS]: status });
    },
    end(code, failure) {
      for (const span of open.values()) span.abandon();
      open.clear();
      root.setAttribute('process.exit.code', code);
      if (failure !== null) recordFailure(root, failure, redact);
      else if (code === 1)
        root.setStatus({ code: SpanStatusCode.ERROR, message: 'not all that was asked for was done' });
      root.end();
    },
  };
}
