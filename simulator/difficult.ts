import type { CursorField } from './datasets.ts';
import type { Field, FieldKind } from './fields.ts';
import { BROKEN_UTF8 } from './segment.ts';
import type { Edits } from './writer.ts';

const deep = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`;

/** By kind of field: values, as JSON text, that a destination can choke on though the API may well send them. */
const HAZARDS: Readonly<Record<Exclude<FieldKind, 'id'>, readonly string[]>> = {
  text: [
    'null',
    '""',
    '"  padded  "',
    '12345678901234567890',
    '0.10',
    'true',
    '{"nested":"value"}',
    '["a","b"]',
    '"nul \\u0000 inside"',
    '"half a pair \\ud83d."',
    '"\\udc00"',
    `"not UTF-8: ${BROKEN_UTF8}"`,
    '"quote \\" backslash \\\\ tab \\t newline \\r\\n slash \\/ bell \\u0007"',
    '"\\\\N \\\\. {1,2} $1 \'; --"',
    '"مرحبا e\\u0301 é 👩‍👩‍👧 \u2028 \ufeff"',
  ],
  amount: [
    'null',
    '""',
    '"375000"',
    '"12.50"',
    '30.5',
    '-0',
    '-250000',
    '1e3',
    '1.5E+2',
    '9007199254740993',
    '123456789012345678901234567890',
    '0.12345678901234',
    '1e400',
    '"many"',
    'true',
    '{}',
  ],
  number: ['null', '""', '"30"', '30.5', '-1', '9223372036854775808', '87.40317211234567', '1e-7', '"none"', '[]'],
  businessDate: [
    'null',
    '""',
    '"31/02/2026"',
    '"00/00/0000"',
    '"29/02/2025"',
    '"29/02/2024"',
    '"2026-02-01"',
    '"02/13/2026"',
    '"1/2/2026"',
    '" 01/02/2026 "',
    '"01/02/26"',
    '"01/01/0001"',
    '"31/12/9999"',
    '"01/01/10000"',
    '"29/03/2026"',
    '"٠١/٠٢/٢٠٢٦"',
    '20260201',
    '"not yet"',
  ],
  instant: [
    'null',
    '""',
    '"2026-05-29T07:20:55Z"',
    '"2026-05-29T07:20:55.123456Z"',
    '"2026-05-29T07:20:55.123456789Z"',
    '"2026-03-29T02:30:00.000+03:00"',
    '"2026-03-29T02:30:00.000+0300"',
    '"2026-05-29 07:20:55"',
    '"2026-02-30T00:00:00.000Z"',
    '"0001-01-01T00:00:00.000Z"',
    '"9999-12-31T23:59:59.999Z"',
    '"+010000-01-01T00:00:00.000Z"',
    '"29/05/2026"',
    '1780039255000',
    '{"$date":"2026-05-29T07:20:55.000Z"}',
  ],
  boolean: ['null', '""', '"true"', '1', '"yes"', '{}'],
  object: ['null', '""', '"text"', '[]', '12345678901234567890', '{"a":{"b":[{"c":"\\u0000"}]}}', deep(400)],
};

/** Fields that no stream declares, or whose name is taken or awkward as the name of a column. */
const STRANGERS: readonly Edits[] = [
  { brand_new_field: '{"since":"v1.3","values":[1,2.50,12345678901234567890]}' },
  { newField: 'null' },
  { Public_Id: '"another"', 'updated_at ': '"2001-01-01"' },
  { _extra: '1', _changes: '[]', _synced_at: '"2001-01-01T00:00:00.000Z"', _deleted_at: '"2001-01-01T00:00:00.000Z"' },
  { submitted_date_parsed: '"2001-01-01"', due_date_parsed: '"2001-01-01"' },
  Object.fromEntries([
    ['__proto__', '{"polluted":true}'],
    ['constructor', '1'],
    ['toString', '"2"'],
  ]),
  { '': '"no name"', 'na"me; drop table': '1', naïve: '2', select: '3' },
  { [`field_${'x'.repeat(300)}`]: '1' },
];

/** Keys that are none, or that only just differ from another record's. */
const KEYS: readonly ((id: number, previousKey: string) => string | undefined)[] = [
  () => undefined,
  () => 'null',
  () => '""',
  () => '{"$oid":"65f0c0ffee"}',
  () => '["65f0c0ffee"]',
  (id) => String(9_007_199_254_740_993n + 2n * BigInt(id)),
  (id) => `"${'k'.repeat(1100)}${id}"`,
  (id) => `"key \\u0000 ${id}"`,
  (id) => `"key \\ud800 ${id}"`,
  (_, previousKey) => JSON.stringify(previousKey.toUpperCase()),
  (_, previousKey) => JSON.stringify(`${previousKey} `),
];

/**
 * Gives every third record one value that is hard to land, taking turns: each field with each hazard of its kind, each field
 * missing, strange fields, unusable keys, and once a megabyte of text. The cursor field and `updated_at` stay what they are:
 * the API orders by them.
 */
export function createDifficult(shape: readonly Field[], cursorField: CursorField, keyOf: (id: number) => string) {
  const [key, ...others] = shape as [Field, ...Field[]];
  const fields = others.filter(({ name }) => name !== cursorField && name !== 'updated_at');
  const cases: ((id: number) => Edits)[] = [
    ...fields.flatMap(({ name, kind }) =>
      kind === 'id' ? [] : HAZARDS[kind].map((hazard) => () => ({ [name]: hazard })),
    ),
    ...fields.map(({ name }) => () => ({ [name]: undefined })),
    ...STRANGERS.map((edits) => () => edits),
    ...KEYS.map((make) => (id: number) => ({ [key.name]: make(id, keyOf(id - 1)) })),
  ];
  const long = fields.find(({ kind }) => kind === 'text') ?? fields[0];

  return (id: number): Edits | null => {
    if (id % 3 !== 1) return null;
    const turn = Math.floor(id / 3);
    if (turn === cases.length && long !== undefined) return { [long.name]: `"${'long '.repeat(200_000)}"` };
    return (cases[turn % cases.length] as (id: number) => Edits)(id);
  };
}
