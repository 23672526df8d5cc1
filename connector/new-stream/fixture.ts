import { madeUp } from './made-up.ts';
import type { Proposal } from './proposal.ts';
import type { ColumnProposal } from './propose.ts';
import { type FieldEvidence, gatherEvidence } from './shapes.ts';

/** How often a made-up value that is a real one by chance is made up again. */
const TRIES = 100;

type Records = readonly Readonly<Record<string, unknown>>[];

/**
 * A page as the API answers it, with every value made up: one record in which every field has a value, and, where something may be
 * null, one in which it is. Values of one record do not come from one record.
 */
export function fixturePage({ columns, key }: Pick<Proposal, 'columns' | 'key'>, records: Records): string {
  const evidence = gatherEvidence(records);
  const full = Object.fromEntries(evidence.map((seen) => [seen.field, valueFor(seen, columns, records)]));
  const mayBeNull = evidence.filter(({ field, shapes }) => field !== key && shapes.has('null'));
  const sparse = Object.fromEntries(
    evidence.map((seen) => [seen.field, mayBeNull.includes(seen) ? null : valueFor(seen, columns, records)]),
  );
  const rows = mayBeNull.length > 0 ? [full, sparse] : [full];
  const page = {
    code: 200,
    message: 'success',
    body: { rows, pagination: { nextCursor: null }, meta: {} },
    errors: [],
  };
  return `${JSON.stringify(page, null, 2)}\n`;
}

/** A made-up value of a shape that the proposed kind takes, and that no record holds. */
function valueFor(seen: FieldEvidence, columns: readonly ColumnProposal[], records: Records): unknown {
  const { kind, fitting } = columns.find(({ field }) => field === seen.field)!;
  const shapes = [...seen.exemplars.keys()].filter((shape) => shape !== 'null');
  const shape = shapes.find((one) => fitting.includes(one)) ?? (kind === null ? shapes[0] : undefined);
  if (shape === undefined) return null;
  const real = new Set(records.map((record) => JSON.stringify(record[seen.field])));
  let made = madeUp(seen.exemplars.get(shape));
  for (let tries = 1; tries < TRIES && real.has(JSON.stringify(made)); tries++)
    made = madeUp(seen.exemplars.get(shape));
  return made;
}
