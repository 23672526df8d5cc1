import { type Context, createTraceState, isSpanContextValid, ROOT_CONTEXT, trace } from '@opentelemetry/api';

/** https://www.w3.org/TR/trace-context/#traceparent-header-field-values; later versions may have more at its end. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/;

/** The span that started this process, as TRACEPARENT and TRACESTATE in its environment tell; without a good one none. */
export function parentContext(env: Readonly<Record<string, string | undefined>>): Context {
  const [, traceId = '', spanId = '', flags = '0'] = TRACEPARENT.exec(env.TRACEPARENT?.trim() ?? '') ?? [];
  const parent = {
    ...{ traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true },
    ...(env.TRACESTATE !== undefined && { traceState: createTraceState(env.TRACESTATE) }),
  };
  return isSpanContextValid(parent) ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}
