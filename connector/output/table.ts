import { stripVTControlCharacters, styleText } from 'node:util';
import Table from 'cli-table3';
import { oncePerCause } from '../causes.ts';
import type { StreamSummary, Summary } from '../summary.ts';
import { count, counted, span } from './words.ts';

/** Where text will be shown: colours are left out where that is no terminal, or NO_COLOR is set. */
export type Screen = NodeJS.WriteStream;

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Left out where the terminal is too narrow; the lowest goes first. */
  readonly spare?: number;
}

/**
 * A table without lines, its columns as wide as what is in them. On a terminal that is too narrow spare columns are left out, and
 * what then still does not fit is cut in the first column.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], screen: Screen): string {
  const excess = widthOf(columns, rows) - (screen.columns || Number.POSITIVE_INFINITY);
  if (excess > 0) {
    const [spare] = columns.filter((column) => column.spare !== undefined).sort((a, b) => a.spare! - b.spare!);
    if (spare !== undefined) {
      const isLeft = (_: unknown, at: number) => columns[at] !== spare;
      return table(
        columns.filter(isLeft),
        rows.map((row) => row.filter(isLeft)),
        screen,
      );
    }
    return drawn(columns, cut(rows, excess), screen);
  }
  return drawn(columns, rows, screen);
}

const GAP = 2;
const shownWidth = (text: string) =>
  Math.max(
    ...stripVTControlCharacters(text)
      .split('\n')
      .map((line) => line.length),
  );

function widthOf(columns: readonly Column[], rows: readonly (readonly string[])[]): number {
  const widths = columns.map(({ title }, at) => Math.max(...[title, ...rows.map((row) => row[at]!)].map(shownWidth)));
  return widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1));
}

function cut(rows: readonly (readonly string[])[], excess: number): string[][] {
  const width = Math.max(...rows.map(([first]) => shownWidth(first!))) - excess;
  return rows.map(([first, ...rest]) => [
    first!.length <= width ? first! : `${first!.slice(0, Math.max(0, width - 2))}..`,
    ...rest,
  ]);
}

function drawn(columns: readonly Column[], rows: readonly (readonly string[])[], screen: Screen): string {
  const made = new Table({
    head: columns.map(({ title }) => styleText('bold', title, { stream: screen })),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  made.push(...rows.map((row) => [...row]));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

const SUMMARY_COLUMNS: readonly Column[] = [
  { title: 'Stream' },
  { title: 'Read', align: 'right', spare: 2 },
  { title: 'Written', align: 'right' },
  { title: 'Unchanged', align: 'right', spare: 1 },
  { title: '' },
];

/** A run's summary for a terminal of 80 columns: a row a stream, what needs attention below, and how it ended. */
export function summaryText(summary: Summary, screen: Screen): string {
  const rows = summary.streams.map((stream) => [
    stream.stream,
    count(stream.rows_read),
    count(stream.rows_written),
    count(stream.rows_unchanged),
    stateOf(stream, screen),
  ]);
  const seconds = (Date.parse(summary.ended_at) - Date.parse(summary.started_at)) / 1000;
  const total = summary.streams.reduce((sum, stream) => sum + stream.rows_written, 0);
  return [
    ...(rows.length === 0 ? [] : [table(SUMMARY_COLUMNS, rows, screen), '']),
    ...attention(summary.streams),
    ...errorLines(summary.streams),
    `Run ${summary.status}: ${counted(total, 'row')} written in ${span(seconds)} (run ${summary.run_id})`,
  ].join('\n');
}

const COLOURS = { succeeded: 'green', failed: 'red', stopped: 'yellow', skipped: 'dim' } as const;

function stateOf(stream: StreamSummary, screen: Screen): string {
  return styleText(COLOURS[stream.status], stream.status === 'succeeded' ? 'ok' : stream.status, { stream: screen });
}

const NOTABLE = [
  ['rows_deleted', 'row', 'marked deleted, since the API no longer has them'],
  ['rejects', 'record', 'in _cleargrid_rejects, for want of a usable key'],
  ['changed_fields', 'value', 'that did not fit: null in the column, the original in _extra, the reason in _changes'],
  [
    'unparsed_dates',
    'business date',
    'that cannot be read as DD/MM/YYYY: the text is kept, the DATE beside it is null',
  ],
] as const;

function attention(streams: readonly StreamSummary[]): string[] {
  return NOTABLE.flatMap(([key, noun, what]) => {
    const some = streams.filter((stream) => stream[key] > 0);
    const total = some.reduce((sum, stream) => sum + stream[key], 0);
    if (total === 0) return [];
    return [`${counted(total, noun)} ${what}`, `  (${some.map((stream) => stream.stream).join(', ')})`];
  });
}

/** Each failure once, with the streams that share it. */
export function errorLines(summaries: readonly StreamSummary[]): string[] {
  const failed = summaries.flatMap(({ stream, error }) => (error === null ? [] : [{ stream, ...error }]));
  return oncePerCause(failed).map(
    ({ first, streams, message }) => `${streams.join(', ')} failed (${first.kind}): ${message}`,
  );
}
