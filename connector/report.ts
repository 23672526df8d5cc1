import type { Failure } from '../destinations/failure.ts';
import type { StreamSummary } from './summary.ts';

/** What a run tells while it runs. Implemented by the terminal's progress and by the JSON-lines log; a test may listen too. */
export interface Reporter {
  streamStarted(stream: string): void;
  /** Called after each page and each commit: cheap, and throttled by whoever shows it. */
  progress(stream: string, progress: StreamProgress): void;
  /** `failure` is what ended a stream at work, with all its causes; null where only the summary tells. */
  streamEnded(summary: StreamSummary, failure: Failure | null): void;
  /** Something a person asked to be told. */
  notice(message: string, stream?: string): void;
  /** Something a person should know and that stops nothing. */
  warning(message: string, stream?: string): void;
}

export interface StreamProgress {
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** Windows that are not read to their end yet. */
  readonly windows: number;
  /** What the stream waits for, in a few words (`retry in 4 s: 503`), or null. */
  readonly waiting: string | null;
  /** For how many milliseconds the API has asked to be left alone (429, 503); not there when it has not. */
  readonly throttledMs?: number;
}
