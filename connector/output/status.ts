import { styleText } from 'node:util';
import type { StatusReport, StreamStatus } from '../commands/status-report.ts';
import { type Column, type Screen, table } from './table.ts';
import { count, moment, span } from './words.ts';

/** Everything fits a terminal of 80 columns. */
const WIDTH = 80;

const COLUMNS: readonly Column[] = [
  { title: 'Stream' },
  { title: 'Complete to, UTC' },
  { title: 'Lag', align: 'right' },
  { title: 'Rows', align: 'right' },
  { title: '' },
];

/** What `status` shows people: how far each stream is, and below it what needs attention. */
export function statusText(report: StatusReport, now: Date, screen: Screen): string {
  const blocks = [header(report, now)];
  if (report.streams.length > 0) {
    blocks.push([
      table(
        COLUMNS,
        report.streams.map((stream) => row(stream, screen)),
        screen,
      ),
    ]);
    blocks.push(problems(report.streams, screen));
    blocks.push(notes(report.streams));
  }
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n');
}

function header({ destination, busy, last_run: run }: StatusReport, now: Date): string[] {
  if (busy !== null) return wrap(`${destination} cannot be asked now: ${busy}`);
  if (run === null) return wrap(`${destination}: no run yet. Start one with: cleargrid-connector sync --config FILE`);
  const began = `${moment(run.started_at)} UTC`;
  const lines = wrap(destination);
  if (run.status === 'running') {
    return [...lines, ...wrap(`A ${run.command} began at ${began} and has not ended: it is at work, or was killed.`)];
  }
  const ended = run.ended_at ?? run.started_at;
  const took = (Date.parse(ended) - Date.parse(run.started_at)) / 1000;
  const ago = span((now.getTime() - Date.parse(ended)) / 1000);
  return [...lines, ...wrap(`Last run: ${run.command} at ${began}, ${run.status} after ${span(took)}, ${ago} ago`)];
}

function row(stream: StreamStatus, screen: Screen): string[] {
  return [
    stream.stream,
    stream.complete === null ? '-' : moment(stream.complete).slice(0, 16),
    stream.lag_seconds === null ? '-' : lag(stream.lag_seconds),
    stream.last_run === null ? '-' : count(stream.last_run.rows_written),
    state(stream, screen),
  ];
}

/** The largest unit alone: there is room for no more. */
const lag = (seconds: number) => span(seconds).split(' ').slice(0, 2).join(' ');

function state(stream: StreamStatus, screen: Screen): string {
  const paint = (colour: 'red' | 'yellow' | 'green' | 'dim', text: string) =>
    styleText(colour, text, { stream: screen });
  if (stream.problem !== null) return paint('red', 'refused');
  if (stream.last_run?.status === 'failed') return paint('red', 'failed');
  if (stream.windows_left > 0) return paint('yellow', `${stream.windows_left} left`);
  if (stream.refresh_pass !== null) return paint('yellow', 'refresh');
  return stream.complete === null ? paint('dim', 'not yet') : paint('green', 'ok');
}

function problems(streams: readonly StreamStatus[], screen: Screen): string[] {
  const lines = streams.flatMap((stream) => {
    const { last_error: error, windows_left: left, refresh_pass: pass } = stream;
    const texts: string[] = [];
    if (stream.problem !== null) texts.push(stream.problem);
    if (pass !== null) texts.push('a full refresh is not finished; the next run of any kind goes on with it');
    if (left > 0)
      texts.push(`${count(left)} window${left === 1 ? '' : 's'} not read to the end; the next run goes on there`);
    if (error !== null)
      texts.push(
        `last error, ${moment(error.at)}: ${error.message.replace(`${stream.stream}: `, '')}${requestText(error.request_id)}`,
      );
    return texts.flatMap((text) => wrap(`${stream.stream}: ${text}`));
  });
  return lines.length === 0 ? [] : [styleText('bold', 'To look at', { stream: screen }), ...lines];
}

const requestText = (id: string | null) => (id === null ? '' : ` (request ${id})`);

function notes(streams: readonly StreamStatus[]): string[] {
  const late = streams.filter((stream) => stream.changes_seen_within_seconds !== null);
  if (late.length === 0) return [];
  const groups = Map.groupBy(late, (stream) => `${stream.cursor}, ${span(stream.changes_seen_within_seconds!)}`);
  return [
    ...wrap(
      'Rows of these streams are found by when they began, not by when they changed. A change later than this look-back is seen by the next sync --full-refresh:',
    ),
    ...[...groups].flatMap(([how, members]) => wrap(`${how}: ${members.map(({ stream }) => stream).join(', ')}`, '  ')),
  ];
}

/** Breaks text between words; lines after the first are indented. */
function wrap(text: string, indent = ''): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/)) {
    const longer = line.trim() === '' ? `${line}${word}` : `${line} ${word}`;
    if (longer.length > WIDTH && line.trim() !== '') {
      lines.push(line);
      line = `${indent}  ${word}`;
    } else line = longer;
  }
  return [...lines, line];
}
