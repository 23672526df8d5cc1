import { type ColumnKind, text } from '../../../schemas/kinds.ts';
import { type Column, parsedName, type Stream } from '../../../schemas/stream.ts';

/** A column as dbt's documentation tells it. */
export interface Documented {
  readonly name: string;
  readonly description: string;
  readonly pii: boolean;
}

/** Columns that every table has, and those that many streams have under one name. */
const COMMON: Readonly<Record<string, string>> = {
  public_id: "ClearGrid's id of the row.",
  created_at: 'When ClearGrid made it.',
  updated_at: 'When ClearGrid last changed it.',
  communicated_at: 'When the contact took place.',
};

const KIND_WORDS: Readonly<Record<ColumnKind, string>> = {
  text: 'text',
  integer: 'a whole number',
  decimal: 'a decimal number',
  minorUnits: "an amount in the currency's minor units, as sent",
  double: 'a number',
  boolean: 'true or false',
  timestamp: 'an instant',
  businessDate: 'a date as text, DD/MM/YYYY as sent',
  json: 'JSON',
};

const BOOKKEEPING: readonly Documented[] = [
  ours('_extra', 'What no column holds: a JSON object of field to value; null when there is nothing.'),
  ours('_changes', 'What did not fit its column: a JSON list of field, change, reason; null when everything did.'),
  ours(
    '_synced_at',
    'When the page that brought this version of the row was asked for; a row that did not change keeps its own.',
  ),
];

const DELETED_AT = ours('_deleted_at', 'When a full refresh found that the API returns this row no more; else null.');

/** The columns of a stream's table. */
export function tableColumnDocs(stream: Stream): Documented[] {
  return [...stream.columns.flatMap((column) => [own(column), ...parsed(column)]), ...BOOKKEEPING, DELETED_AT];
}

/** The columns of a stream's staging model. */
export function stagingColumnDocs(stream: Stream): Documented[] {
  return [
    ...stream.columns.flatMap((column) =>
      column.kind === 'minorUnits'
        ? [amount(column), { ...own(column), name: minorUnitsName(column.name) }]
        : [own(column), ...parsed(column)],
    ),
    ...BOOKKEEPING,
  ];
}

/** The name that a staging model gives to an amount as it was sent. */
export function minorUnitsName(column: string): string {
  return `${column}_minor_units`;
}

function own(column: Column): Documented {
  const { name, field, kind, description, pii } = column;
  const said = description === null ? (COMMON[name] ?? `${titled(name)}.`) : sentence(description);
  const isAs = kind === text.kind ? '' : ` ${titled(KIND_WORDS[kind])}.`;
  return { name, description: `${said}${isAs}${field === name ? '' : ` ${field} in the API.`}`, pii };
}

function amount({ name, description, pii }: Column): Documented {
  // What is said of minor units holds for the column beside it.
  const said = description === null || /minor units/i.test(description) ? `${titled(name)}.` : sentence(description);
  return { name, description: `${said} An amount in the currency's unit, exactly.`, pii };
}

function parsed({ name, kind, pii }: Column): Documented[] {
  if (kind !== 'businessDate') return [];
  return [{ name: parsedName(name), description: `The date in ${name}; null where it is none.`, pii }];
}

const titled = (name: string) => `${name.charAt(0).toUpperCase()}${name.slice(1).replaceAll('_', ' ')}`;
const sentence = (said: string) => (said.endsWith('.') ? said : `${said}.`);

function ours(name: string, description: string): Documented {
  return { name, description, pii: false };
}
