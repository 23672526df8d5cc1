import * as Plot from '@observablehq/plot';
import { moment } from '../output/words.ts';
import { document, type Element } from './elements.ts';
import type { RunFacts } from './facts.ts';

export interface Chart {
  /** What is shown, for who cannot see it. */
  readonly label: string;
  /** Newest first, as all lists of runs. */
  readonly runs: readonly RunFacts[];
  readonly value: (run: RunFacts) => number | null;
  readonly text: (value: number) => string;
}

/** A chart with an axis. */
export interface AxisChart extends Chart {
  /** The least difference that `text` shows. */
  readonly least: number;
}

/** One run of a chart: what its bar shows. */
interface Bar {
  readonly run: RunFacts;
  readonly value: number;
  readonly title: string;
}

const COLOUR = { succeeded: 'var(--bar)', failed: 'var(--bad)', stopped: 'var(--warn)' } as const;

const colourOf = ({ run }: Bar) => COLOUR[run.status as keyof typeof COLOUR] ?? 'var(--soft)';
const runOf = ({ run }: Bar) => run.run_id;
const hasFailed = ({ run }: Bar) => run.status === 'failed';

const CROSS = '✕';
const WIDTH = 360;
const MARGIN_RIGHT = 4;
const PADDING = 0.25;
const WIDEST_BAR = 26;

/** A bar a run, the newest at the right; a cross says that it failed, so that colour alone tells nothing. */
export function runsChart(chart: AxisChart): Element {
  const bars = barsOf(chart);
  const top = topOf(bars);
  const height = ({ value }: Bar) => Math.min(value, top);
  const isCut = ({ value }: Bar) => value > top;
  const ticks = ticksOf(top, chart.least);
  const marginLeft = widthOf(ticks.map(chart.text)) + TICK_PADDING;
  const inset = insetOf(bars, WIDTH - marginLeft - MARGIN_RIGHT, WIDEST_BAR);
  return image(chart, {
    width: WIDTH,
    height: 132,
    marginLeft,
    marginRight: MARGIN_RIGHT,
    marginTop: 16,
    marginBottom: 20,
    style: { fontSize: `${FONT_SIZE}px`, background: 'none' },
    x: { type: 'band', domain: bars.map(runOf), padding: PADDING, axis: null },
    y: { axis: null, domain: [0, top] },
    marks: [
      Plot.gridY(ticks, { strokeOpacity: 0.15 }),
      Plot.axisY(ticks, { tickSize: 0, tickPadding: TICK_PADDING, label: null, tickFormat: chart.text }),
      Plot.barY(bars, { x: runOf, y: height, fill: colourOf, title: 'title', inset, insetTop: 0, insetBottom: 0 }),
      Plot.text(
        bars.filter((bar) => hasFailed(bar) && !isCut(bar)),
        { x: runOf, y: height, text: () => CROSS, dy: -6, fill: 'var(--bad)' },
      ),
      ...bars.filter(isCut).map((bar) =>
        Plot.text([bar], {
          x: runOf,
          y: top,
          text: () => `${hasFailed(bar) ? `${CROSS} ` : ''}↑ ${chart.text(bar.value)}`,
          dy: -8,
          textAnchor: bars.indexOf(bar) < bars.length / 2 ? 'start' : 'end',
        }),
      ),
      Plot.ruleY([0], { strokeOpacity: 0.5 }),
      ...ends(bars),
    ],
  });
}

const FONT_SIZE = 11;
const TICK_PADDING = 4;

/** No character of a label is wider than this part of its size in the usual fonts, taken together. */
const CHARACTER = 0.62;

/** As wide as the longest of these labels may become. */
const widthOf = (labels: readonly string[]) =>
  Math.ceil(Math.max(...labels.map(({ length }) => length)) * CHARACTER * FONT_SIZE);

/** Two to four round steps from 0 to `top`, and fewer where they would be less than `least`. */
function ticksOf(top: number, least: number): number[] {
  const power = 10 ** Math.floor(Math.log10(top / 2));
  const step = Math.max(least, power * [5, 2, 1].find((factor) => factor * power <= top / 2)!);
  return Array.from({ length: 1 + Math.floor(top / step) }, (_, at) => at * step);
}

const CELL_WIDTH = 112;
const WIDEST_IN_CELL = 7;

/** The part of a bar's greatest height that a very low one has, so that there is something to see. */
const LEAST_HEIGHT = 0.12;

/** A chart for the width of a cell: the shape alone. */
export function sparkline(chart: Chart): Element {
  const bars = barsOf(chart);
  const top = topOf(bars);
  const inset = insetOf(bars, CELL_WIDTH, WIDEST_IN_CELL);
  const height = (bar: Bar) =>
    bar.value > 0 || hasFailed(bar) ? Math.max(Math.min(bar.value, top), top * LEAST_HEIGHT) : 0;
  return image(chart, {
    width: CELL_WIDTH,
    height: 22,
    margin: 1,
    style: { background: 'none' },
    x: { type: 'band', domain: bars.map(runOf), padding: PADDING, axis: null },
    y: { axis: null, domain: [0, top] },
    marks: [
      Plot.barY(bars, { x: runOf, y: height, fill: colourOf, title: 'title', inset, insetTop: 0, insetBottom: 0 }),
      Plot.ruleY([0], { strokeOpacity: 0.35 }),
    ],
  });
}

/** What is left free at each side of a bar, so that few runs do not make slabs. */
function insetOf(bars: readonly Bar[], width: number, widest: number): number {
  const band = (width / (bars.length + PADDING)) * (1 - PADDING);
  return Math.max(0, band - widest) / 2;
}

function barsOf({ runs, value, text }: Chart): Bar[] {
  return runs.toReversed().map((run) => {
    const found = value(run);
    const told = found === null ? 'not recorded' : text(found);
    return { run, value: found ?? 0, title: `${moment(run.started_at)} UTC, ${run.status}: ${told}` };
  });
}

/** Runs that read everything tower above the others: so many bars at most are cut, and their figures written above them. */
const MOST_CUT = 2;
const FEWEST_RUNS = 6;
const TOWERS = 4;
const ROOM = 1.25;

function topOf(bars: readonly Bar[]): number {
  const values = bars.map(({ value }) => value).sort((a, b) => b - a);
  if (values.length < FEWEST_RUNS) return values[0] || 1;
  const cut = values.findIndex((value, at) => at < MOST_CUT && value > TOWERS * (values[at + 1] ?? value));
  const next = values[cut + 1] ?? 0;
  return (cut < 0 || next === 0 ? values[0] : next * ROOM) || 1;
}

/** When the first and the last of them began. */
function ends(bars: readonly Bar[]) {
  const at = ({ run }: Bar, textAnchor: 'start' | 'end') =>
    Plot.text([run], {
      text: () => moment(run.started_at).slice(5, 16),
      frameAnchor: textAnchor === 'start' ? 'bottom-left' : 'bottom-right',
      textAnchor,
      dy: 15,
      fill: 'var(--soft)',
    });
  const first = at(bars[0]!, 'start');
  return bars.length === 1 ? [first] : [first, at(bars.at(-1)!, 'end')];
}

/** Drawn, and one image with these words for who cannot see it. */
function image(chart: Chart, options: Plot.PlotOptions): Element {
  const svg = Plot.plot({ document, ariaLabel: spoken(chart), ...options });
  svg.setAttribute('role', 'img');
  return svg;
}

function spoken({ label, runs, value, text }: Chart): string {
  const known = runs.map(value).filter((found) => found !== null);
  if (known.length === 0) return `${label}: not recorded`;
  const [least, most, latest] = [Math.min(...known), Math.max(...known), known[0]!].map(text);
  return `${label}: least ${least}, most ${most}, latest ${latest}`;
}
