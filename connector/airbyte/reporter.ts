import { errorLine, logLine, statusLine } from '../../destinations/airbyte/messages.ts';
import type { Output } from '../../destinations/airbyte/output.ts';
import { stackOf } from '../output/log.ts';
import { endingText, progressText } from '../output/reporters.ts';
import type { Reporter } from '../report.ts';

/** How often a stream's progress is told, in milliseconds. */
const LOG_EVERY_MS = 15_000;

/** How long a stream is left alone with the same news, in milliseconds: all its walkers are throttled together. */
const THROTTLED_EVERY_MS = 1_000;

/**
 * Tells a run in Airbyte's messages: the status of each stream, why it failed, and what a person should know.
 *
 * @param debug whether the trace of a failure has its stack and those of its causes.
 */
export function airbyteReporter(output: Output, redact: (text: string) => string, debug = false): Reporter {
  const log = (level: 'INFO' | 'WARN', message: string) => output.tell(logLine(level, redact(message)));
  const progressTold = new Map<string, number>();
  const throttledTold = new Map<string, number>();
  const isDue = (told: Map<string, number>, stream: string, everyMs: number) => {
    const now = performance.now();
    if (now - (told.get(stream) ?? Number.NEGATIVE_INFINITY) < everyMs) return false;
    told.set(stream, now);
    return true;
  };

  return {
    streamStarted(stream) {
      progressTold.set(stream, performance.now());
      output.tell(statusLine(stream, 'STARTED'));
    },
    progress(stream, progress) {
      const { throttledMs = 0 } = progress;
      if (throttledMs > 0 && isDue(throttledTold, stream, THROTTLED_EVERY_MS)) {
        output.tell(statusLine(stream, 'RUNNING', Date.now() + Math.ceil(throttledMs)));
      }
      if (isDue(progressTold, stream, LOG_EVERY_MS)) log('INFO', `${stream}: ${progressText(progress)}`);
    },
    happened() {},
    streamEnded(summary, failure) {
      const { stream, status, error } = summary;
      if (error !== null) {
        const internal = error.request_id === null ? null : `request ${error.request_id}`;
        const message = redact(error.message);
        const stack = debug && failure !== null ? redact(stackOf(failure)) : null;
        output.tell(errorLine({ message, kind: error.kind, stream, internal, stack }));
      }
      log('INFO', `${stream}: ${endingText(summary)}`);
      // A run that is stopped also ends the streams whose turn had not come: what was not STARTED is not INCOMPLETE.
      if (progressTold.has(stream)) output.tell(statusLine(stream, status === 'succeeded' ? 'COMPLETE' : 'INCOMPLETE'));
    },
    notice: (message) => log('INFO', message),
    warning: (message) => log('WARN', message),
  };
}
