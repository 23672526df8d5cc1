import { stateOf } from '../output/stream-state.ts';
import { ago, count, counted, span } from '../output/words.ts';
import { breakable, type Child, type Element, h } from './elements.ts';
import { type PageFacts, speed } from './facts.ts';

/** What one wants to know first, in a row of figures. */
export function keyFigures({ streams, runs }: PageFacts, now: Date): Element {
  const latest = runs.find(({ seconds }) => seconds !== null) ?? runs[0]!;
  const ended = Date.parse(latest.started_at) + (latest.seconds ?? 0) * 1000;
  const well = streams.filter(({ status }) => stateOf(status).tone === 'good').length;
  const lags = streams.flatMap(({ stream, status }) =>
    status.lag_seconds === null ? [] : [{ stream, seconds: status.lag_seconds }],
  );
  const slowest = lags.sort((a, b) => b.seconds - a.seconds)[0];
  const rejects = streams.flatMap((stream) => stream.rejects);
  const sum = (key: 'records' | 'fresh') => rejects.reduce((total, group) => total + group[key], 0);
  const verified = streams.filter(({ status }) => status.last_verify !== null);
  const equal = verified.filter(({ status }) => status.last_verify!.verdict === 'equal').length;
  const rate = speed(latest);
  return h(
    'dl',
    { class: 'figures', 'aria-label': 'Key figures' },
    figure('Streams ok', `${well} of ${streams.length}`, null),
    slowest === undefined
      ? figure('Greatest lag', '–', null)
      : figure('Greatest lag', span(slowest.seconds), breakable(slowest.stream)),
    figure('Latest run', latest.status, ago((now.getTime() - ended) / 1000)),
    figure(
      'Rows written',
      count(latest.rowsWritten),
      latest.seconds === null
        ? null
        : `in ${span(latest.seconds)}${rate === null ? '' : `, ${count(rate)} read a second`}`,
    ),
    figure('Retries', count(latest.retries), `of ${counted(latest.requests, 'request')}`),
    figure('Changed fields', count(latest.changedFields), 'values that did not fit'),
    figure('Rejects', count(sum('records')), `${count(sum('fresh'))} new in the latest run`),
    figure(
      'Verified',
      verified.length === 0 ? 'never' : `${equal} of ${streams.length}`,
      verified.length === 0 ? 'see the command verify' : 'equal to the API',
    ),
  );
}

function figure(name: string, value: string, more: Child): Element {
  return h(
    'div',
    {},
    h('dt', {}, name),
    h('dd', { class: 'value' }, value),
    more === null ? null : h('dd', { class: 'more' }, more),
  );
}
