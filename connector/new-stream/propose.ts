import type { ColumnKind } from '../../schemas/kinds.ts';
import { isJsonObject } from '../../schemas/values.ts';
import { count } from '../output/words.ts';
import { isNamedLikeMoney, isNamedLikePerson } from './names.ts';
import { type FieldEvidence, type Shape, valuesOf } from './shapes.ts';

/** What is proposed for one field. */
export interface ColumnProposal {
  readonly field: string;
  /** Null where no value was seen: then nothing is declared, and what comes is kept in `_extra` until it is. */
  readonly kind: ColumnKind | null;
  readonly pii: boolean;
  /** Counts and shapes, no values. */
  readonly evidence: string;
  /** What a person has to settle, or null. */
  readonly question: string | null;
  /** The shapes that the kind takes: what sample values are made up from. */
  readonly fitting: readonly Shape[];
}

interface Verdict {
  readonly kind: ColumnKind;
  readonly fitting: readonly Shape[];
  readonly question?: string;
}

const NUMBERS: readonly Shape[] = ['whole number', 'number with decimals'];
const TEXTS: readonly Shape[] = [
  'text',
  'uuid',
  'hex id',
  'email',
  'phone',
  'number as text',
  'instant',
  'DD/MM/YYYY',
  'MM/DD/YYYY',
  'YYYY-MM-DD',
];
/** Below such a share of its values a shape is an accident. */
const MOST = 0.8;
/** More decimals than amounts and rates have: what was measured. */
const DECIMALS_OF_MEASURES = 10;

/** Proposes a field's kind from what was seen of it. */
export function proposeColumn(seen: FieldEvidence): ColumnProposal {
  const verdict = valuesOf(seen) === 0 ? null : (structured(seen) ?? dated(seen) ?? counted(seen) ?? textual(seen));
  return {
    field: seen.field,
    kind: verdict?.kind ?? null,
    pii: isPersonal(seen),
    evidence: evidenceText(seen),
    question: verdict === null ? 'no value was seen: of which kind is it?' : (verdict.question ?? null),
    fitting: verdict?.fitting ?? [],
  };
}

function structured(seen: FieldEvidence): Verdict | null {
  if (valuesOf(seen, 'object', 'list') > 0) {
    const isAll = valuesOf(seen, 'object', 'list') === valuesOf(seen);
    const question = 'some values are lists or objects and some are not: json takes them all, is it meant?';
    return { kind: 'json', fitting: ['object', 'list'], ...(!isAll && { question }) };
  }
  if (valuesOf(seen, 'true or false') === valuesOf(seen)) return { kind: 'boolean', fitting: ['true or false'] };
  return null;
}

function dated(seen: FieldEvidence): Verdict | null {
  const all = valuesOf(seen);
  const instants = valuesOf(seen, 'instant');
  if (instants >= MOST * all) {
    const question =
      'a few values are no instants: they would be null in the column and kept in _extra; is it a timestamp?';
    return { kind: 'timestamp', fitting: ['instant'], ...(instants < all && { question }) };
  }
  const dayFirst = valuesOf(seen, 'DD/MM/YYYY');
  if (dayFirst >= MOST * all && valuesOf(seen, 'MM/DD/YYYY') <= dayFirst - seen.certainDays && seen.certainDays > 0)
    return { kind: 'businessDate', fitting: ['DD/MM/YYYY'] };
  if (dayFirst + valuesOf(seen, 'MM/DD/YYYY') < MOST * all) return null;
  if (valuesOf(seen, 'MM/DD/YYYY') > 0)
    return {
      kind: 'text',
      fitting: TEXTS,
      question: 'dates with the month first, it seems, which no kind parses: ask ClearGrid',
    };
  return {
    kind: 'businessDate',
    fitting: ['DD/MM/YYYY'],
    question: 'no day above 12 was seen: does the day come first?',
  };
}

function counted(seen: FieldEvidence): Verdict | null {
  const asText = valuesOf(seen, 'number as text');
  const isMoney = isNamedLikeMoney(seen.field);
  if (valuesOf(seen, ...NUMBERS) + (isMoney ? asText : 0) < valuesOf(seen)) return null;
  const fitting: readonly Shape[] = isMoney ? [...NUMBERS, 'number as text'] : NUMBERS;
  if (isMoney) {
    if (seen.digits.fraction > 0)
      return { kind: 'decimal', fitting, question: 'an amount by its name, with decimals: in which unit is it?' };
    return {
      kind: 'minorUnits',
      fitting,
      question: 'an amount in minor units, by its name and being whole: is it one?',
    };
  }
  if (seen.digits.fraction >= DECIMALS_OF_MEASURES) return { kind: 'double', fitting };
  if (seen.digits.fraction > 0) return { kind: 'decimal', fitting };
  return seen.digits.whole > 18 ? { kind: 'decimal', fitting } : { kind: 'integer', fitting };
}

function textual(seen: FieldEvidence): Verdict {
  const fitting: readonly Shape[] = [...TEXTS, ...NUMBERS, 'true or false'];
  if (valuesOf(seen, 'YYYY-MM-DD') >= MOST * valuesOf(seen))
    return {
      kind: 'text',
      fitting,
      question: 'days without a time, which no kind parses: text, or a kind of its own?',
    };
  return { kind: 'text', fitting };
}

function isPersonal(seen: FieldEvidence): boolean {
  const direct = valuesOf(seen, 'email', 'phone') * 2 > valuesOf(seen);
  const inner = [seen.exemplars.get('object'), seen.exemplars.get('list')].some(namesPerson);
  return direct || inner || isNamedLikePerson(seen.field);
}

function namesPerson(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(namesPerson);
  if (!isJsonObject(value)) return false;
  return Object.entries(value).some(([key, item]) => isNamedLikePerson(key) || namesPerson(item));
}

const PLURALS: Partial<Record<Shape, string>> = {
  null: 'null',
  'true or false': 'true or false',
  'empty text': 'empty texts',
  'DD/MM/YYYY': 'DD/MM/YYYY',
  'MM/DD/YYYY': 'MM/DD/YYYY',
  'YYYY-MM-DD': 'YYYY-MM-DD',
  'number with decimals': 'numbers with decimals',
  'number as text': 'numbers as text',
};

function evidenceText({ shapes, different, digits, certainDays }: FieldEvidence): string {
  const seen = [...shapes].sort(([, a], [, b]) => b - a);
  return [
    ...seen.map(([shape, times]) => `${count(times)} ${PLURALS[shape] ?? (times === 1 ? shape : `${shape}s`)}`),
    `${count(different)} different`,
    ...(digits.whole > 0 ? [`up to ${digits.whole} digits`] : []),
    ...(digits.fraction > 0 ? [`up to ${digits.fraction} decimals`] : []),
    ...(certainDays > 0 ? [`${count(certainDays)} days above 12`] : []),
  ].join(', ');
}
