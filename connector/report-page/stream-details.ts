import type { LastVerdict } from '../commands/status-report.ts';
import { stateOf } from '../output/stream-state.ts';
import { count, counted, moment, span } from '../output/words.ts';
import { type AxisChart, runsChart } from './charts.ts';
import { breakable, type Element, h, scrollingTable } from './elements.ts';
import { type StreamFacts, speed } from './facts.ts';
import { runsTable } from './runs-table.ts';

/** All that is known of one stream, closed until somebody asks; a link to what is inside opens it. */
export function streamDetails(facts: StreamFacts, at: number): Element | null {
  const { stream, status, runs, rejects } = facts;
  if (runs.length === 0) return null;
  const { word, tone } = stateOf(status);
  const chart = (title: string, what: Pick<AxisChart, 'value' | 'text' | 'least'>) =>
    h('figure', {}, h('figcaption', {}, title), runsChart({ label: `${title}, ${stream}`, runs, ...what }));
  return h(
    'details',
    {},
    h(
      'summary',
      {},
      h('h3', {}, breakable(stream)),
      h('span', { class: `state ${tone}` }, word),
      h('span', { class: 'soft' }, inShort(facts)),
    ),
    h(
      'div',
      { class: 'inside', id: `stream-${at}` },
      position(facts),
      h(
        'div',
        { class: 'charts' },
        chart('Rows written', { value: (run) => run.rowsWritten, text: count, least: 1 }),
        chart('Duration', { value: (run) => run.seconds, text: span, least: 0.1 }),
        chart('Rows read a second', { value: speed, text: count, least: 1 }),
      ),
      rejects.length === 0 ? null : rejectsTable(facts),
      runsTable(runs, 'Its runs, newest first', stream),
    ),
  );
}

function inShort({ status: { lag_seconds: lag }, runs: [last], rejects }: StreamFacts): string {
  const records = rejects.reduce((sum, group) => sum + group.records, 0);
  return [
    ...(lag === null ? [] : [`lag ${span(lag)}`]),
    `${counted(last!.rowsWritten, 'row')} written`,
    ...(records === 0 ? [] : [counted(records, 'reject')]),
  ].join(' · ');
}

function position({ status }: StreamFacts): Element {
  const { complete, windows_left: left, refresh_pass: pass, last_error: error } = status;
  const look = status.changes_seen_within_seconds;
  return h(
    'dl',
    { class: 'position' },
    entry('Complete to', complete === null ? 'not yet' : `${moment(complete)} UTC`),
    entry('Windows left', left === 0 ? 'none' : `${left}; the next run goes on there`),
    entry('Full refresh', pass === null ? 'none open' : `in pass ${pass}; the next run goes on with it`),
    entry('Verified', verdictText(status.last_verify)),
    look === null
      ? null
      : entry('Later changes', `seen for ${span(look)} after ${status.cursor}, then by sync --full-refresh`, 'long'),
    status.problem === null ? null : entry('Why the next run refuses it', status.problem, 'long'),
    error === null ? null : entry(`Last error, ${moment(error.at)} UTC`, withRequest(error), 'long'),
  );
}

function entry(name: string, value: string, kind: 'long' | null = null): Element {
  return h('div', { class: kind }, h('dt', {}, name), h('dd', {}, value));
}

function withRequest({ message, request_id: request }: { message: string; request_id: string | null }): string {
  return request === null ? message : `${message} (request ${request})`;
}

function verdictText(verdict: LastVerdict | null): string {
  if (verdict === null) return 'never';
  const counts = `${counted(verdict.table, 'row')} here, ${counted(verdict.api, 'record')} at the API`;
  return `${verdict.verdict}, ${moment(verdict.at)} UTC: ${counts}`;
}

function rejectsTable({ stream, rejects }: StreamFacts): Element {
  return scrollingTable(
    `Rejects by reason, ${stream}`,
    'reasons',
    h('caption', {}, 'Rejects by reason'),
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
      rejects.map(({ reason, records, fresh, seenAt }) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, reason),
          h('td', {}, count(records)),
          h('td', {}, count(fresh)),
          h('td', {}, moment(seenAt)),
        ),
      ),
    ),
  );
}
