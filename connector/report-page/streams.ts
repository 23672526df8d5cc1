import { stateOf } from '../output/stream-state.ts';
import { count, counted, moment, span } from '../output/words.ts';
import { runsChart, sparkline } from './charts.ts';
import { type Child, type Element, h } from './elements.ts';
import { type StreamFacts, speed, type Verdict } from './facts.ts';
import { orDash, runsTable } from './runs-table.ts';

/** Columns that a narrower screen does without (`wide`, then `middle`): each stream's own part has all of it. */
const COLUMNS: readonly [title: string, screen: 'wide' | 'middle' | null, cell: (stream: StreamFacts) => Child][] = [
  ['Lag', null, ({ status: { lag_seconds: lag } }) => (lag === null ? '–' : span(lag))],
  ['Written', null, ({ runs: [last] }) => (last === undefined ? '–' : count(last.rowsWritten))],
  ['Over the runs', 'middle', overTheRuns],
  ['Duration', 'wide', ({ runs: [last] }) => (last?.seconds == null ? '–' : span(last.seconds))],
  ['Rows/s', 'wide', ({ runs: [last] }) => orDash(last === undefined ? null : speed(last))],
  ['Retries', 'wide', ({ runs: [last] }) => (last === undefined ? '–' : count(last.retries))],
  ['Changed\u00a0fields', 'wide', ({ runs: [last] }) => (last === undefined ? '–' : count(last.changedFields))],
  ['Rejects', 'middle', rejectsCell],
  ['Verified', 'middle', ({ verdict }) => (verdict === null ? h('span', { class: 'soft' }, 'never') : verdict.verdict)],
];

/** A row a stream, in the order of `status`. */
export function streamsTable(streams: readonly StreamFacts[]): Child {
  return [
    h('h2', { id: 'streams-title' }, 'Streams'),
    h(
      'table',
      { class: 'streams' },
      h('caption', {}, 'Figures are those of each stream’s last run; rejects are all that are kept.'),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'Stream'),
          h('th', { scope: 'col', class: 'left' }, 'State'),
          COLUMNS.map(([title, screen]) => h('th', { scope: 'col', class: screen }, title)),
        ),
      ),
      h('tbody', {}, streams.map(streamRow)),
    ),
  ];
}

function streamRow(stream: StreamFacts, at: number): Element {
  const { word, tone } = stateOf(stream.status);
  const name =
    stream.runs.length === 0 ? breakable(stream.stream) : h('a', { href: `#stream-${at}` }, breakable(stream.stream));
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, name),
    h('td', { class: 'left' }, h('span', { class: `state ${tone}` }, word)),
    COLUMNS.map(([, screen, cell]) => h('td', { class: screen }, cell(stream))),
  );
}

/** A name that may go on in the next line behind each underscore. */
function breakable(name: string): Child {
  return name.split(/(?<=_)/).map((part, at) => (at === 0 ? part : [h('wbr', {}), part]));
}

function overTheRuns({ stream, runs }: StreamFacts): Child {
  if (runs.length === 0) return '–';
  const label = `Rows of ${stream} written, last ${counted(runs.length, 'run')}`;
  return sparkline({ label, runs, value: (run) => run.rowsWritten, text: count });
}

function rejectsCell({ rejects }: StreamFacts): string {
  const sum = (key: 'records' | 'fresh') => rejects.reduce((total, group) => total + group[key], 0);
  return sum('fresh') === 0 ? count(sum('records')) : `${count(sum('records'))} (${count(sum('fresh'))} new)`;
}

/** All that is known of one stream, closed until somebody asks; a link to what is inside opens it. */
export function streamDetails(facts: StreamFacts, at: number): Element | null {
  const { stream, status, runs, rejects } = facts;
  if (runs.length === 0) return null;
  const { word, tone } = stateOf(status);
  const chart = (title: string, what: Pick<Parameters<typeof runsChart>[0], 'value' | 'text'>) =>
    h('figure', {}, h('figcaption', {}, title), runsChart({ label: `${title} of ${stream}`, runs, ...what }));
  return h(
    'details',
    {},
    h('summary', {}, h('h3', {}, breakable(stream)), h('span', { class: `state ${tone}` }, word)),
    h(
      'div',
      { class: 'inside', id: `stream-${at}` },
      position(facts),
      h(
        'div',
        { class: 'charts' },
        chart('Rows written', { value: (run) => run.rowsWritten, text: count }),
        chart('Duration', { value: (run) => run.seconds, text: span }),
        chart('Rows read a second', { value: speed, text: count }),
      ),
      rejects.length === 0 ? null : rejectsTable(facts),
      runsTable(runs, `The last ${counted(runs.length, 'run')} of ${stream}, newest first`),
    ),
  );
}

function position({ status, verdict }: StreamFacts): Element {
  const { complete, windows_left: left, refresh_pass: pass, last_error: error } = status;
  const look = status.changes_seen_within_seconds;
  const entries: [string, string][] = [
    ['Complete to', complete === null ? 'not yet' : `${moment(complete)} UTC`],
    ['Windows left', left === 0 ? 'none' : `${left}; the next run goes on there`],
    ['Full refresh', pass === null ? 'none open' : `in pass ${pass}; the next run goes on with it`],
    ['Verified', verdictText(verdict)],
    ...(look === null
      ? []
      : [
          ['Later changes', `seen for ${span(look)} after ${status.cursor}, then by sync --full-refresh`] as [
            string,
            string,
          ],
        ]),
    ...(status.problem === null ? [] : [['Refused, since', status.problem] as [string, string]]),
    ...(error === null
      ? []
      : [
          [
            'Last error',
            `${moment(error.at)}: ${error.message}${error.request_id === null ? '' : ` (request ${error.request_id})`}`,
          ] as [string, string],
        ]),
  ];
  return h(
    'dl',
    { class: 'position' },
    entries.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

function verdictText(verdict: Verdict | null): string {
  if (verdict === null) return 'never';
  const counts =
    verdict.api === null || verdict.table === null
      ? ''
      : `: ${count(verdict.table)} rows here, ${count(verdict.api)} at the API`;
  return `${verdict.verdict}, ${moment(verdict.at)}${counts}`;
}

function rejectsTable({ stream, rejects }: StreamFacts): Element {
  return h(
    'table',
    {},
    h('caption', {}, `Rejects of ${stream} by reason`),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ['Reason', 'Records', 'New', 'Last seen'].map((title) => h('th', { scope: 'col' }, title)),
      ),
    ),
    h(
      'tbody',
      {},
      rejects.map(({ reason, records, fresh, at }) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row', class: 'reason' }, reason),
          h('td', {}, count(records)),
          h('td', {}, count(fresh)),
          h('td', {}, moment(at)),
        ),
      ),
    ),
  );
}
