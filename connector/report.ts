import type { Committed } from '../destinations/contract.ts';
import type { Failure } from '../destinations/failure.ts';
import type { Window } from '../destinations/position.ts';
import type { StreamSummary } from './summary.ts';

/** What a run tells while it runs. Implemented by the terminal's progress, the JSON-lines log and telemetry; a test may listen too. */
export interface Reporter {
  streamStarted(stream: string): void;
  /** Called after each page and each commit: cheap, and throttled by whoever shows it. */
  progress(stream: string, progress: StreamProgress): void;
  /** What a stream does, step by step, for whoever measures it: as cheap as `progress`. */
  happened(stream: string, event: StreamEvent): void;
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
  readonly rowsUnchanged: number;
  readonly rejects: number;
  readonly requests: number;
  readonly bytes: number;
  /** Windows that are not read to their end yet. */
  readonly windows: number;
  /** What the stream waits for, in a few words (`retry in 4 s: 503`), or null. */
  readonly waiting: string | null;
  /** For how many milliseconds the API has asked to be left alone (429, 503); not there when it has not. */
  readonly throttledMs?: number;
}

export type StreamEvent =
  | { readonly type: 'window begun'; readonly window: Window }
  /** `failure` is null as well where the run was stopped, or another window had failed before. */
  | { readonly type: 'window ended'; readonly window: Window; readonly failure: Failure | null }
  /** A request for a page was answered, whatever with, or given up. */
  | { readonly type: 'answered'; readonly ms: number; readonly error: unknown }
  /** A page is asked for again, or for something else instead; `reason` is one of a few words. */
  | { readonly type: 'retried'; readonly reason: string }
  | { readonly type: 'committed'; readonly ms: number; readonly pages: number; readonly done: Committed }
  | { readonly type: 'not committed'; readonly ms: number; readonly pages: number; readonly failure: Failure };

/** What a stream has done before it does anything. */
export const NO_PROGRESS: StreamProgress = {
  rowsRead: 0,
  rowsWritten: 0,
  rowsUnchanged: 0,
  rejects: 0,
  requests: 0,
  bytes: 0,
  windows: 0,
  waiting: null,
};

/** Tells nobody. */
export const silentReporter: Reporter = {
  streamStarted: () => {},
  progress: () => {},
  happened: () => {},
  streamEnded: () => {},
  notice: () => {},
  warning: () => {},
};

/** Tells several reporters the same. */
export function reportToAll(reporters: readonly [Reporter, ...Reporter[]]): Reporter {
  if (reporters.length === 1) return reporters[0];
  const all = (tell: (reporter: Reporter) => void) => reporters.forEach(tell);
  return {
    streamStarted: (stream) => all((each) => each.streamStarted(stream)),
    progress: (stream, progress) => all((each) => each.progress(stream, progress)),
    happened: (stream, event) => all((each) => each.happened(stream, event)),
    streamEnded: (summary, failure) => all((each) => each.streamEnded(summary, failure)),
    notice: (message, stream) => all((each) => each.notice(message, stream)),
    warning: (message, stream) => all((each) => each.warning(message, stream)),
  };
}
