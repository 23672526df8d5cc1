import type { StreamStatus } from '../commands/status-report.ts';

/** How a stream is doing, in a word or two. */
export interface StreamState {
  readonly word: string;
  readonly tone: 'bad' | 'unfinished' | 'good' | 'none';
}

/** The same word wherever people are shown a stream. */
export function stateOf(stream: StreamStatus): StreamState {
  if (stream.problem !== null) return { word: 'refused', tone: 'bad' };
  if (stream.last_run?.status === 'failed') return { word: 'failed', tone: 'bad' };
  if (stream.last_verify?.verdict === 'differs') return { word: 'differs', tone: 'bad' };
  if (stream.windows_left > 0) return { word: `${stream.windows_left} left`, tone: 'unfinished' };
  if (stream.refresh_pass !== null) return { word: 'refresh', tone: 'unfinished' };
  return stream.complete === null ? { word: 'not yet', tone: 'none' } : { word: 'ok', tone: 'good' };
}
