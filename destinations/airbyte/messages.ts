import type { FailureKind } from '../failure.ts';

/**
 * The messages of the Airbyte protocol that tell of a run, each as one line. The protocol's own names are copied exactly, its
 * mixed casing included.
 */

export type LogLevel = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
export type StreamStatus = 'STARTED' | 'RUNNING' | 'COMPLETE' | 'INCOMPLETE';

export const messageLine = (message: object): string => `${JSON.stringify(message)}\n`;

export function logLine(level: LogLevel, message: string): string {
  return messageLine({ type: 'LOG', log: { level, message } });
}

/** @param quotaReset milliseconds since 1970 at which the API takes requests again; null where it is not what is waited for. */
export function statusLine(stream: string, status: StreamStatus, quotaReset: number | null = null): string {
  const reasons =
    quotaReset === null ? {} : { reasons: [{ type: 'RATE_LIMITED', rate_limited: { quota_reset: quotaReset } }] };
  return traceLine('STREAM_STATUS', { stream_status: { stream_descriptor: { name: stream }, status, ...reasons } });
}

export function estimateLine(stream: string, rows: number): string {
  return traceLine('ESTIMATE', { estimate: { name: stream, type: 'STREAM', row_estimate: rows } });
}

export interface ErrorTrace {
  readonly message: string;
  readonly kind: FailureKind;
  /** The stream that failed; null: the command as a whole. */
  readonly stream: string | null;
  /** What helps support more than the user, or null. */
  readonly internal: string | null;
  readonly stack: string | null;
}

export function errorLine({ message, kind, stream, internal, stack }: ErrorTrace): string {
  return traceLine('ERROR', {
    error: {
      message,
      ...(internal !== null && { internal_message: internal }),
      ...(stack !== null && { stack_trace: stack }),
      failure_type: kind,
      ...(stream !== null && { stream_descriptor: { name: stream } }),
    },
  });
}

function traceLine(type: string, payload: object): string {
  return messageLine({ type: 'TRACE', trace: { type, emitted_at: Date.now(), ...payload } });
}

/** What a STATE tells of the stream since its previous one. */
export interface StateCounts {
  readonly records: number;
  /** Records that were no rows, and were left out. */
  readonly rejected: number;
}

/**
 * A STATE of one stream. The protocol's counts are doubles that are always written with a point, which `JSON.stringify` does not
 * do: hence the text by hand.
 */
export function stateLine(stream: string, state: object, { records, rejected }: StateCounts): string {
  const descriptor = JSON.stringify({ name: stream });
  const stats = `{"recordCount":${records}.0,"rejectedRecordCount":${rejected}.0}`;
  return `{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":${descriptor},"stream_state":${JSON.stringify(state)}},"sourceStats":${stats}}}\n`;
}
