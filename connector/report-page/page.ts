import { stateOf } from '../output/stream-state.ts';
import { count, counted, moment, span } from '../output/words.ts';
import { VERSION } from '../version.ts';
import { type Attention, attentionOf } from './attention.ts';
import { type AxisChart, runsChart } from './charts.ts';
import { type Child, type Element, h } from './elements.ts';
import { type PageFacts, speed } from './facts.ts';
import { keyFigures } from './figures.ts';
import { runsTable } from './runs-table.ts';
import { streamDetails } from './stream-details.ts';
import { streamsTable } from './streams.ts';
import { STYLE } from './style.ts';

/** The whole page as HTML: it holds all it needs, and its policy forbids it to ask anything of anybody. */
export function pageHtml(facts: PageFacts, now: Date): string {
  const attention = attentionOf(facts, now);
  const title = headline(facts, attention);
  const root = h(
    'html',
    { lang: 'en' },
    h(
      'head',
      {},
      h('meta', { charset: 'utf-8' }),
      h('meta', { 'http-equiv': 'Content-Security-Policy', content: POLICY }),
      h('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
      h('meta', { name: 'generator', content: `cleargrid-connector ${VERSION}` }),
      h('title', {}, `${title} · ClearGrid connector`),
      h('link', { rel: 'icon', href: 'data:,' }),
      h('style', {}, STYLE),
    ),
    h(
      'body',
      {},
      h('a', { class: 'skip', href: '#streams' }, 'Skip to the streams'),
      header(facts, title, now),
      h('main', {}, content(facts, attention, now)),
      h('footer', {}, `Made by cleargrid-connector ${VERSION}. No value of a row is on this page. All times are UTC.`),
    ),
  );
  return `<!doctype html>\n${root.outerHTML}\n`;
}

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

function headline({ status, streams, runs }: PageFacts, attention: readonly Attention[]): string {
  if (status.busy !== null) return 'The database is in use';
  const act = attention.filter(({ level }) => level === 'act').length;
  const look = attention.filter(({ level }) => level === 'look').length;
  if (act + look > 0) {
    const things = counted(act + look, 'thing');
    return act === 0 ? `${things} to look at` : `${things} ${act + look === 1 ? 'needs' : 'need'} attention`;
  }
  if (runs.length === 0) return 'No run yet';
  const well = streams.filter(({ status }) => stateOf(status).tone === 'good').length;
  if (well < streams.length)
    return `${well} of ${counted(streams.length, 'stream')} ${well === 1 || streams.length === 1 ? 'is' : 'are'} complete`;
  return streams.length === 1 ? 'The stream is well' : `All ${streams.length} streams are well`;
}

function header({ status }: PageFacts, title: string, now: Date): Element {
  return h(
    'header',
    {},
    h('p', { class: 'brand' }, 'ClearGrid connector'),
    h('h1', {}, title),
    h('p', { class: 'meta' }, `${status.destination}. As of ${moment(now.toISOString())} UTC.`),
  );
}

function content(facts: PageFacts, attention: readonly Attention[], now: Date): Child {
  const { status, runs, streams } = facts;
  if (status.busy !== null) return busyPart(status.busy);
  return [
    runs.length === 0 ? firstSteps() : keyFigures(facts, now),
    attention.length === 0 ? null : attentionPart(attention, facts),
    runs.length === 0 ? null : runsPart(facts),
    h('section', { id: 'streams', 'aria-labelledby': 'streams-title' }, streamsTable(streams)),
    runs.length === 0
      ? null
      : h(
          'section',
          { 'aria-labelledby': 'each-title' },
          h('h2', { id: 'each-title' }, 'Each stream'),
          streams.map((stream, at) => streamDetails(stream, at)),
        ),
  ];
}

function busyPart(busy: string): Element {
  return section(
    'busy',
    'Nothing can be told now',
    h('p', {}, busy),
    h(
      'p',
      { class: 'soft' },
      'Make this page again once it is done. Until then, the log of whoever has it open tells how far it is.',
    ),
  );
}

function firstSteps(): Element {
  return section(
    'first',
    'How to begin',
    h('p', {}, 'Nothing has been read into this destination. The first run loads everything:'),
    h('code', { class: 'command' }, 'cleargrid-connector sync --config FILE'),
  );
}

const LEVELS = { act: 'Act', look: 'Look', know: 'For your information' } as const;

function attentionPart(attention: readonly Attention[], { streams }: PageFacts): Element {
  const link = (name: string) => {
    const at = streams.findIndex(({ stream }) => stream === name);
    return at < 0 ? name : h('a', { href: `#stream-${at}` }, name);
  };
  return section(
    'attention',
    attention.every(({ level }) => level === 'know') ? 'Good to know' : 'What needs attention, the most urgent first',
    h(
      'ol',
      { class: 'attention' },
      attention.map(({ level, title, text, streams, todo, command }) =>
        h(
          'li',
          { class: level },
          h('h3', {}, h('span', { class: 'level' }, LEVELS[level]), title),
          h('p', {}, text),
          streams.length === 0 ? null : h('p', { class: 'names' }, streams.map(link)),
          todo === '' ? null : h('p', { class: 'soft' }, todo),
          command === null ? null : h('code', { class: 'command' }, command),
        ),
      ),
    ),
  );
}

function runsPart({ runs }: PageFacts): Element {
  const latest = runs.length === 1 ? 'the only run' : `the last ${runs.length} runs`;
  const chart = (title: string, what: Pick<AxisChart, 'value' | 'text' | 'least'>) =>
    h('figure', {}, h('figcaption', {}, title), runsChart({ label: `${title}, ${latest}`, runs, ...what }));
  return section(
    'runs',
    runs.length === 1 ? 'The run' : `The last ${runs.length} runs`,
    h(
      'div',
      { class: 'charts' },
      chart('Rows written', { value: (run) => run.rowsWritten, text: count, least: 1 }),
      chart('Duration', { value: (run) => run.seconds, text: span, least: 0.1 }),
      chart('Rows read a second', { value: speed, text: count, least: 1 }),
    ),
    h(
      'details',
      {},
      h('summary', {}, 'The runs as a table'),
      h('div', { class: 'inside' }, runsTable(runs, 'Runs, newest first')),
    ),
  );
}

function section(id: string, title: string, ...children: Child[]): Element {
  return h('section', { 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), children);
}
