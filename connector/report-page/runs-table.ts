import { count, moment, span } from '../output/words.ts';
import { type Element, h, scrollingTable } from './elements.ts';
import { type RunFacts, speed } from './facts.ts';

const COLUMNS: readonly [title: string, cell: (run: RunFacts) => string][] = [
  ['Read', (run) => count(run.rowsRead)],
  ['Written', (run) => count(run.rowsWritten)],
  ['Unchanged', (run) => count(run.rowsUnchanged)],
  ['Deleted', (run) => count(run.rowsDeleted)],
  ['Duration', (run) => (run.seconds === null ? '–' : span(run.seconds))],
  ['Rows/s', (run) => orDash(speed(run))],
  ['Rejects', (run) => count(run.rejects)],
  ['Changed fields', (run) => count(run.changedFields)],
  ['Requests', (run) => count(run.requests)],
  ['Retries', (run) => count(run.retries)],
  ['MB', (run) => (run.bytes / 1e6).toFixed(1)],
];

/** What each run did, a row a run. */
export function runsTable(runs: readonly RunFacts[], caption: string, stream: string | null = null): Element {
  return scrollingTable(
    stream === null ? caption : `${caption}, ${stream}`,
    null,
    h('caption', {}, caption),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ['Began, UTC', 'Ended as', ...COLUMNS.map(([title]) => title)].map((title) => h('th', { scope: 'col' }, title)),
      ),
    ),
    h(
      'tbody',
      {},
      runs.map((run) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, moment(run.started_at)),
          h('td', {}, run.status),
          COLUMNS.map(([, cell]) => h('td', {}, cell(run))),
        ),
      ),
    ),
  );
}

export const orDash = (value: number | null): string => (value === null ? '–' : count(value));
