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

const COLOUR = { succeeded: 'var(--bar)', failed: 'var(--bad)', stopped: 'var(--warn)' } as const;

const colourOf = ({ status }: RunFacts) => (status in COLOUR ? COLOUR[status as keyof typeof COLOUR] : 'var(--soft)');

/** A bar a run, the newest at the right; a cross says that it failed, so that colour alone tells nothing. */
export function runsChart({ label, runs, value, text }: Chart): Element {
  const shown = runs.toReversed();
  const of = (run: RunFacts) => value(run) ?? 0;
  return Plot.plot({
    document,
    width: 360,
    height: 132,
    marginLeft: 52,
    marginRight: 4,
    marginTop: 14,
    marginBottom: 20,
    ariaLabel: spoken(label, shown.map(value), text),
    style: { fontSize: '11px', background: 'none' },
    x: { type: 'band', domain: shown.map((run) => run.run_id), padding: 0.25, axis: null },
    y: { axis: null, domain: [0, Math.max(...shown.map(of)) || 1], nice: 2 },
    marks: [
      Plot.gridY({ ticks: 2, strokeOpacity: 0.15 }),
      Plot.axisY({ ticks: 2, tickSize: 0, label: null, tickFormat: (at: number) => text(at) }),
      Plot.barY(shown, { x: 'run_id', y: of, fill: colourOf, title: (run: RunFacts) => titleOf(run, value, text) }),
      Plot.text(
        shown.filter(({ status }) => status === 'failed'),
        { x: 'run_id', y: of, text: () => '✕', dy: -6, fill: 'var(--bad)', fontWeight: 700 },
      ),
      Plot.ruleY([0], { strokeOpacity: 0.5 }),
      ...ends(shown),
    ],
  });
}

/** A chart for the width of a cell: the shape alone. */
export function sparkline({ label, runs, value, text }: Chart): Element {
  const shown = runs.toReversed();
  const of = (run: RunFacts) => value(run) ?? 0;
  const most = Math.max(...shown.map(of)) || 1;
  return Plot.plot({
    document,
    width: 112,
    height: 22,
    margin: 1,
    ariaLabel: spoken(label, shown.map(value), text),
    style: { background: 'none' },
    x: { type: 'band', domain: shown.map((run) => run.run_id), padding: 0.2, axis: null },
    y: { axis: null, domain: [0, most] },
    marks: [
      Plot.barY(shown, {
        x: 'run_id',
        // A failed run has something to see, and so has one that wrote a single row.
        y: (run: RunFacts) => (of(run) > 0 || run.status === 'failed' ? Math.max(of(run), most * 0.12) : 0),
        fill: colourOf,
        title: (run: RunFacts) => titleOf(run, value, text),
      }),
      Plot.ruleY([0], { strokeOpacity: 0.35 }),
    ],
  });
}

/** When the first and the last of them began. */
function ends(shown: readonly RunFacts[]) {
  const first = shown[0]!;
  const last = shown.at(-1)!;
  const at = (run: RunFacts, textAnchor: 'start' | 'end') =>
    Plot.text([run], {
      text: () => moment(run.started_at).slice(5, 16),
      frameAnchor: textAnchor === 'start' ? 'bottom-left' : 'bottom-right',
      textAnchor,
      dy: 15,
      fill: 'var(--soft)',
    });
  return shown.length === 1 ? [at(first, 'start')] : [at(first, 'start'), at(last, 'end')];
}

function titleOf(run: RunFacts, value: Chart['value'], text: Chart['text']): string {
  const found = value(run);
  return `${moment(run.started_at)} UTC, ${run.status}: ${found === null ? 'not recorded' : text(found)}`;
}

function spoken(label: string, values: readonly (number | null)[], text: Chart['text']): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return `${label}: not recorded`;
  const [least, most, last] = [Math.min(...known), Math.max(...known), known.at(-1)!].map(text);
  return `${label}: least ${least}, most ${most}, latest ${last}`;
}
