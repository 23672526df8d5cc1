import { styleText } from 'node:util';
import type { StreamSummary, Summary } from '../summary.ts';
import { type Column, errorLines, type Screen, table } from './table.ts';
import { count, counted, moment, span } from './words.ts';

const COLUMNS: readonly Column[] = [
  { title: 'Stream' },
  { title: 'Up to, UTC', spare: 1 },
  { title: 'API', align: 'right' },
  { title: 'Table', align: 'right' },
  { title: '' },
];

/** What `verify` found, for a terminal of 80 columns: a row a stream, what explains a difference below, and how it ended. */
export function verifyText(summary: Summary, screen: Screen): string {
  const rows = summary.streams.map((stream) => row(stream, screen));
  const seconds = (Date.parse(summary.ended_at) - Date.parse(summary.started_at)) / 1000;
  const equal = summary.streams.filter(({ verify }) => verify?.verdict === 'equal').length;
  return [
    ...(rows.length === 0 ? [] : [table(COLUMNS, rows, screen), '']),
    ...notes(summary.streams),
    ...errorLines(summary.streams),
    `${equal} of ${counted(rows.length, 'stream')} equal, in ${span(seconds)} (run ${summary.run_id})`,
  ].join('\n');
}

function row({ stream, status, verify }: StreamSummary, screen: Screen): string[] {
  const paint = (colour: 'green' | 'red' | 'yellow' | 'dim', text: string) =>
    styleText(colour, text, { stream: screen });
  if (verify === undefined) {
    const state = status === 'failed' ? paint('red', status) : paint(status === 'stopped' ? 'yellow' : 'dim', status);
    return [stream, '-', '-', '-', state];
  }
  const mended = verify.repaired > 0 ? paint('green', 'mended') : paint('green', 'equal');
  return [
    stream,
    moment(verify.until).slice(0, 10),
    count(verify.api),
    count(verify.table),
    verify.verdict === 'equal' ? mended : paint('red', 'differs'),
  ];
}

const NOTABLE = [
  ['rejects', 'record', 'of the API in _cleargrid_rejects and not in the table'],
  ['undated', 'row', 'without a value in the cursor field, which are not compared'],
] as const;

function notes(streams: readonly StreamSummary[]): string[] {
  return NOTABLE.flatMap(([key, noun, what]) => {
    const some = streams.filter(({ verify }) => (verify?.[key] ?? 0) > 0);
    const total = some.reduce((sum, { verify }) => sum + verify![key], 0);
    return total === 0 ? [] : [`${counted(total, noun)} ${what}`, `  (${some.map(({ stream }) => stream).join(', ')})`];
  });
}
