import { stateOf } from '../output/stream-state.ts';
import { count, counted, roughly, span } from '../output/words.ts';
import { sparkline } from './charts.ts';
import { breakable, type Child, type Element, h, scrollingTable } from './elements.ts';
import { type StreamFacts, speed } from './facts.ts';
import { orDash } from './runs-table.ts';

/** Columns that a narrower screen does without (`wide`, then `middle`): each stream's own part has all of it. */
const COLUMNS: readonly [title: string, screen: 'wide' | 'middle' | null, cell: (stream: StreamFacts) => Child][] = [
  ['Lag', null, ({ status: { lag_seconds: lag } }) => (lag === null ? '–' : roughly(lag))],
  ['Written', null, ({ runs: [last] }) => (last === undefined ? '–' : count(last.rowsWritten))],
  ['Over the runs', 'middle', overTheRuns],
  ['Duration', 'wide', ({ runs: [last] }) => (last?.seconds == null ? '–' : span(last.seconds))],
  ['Rows/s', 'wide', ({ runs: [last] }) => orDash(last === undefined ? null : speed(last))],
  ['Retries', 'wide', ({ runs: [last] }) => (last === undefined ? '–' : count(last.retries))],
  ['Changed\u00a0fields', 'wide', ({ runs: [last] }) => (last === undefined ? '–' : count(last.changedFields))],
  ['Rejects', 'middle', rejectsCell],
  ['Verified', 'middle', verdictCell],
];

/** A row a stream, in the order of `status`; before there is anything to tell of them, their names alone. */
export function streamsTable(streams: readonly StreamFacts[]): Child {
  const isEmpty = streams.every(({ status, runs }) => status.complete === null && runs.length === 0);
  const columns = isEmpty ? [] : COLUMNS;
  const caption = isEmpty
    ? 'What the first run loads, a table a stream.'
    : 'Figures are those of each stream’s last run; rejects are all that are kept.';
  return [
    h('h2', { id: 'streams-title' }, 'Streams'),
    scrollingTable(
      'Streams',
      'streams',
      h('caption', {}, caption),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'Stream'),
          h('th', { scope: 'col', class: 'left' }, 'State'),
          columns.map(([title, screen]) => h('th', { scope: 'col', class: screen }, title)),
        ),
      ),
      h(
        'tbody',
        {},
        streams.map((stream, at) => streamRow(stream, at, columns)),
      ),
    ),
  ];
}

function streamRow(stream: StreamFacts, at: number, columns: typeof COLUMNS): Element {
  const { word, tone } = stateOf(stream.status);
  const name =
    stream.runs.length === 0 ? breakable(stream.stream) : h('a', { href: `#stream-${at}` }, breakable(stream.stream));
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, name),
    h('td', { class: 'left' }, h('span', { class: `state ${tone}` }, word)),
    columns.map(([, screen, cell]) => h('td', { class: screen }, cell(stream))),
  );
}

function overTheRuns({ stream, runs }: StreamFacts): Child {
  if (runs.length === 0) return '–';
  const label = `Rows of ${stream} written, last ${counted(runs.length, 'run')}`;
  return sparkline({ label, runs, value: (run) => run.rowsWritten, text: count });
}

function verdictCell({ status: { last_verify: verdict } }: StreamFacts): Element {
  if (verdict === null) return h('span', { class: 'soft' }, 'never');
  return h('span', { class: verdict.verdict === 'differs' ? 'state bad' : null }, verdict.verdict);
}

function rejectsCell({ rejects }: StreamFacts): string {
  const sum = (key: 'records' | 'fresh') => rejects.reduce((total, group) => total + group[key], 0);
  return sum('fresh') === 0 ? count(sum('records')) : `${count(sum('records'))} (${count(sum('fresh'))} new)`;
}
