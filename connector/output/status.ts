import { styleText } from 'node:util';
import { oncePerCause, type Told, withoutStream } from '../causes.ts';
import type { LastVerdict, StatusReport, StreamStatus } from '../commands/status-report.ts';
import { stateOf } from './stream-state.ts';
import { type Column, type Screen, table } from './table.ts';
import { ago, count, counted, moment, roughly, span } from './words.ts';

/** Everything fits a terminal of 80 columns; on a narrower one it does with less. */
const WIDTH = 80;

const COLUMNS: readonly Column[] = [
  { title: 'Stream' },
  { title: 'Complete to, UTC', spare: 1 },
  { title: 'Lag', align: 'right' },
  { title: 'Rows of\nlast run', align: 'right', spare: 2 },
  { title: '' },
];

/** What `status` shows people: how far each stream is, and below it what needs attention. */
export function statusText(report: StatusReport, now: Date, screen: Screen): string {
  const blocks = [header(report, now, screen)];
  if (report.streams.length > 0) {
    blocks.push([
      table(
        COLUMNS,
        report.streams.map((stream) => row(stream, screen)),
        screen,
      ),
    ]);
    blocks.push(told('To look at', report.streams.flatMap(toLookAt), screen));
    blocks.push(told('Past errors, overcome since', report.streams.flatMap(overcome), screen));
    blocks.push(notes(report.streams, screen));
  }
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n');
}

function header({ destination, busy, last_run: run }: StatusReport, now: Date, screen: Screen): string[] {
  if (busy !== null)
    return [
      ...wrap(`${destination}, cannot be asked now:`, screen),
      ...wrap(busy, screen, '  '),
      ...wrap('Until then, the log of whoever has it open tells how far it is.', screen),
    ];
  if (run === null)
    return wrap(`${destination}: no run yet. Start one with: cleargrid-connector sync --config FILE`, screen);
  const began = `${moment(run.started_at)} UTC`;
  const what = run.tasks === null ? run.command : `${run.command} of ${counted(run.tasks, 'task')}`;
  const lines = wrap(destination, screen);
  if (run.status === 'running') {
    return [...lines, ...wrap(`A ${what} began at ${began} and has not ended: it is at work, or was killed.`, screen)];
  }
  const ended = run.ended_at ?? run.started_at;
  const took = (Date.parse(ended) - Date.parse(run.started_at)) / 1000;
  const since = ago((now.getTime() - Date.parse(ended)) / 1000);
  return [...lines, ...wrap(`Last run: ${what} at ${began}, ${run.status} after ${span(took)}, ${since}`, screen)];
}

function row(stream: StreamStatus, screen: Screen): string[] {
  return [
    stream.stream,
    stream.complete === null ? '-' : moment(stream.complete).slice(0, 16),
    stream.lag_seconds === null ? '-' : roughly(stream.lag_seconds),
    stream.last_run === null ? '-' : count(stream.last_run.rows_written),
    state(stream, screen),
  ];
}

const COLOURS = { bad: 'red', unfinished: 'yellow', good: 'green', none: 'dim' } as const;

function state(stream: StreamStatus, screen: Screen): string {
  const { word, tone } = stateOf(stream);
  return styleText(COLOURS[tone], word, { stream: screen });
}

/** `after` belongs to the stream alone and not to its cause. */
type Line = Told & { readonly after?: string };

function told(title: string, what: readonly Line[], screen: Screen): string[] {
  const lines = oncePerCause(what).flatMap(({ streams, message, first }) =>
    wrap(`${streams.join(', ')}: ${message}${first.after ?? ''}`, screen),
  );
  return lines.length === 0 ? [] : [styleText('bold', title, { stream: screen }), ...lines];
}

/** What needs attention in one stream. */
function toLookAt(status: StreamStatus): Line[] {
  const { stream, problem, last_verify: verified, windows_left: left, refresh_pass: pass } = status;
  const messages = [
    ...(problem === null ? [] : [problem]),
    ...(verified?.verdict === 'differs' ? [differing(stream, verified)] : []),
    ...(pass === null
      ? []
      : ['a full refresh is not finished; the next run of any kind goes on with it, or says what it waits for']),
    ...(left === 0 ? [] : [`${counted(left, 'window')} not read to the end; the next run goes on there`]),
  ];
  return [...messages.map((message) => ({ stream, message })), ...(isOvercome(status) ? [] : lastError(status))];
}

const overcome = (status: StreamStatus): Line[] => (isOvercome(status) ? lastError(status) : []);

/** Whether a run has succeeded since the last error (which may be `verify`'s), or a task begun again. */
function isOvercome({ last_run: run, last_error: error }: StreamStatus): boolean {
  return run?.status === 'succeeded' && error !== null && (run.ended_at ?? run.started_at) >= error.at;
}

function lastError({ stream, last_error: error }: StreamStatus): Line[] {
  if (error === null) return [];
  const { message, at, request_id: request } = error;
  const after = request === null ? '' : ` (request ${request})`;
  return [{ stream, message: `last error, ${moment(at)}: ${withoutStream({ stream, message })}`, after }];
}

function differing(stream: string, { at }: LastVerdict): string {
  return (
    `verify found it to differ from the API, ${moment(at)}. To read just what differs again, run: ` +
    `cleargrid-connector verify --config FILE --streams ${stream} --repair`
  );
}

function notes(streams: readonly StreamStatus[], screen: Screen): string[] {
  const late = streams.filter((stream) => stream.changes_seen_within_seconds !== null);
  if (late.length === 0) return [];
  const groups = Map.groupBy(late, (stream) => `${stream.cursor}, ${span(stream.changes_seen_within_seconds!)}`);
  return [
    ...wrap(
      'Rows of these streams are found by when they began, not by when they changed. A change later than this look-back is seen by the next sync --full-refresh:',
      screen,
    ),
    ...[...groups].flatMap(([how, members]) =>
      wrap(`${how}: ${members.map(({ stream }) => stream).join(', ')}`, screen, '  '),
    ),
  ];
}

/** Breaks text between words; lines after the first are indented. */
function wrap(text: string, screen: Screen, indent = ''): string[] {
  const width = Math.min(WIDTH, screen.columns || WIDTH);
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/)) {
    const longer = line.trim() === '' ? `${line}${word}` : `${line} ${word}`;
    if (longer.length > width && line.trim() !== '') {
      lines.push(line);
      line = `${indent}  ${word}`;
    } else line = longer;
  }
  return [...lines, line];
}
