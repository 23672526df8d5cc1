import { configError } from '../../destinations/failure.ts';
import type { Dataset } from '../../schemas/stream.ts';
import { BOOKKEEPING_COLUMNS, parsedName, snakeCase } from '../../schemas/stream.ts';
import { count } from '../output/words.ts';
import { type ColumnProposal, proposeColumn } from './propose.ts';
import type { Sample } from './sample.ts';
import { type FieldEvidence, gatherEvidence, valuesOf } from './shapes.ts';

/** A stream as the sample lets one propose it. */
export interface Proposal {
  readonly name: string;
  readonly description: string;
  readonly dataset: Dataset;
  readonly cursor: string;
  readonly columns: readonly ColumnProposal[];
  /** The field that tells records apart. */
  readonly key: string;
  readonly suspectKey: { readonly by: readonly string[]; readonly suggest: readonly string[] } | null;
  readonly lookBack: string | null;
  /** What a person has to settle about the stream itself, by what it is about. */
  readonly questions: Readonly<Questions>;
}

type Questions = { [K in 'dataset' | 'cursor' | 'primaryKey' | 'suspectKey' | 'lookBack']?: string };

export interface Asked {
  readonly name: string;
  /** What the catalog calls the dataset, or null. */
  readonly title: string | null;
  readonly section: string;
  readonly code: string;
  /** As the catalog tells it, or null. */
  readonly cursorField: string | null;
}

/** The key of streams that declare no other. */
export const USUAL_KEY = 'public_id';
const USUAL_CURSORS = ['updated_at', 'created_at'];
/** So many full pages do not come from a dataset whose pages may be short. */
const FULL_PAGES = 20;
/** For rows that change after the time that they are paged by: those of the last 30 days are read again by each run. */
const LOOK_BACK = 'P30D';

/** Proposes a stream. @throws {Failure} when the sample has no field to page by, or none that tells records apart. */
export function propose(asked: Asked, sample: Sample): Proposal {
  const evidence = gatherEvidence(sample.records);
  const columns = withoutClashes(evidence.map(proposeColumn));
  const questions: Questions = {};
  const isTimestamp = (field: string) =>
    columns.some((column) => column.field === field && column.kind === 'timestamp');

  const cursor = asked.cursorField ?? USUAL_CURSORS.find(isTimestamp);
  if (cursor === undefined || !isTimestamp(cursor)) {
    throw configError(
      `dataset ${asked.code}: ${cursor === undefined ? 'the catalog does not tell what it is paged by, and no usual field is there' : `it is paged by ${cursor}, which is no instant in its records`}; ` +
        'declare it by hand (docs/adding-a-stream.md)',
    );
  }
  if (asked.cursorField === null) questions.cursor = 'the catalog does not tell what the API pages by: is it this?';

  const isDirect = sample.short === 0 && sample.full >= FULL_PAGES;
  if (sample.short === 0)
    questions.dataset = isDirect
      ? `all ${sample.full} pages before a last one were full: is it 'via', whose pages may be short, by the documentation?`
      : "too few pages to tell: is it 'direct', whose last page alone may be short, by the documentation?";

  const key = keyOf(evidence, sample, asked.code);
  const without = sample.records.length - valuesOf(evidence.find(({ field }) => field === key)!);
  if (key !== USUAL_KEY)
    questions.primaryKey = `there is no ${USUAL_KEY}; in the sample this told records apart: does it always?`;
  else if (without > 0)
    questions.primaryKey = `${count(without)} records came without ${USUAL_KEY} and would be rejects: is another field the key?`;
  const shared = sharedKeys(sample, key);
  if (shared > 0)
    questions.suspectKey = `${counted(shared)} came with more than one created_at: is one key several rows?`;

  const late = changedLater(sample, cursor);
  if (late > 0)
    questions.lookBack = `${count(late)} of ${count(sample.records.length)} records changed after the time that they are paged by: for how long do they?`;

  return {
    name: asked.name,
    description: `${asked.title ?? `Records of ${asked.code}`}.`,
    dataset: { section: asked.section, code: asked.code, paging: isDirect ? 'direct' : 'via' },
    cursor,
    columns,
    key,
    suspectKey: shared > 0 ? { by: ['created_at'], suggest: [key, 'created_at'] } : null,
    lookBack: late > 0 ? LOOK_BACK : null,
    questions,
  };
}

const counted = (keys: number) => `${count(keys)} key${keys === 1 ? '' : 's'}`;

/** A field whose column would take the name of another one is not declared: it stays in `_extra`. */
function withoutClashes(columns: readonly ColumnProposal[]): ColumnProposal[] {
  const taken = new Set<string>(BOOKKEEPING_COLUMNS);
  return columns.map((column) => {
    const name = snakeCase(column.field).toLowerCase();
    const names = column.kind === 'businessDate' ? [name, parsedName(name)] : [name];
    if (column.kind === null) return column;
    if (column.field === '' || column.field === '__proto__' || names.some((one) => taken.has(one)))
      return { ...column, kind: null, question: 'its name cannot be a column here: it stays in _extra' };
    for (const one of names) taken.add(one);
    return column;
  });
}

/** The field that tells records apart: the usual one where it is there at all, else one that does so in the sample. */
function keyOf(evidence: readonly FieldEvidence[], { records }: Sample, code: string): string {
  if (evidence.some((seen) => seen.field === USUAL_KEY && valuesOf(seen) > 0)) return USUAL_KEY;
  const found = evidence.find(
    (seen) =>
      /(^|_)(id|uuid|key|number|reference)$/i.test(seen.field) &&
      valuesOf(seen) === records.length &&
      seen.different === records.length,
  );
  if (found !== undefined) return found.field;
  throw configError(
    `dataset ${code}: no field of its records looks like a key (never null, never twice); ask ClearGrid which fields are one, and ` +
      'declare it by hand with primaryKey (docs/adding-a-stream.md)',
  );
}

/** How many keys came with more than one time of creation. */
function sharedKeys({ records }: Sample, key: string): number {
  const created = new Map<unknown, Set<unknown>>();
  for (const record of records) {
    if (record.created_at === undefined) continue;
    created.set(record[key], (created.get(record[key]) ?? new Set()).add(record.created_at));
  }
  return [...created.values()].filter((instants) => instants.size > 1).length;
}

/** How many records were updated after the time that they are paged by, where that is not the time of the update itself. */
function changedLater({ records }: Sample, cursor: string): number {
  if (cursor === 'updated_at') return 0;
  return records.filter((record) => Date.parse(String(record.updated_at)) > Date.parse(String(record[cursor]))).length;
}
