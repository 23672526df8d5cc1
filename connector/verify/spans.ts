import type { Span } from '../../destinations/contract.ts';
import { later } from '../../destinations/position.ts';
import { cuts, millisSince } from '../sync/instants.ts';
import { BEGINNING_OF_DATA } from '../sync/windows.ts';

/** Cuts a span into up to `parts` of equal length that tile it; one that is too short stays as it is. `first`: where its data begins. */
export function cutSpan(span: Span, first: string | null, parts: number): Span[] {
  const { since, until } = span;
  const start = later(since ?? BEGINNING_OF_DATA, first)!;
  if (start >= until) return [span];
  const edges = cuts(start, until, parts);
  return [since, ...edges].map((from, at) => ({ since: from, until: edges[at] ?? until }));
}

/** Joins neighbours, in order, as long as they have `most` rows together at the most. */
export function joinSmall(spans: readonly Span[], rows: readonly number[], most: number): Span[] {
  const joined: { span: Span; rows: number }[] = [];
  for (const [at, span] of spans.entries()) {
    const last = joined.at(-1);
    if (last !== undefined && last.rows + rows[at]! <= most) {
      last.span = { since: last.span.since, until: span.until };
      last.rows += rows[at]!;
    } else joined.push({ span, rows: rows[at]! });
  }
  return joined.map(({ span }) => span);
}

/** The same spans in order, those with the narrowest gaps between them made one until there are `most`. */
export function joinNearest(spans: readonly Span[], most: number): Span[] {
  const ordered = [...spans].sort((a, b) => (a.until < b.until ? -1 : 1));
  while (ordered.length > 1) {
    const gaps = ordered.slice(1).map(({ since }, at) => millisSince(ordered[at]!.until, since!));
    const narrowest = gaps.indexOf(Math.min(...gaps));
    if (ordered.length <= most && gaps[narrowest]! > 0) break;
    const [before, after] = [ordered[narrowest]!, ordered[narrowest + 1]!];
    ordered.splice(narrowest, 2, { since: before.since, until: after.until });
  }
  return ordered;
}
