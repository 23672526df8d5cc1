import { type Span, SpanStatusCode } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE, ATTR_EXCEPTION_MESSAGE, ATTR_EXCEPTION_TYPE } from '@opentelemetry/semantic-conventions';
import type { FailureKind } from '../../destinations/failure.ts';

interface ToldFailure {
  readonly kind: FailureKind;
  readonly message: string;
}

/** Marks a span as failed, and says why. */
export function recordFailure(span: Span, failure: ToldFailure, redact: (text: string) => string): void {
  const message = redact(failure.message);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.setAttribute(ATTR_ERROR_TYPE, failure.kind);
  span.addEvent('exception', { [ATTR_EXCEPTION_TYPE]: failure.kind, [ATTR_EXCEPTION_MESSAGE]: message });
}
