import { causeOf, type Told, withoutStream } from '../causes.ts';
import type { Reporter, StreamProgress } from '../report.ts';
import type { StreamSummary } from '../summary.ts';
import { type Log, stackOf } from './log.ts';
import { count, counted } from './words.ts';

/** How often a stream's progress is told in a log that nobody watches. */
const LOG_EVERY_MS = 15_000;

/** How a run is told to programs: a line when a stream starts, ends and every 15 s in between. */
export function logReporter(log: Log, monotonic: () => number = () => performance.now()): Reporter {
  const told = new Map<string, number>();
  const endings = failureTeller(log);
  return {
    streamStarted: (stream) => {
      told.set(stream, monotonic());
      log.info(`${stream}: started`, { stream });
    },
    progress: (stream, progress) => {
      if (monotonic() - (told.get(stream) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
      told.set(stream, monotonic());
      log.info(`${stream}: ${progressText(progress)}`, { stream, ...fieldsOf(progress) });
    },
    happened: () => {},
    streamEnded: (summary, failure) => {
      const { stream, status, error, ...figures } = summary;
      if (failure !== null) log.debug(`${stream}: where it failed`, { stream, stack: stackOf(failure) });
      if (error === null) log.info(`${stream}: ${endingText(summary)}`, { stream, status, ...figures });
      else endings(summary, { status, ...figures });
    },
    notice: (message, stream) => log.info(message, stream === undefined ? {} : { stream }),
    warning: warningTeller(log),
  };
}

/** Tells the failures of streams; a cause that several share is told once, and then referred to. */
export function failureTeller(log: Log): (summary: StreamSummary, fields?: Record<string, unknown>) => void {
  const shared = sharing();
  return ({ stream, error }, fields = {}) => {
    if (error === null) return;
    const sharedWith = shared({ stream, message: error.message });
    const message = `${stream}: ${sharedWith === null ? withoutStream({ stream, message: error.message }) : `failed as ${sharedWith} did`}`;
    const requestId = error.request_id === null ? {} : { request_id: error.request_id };
    log.error(message, { stream, kind: error.kind, ...requestId, ...fields });
  };
}

/** Tells the warnings of a run in the same way. */
export function warningTeller(log: Log): Reporter['warning'] {
  const shared = sharing();
  return (message, stream) => {
    if (stream === undefined) return log.warn(message);
    const sharedWith = shared({ stream, message });
    log.warn(sharedWith === null ? message : `${stream}: the same as ${sharedWith}`, { stream });
  };
}

/** Remembers causes: gives the stream that a cause was told of first, or null where that is this one. */
function sharing(): (told: Told) => string | null {
  const first = new Map<string, string>();
  return (told) => {
    const cause = causeOf(told);
    const before = first.get(cause);
    if (before === undefined) first.set(cause, told.stream);
    return before ?? null;
  };
}

/** `1,200 rows read, 3 windows left, retry in 4 s: 503`. */
export function progressText({ rowsRead, windows, waiting }: StreamProgress): string {
  return [
    `${counted(rowsRead, 'row')} read`,
    `${counted(windows, 'window')} left`,
    ...(waiting === null ? [] : [waiting]),
  ].join(', ');
}

export function endingText({ status, rows_read, rows_written, rows_deleted, verify }: StreamSummary): string {
  if (verify !== undefined) {
    const { verdict, api, table, until } = verify;
    return `${verdict}, ${counted(api, 'record')} of the API and ${counted(table, 'row')} of the table, up to ${until}`;
  }
  const deleted = rows_deleted === 0 ? '' : `, ${count(rows_deleted)} marked deleted`;
  return `${status}, ${counted(rows_read, 'row')} read, ${count(rows_written)} written${deleted}`;
}

function fieldsOf({ rowsRead, rowsWritten, windows, waiting }: StreamProgress): Record<string, unknown> {
  return { rows_read: rowsRead, rows_written: rowsWritten, windows, waiting };
}
