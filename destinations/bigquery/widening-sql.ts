import type { Stream } from '../../schemas/stream.ts';
import type { Widening } from '../widening.ts';
import type { NativeColumn } from './kinds.ts';
import { literal, quote } from './names.ts';
import { loadedValue } from './ndjson.ts';
import { sameKey } from './rows-sql.ts';

/** The statements that fill new columns of rows that are there already. */

/** The rows that may have something for the new columns. */
export function selectUnfilled(stream: Stream, table: string, { columns }: Widening, texts: readonly string[]): string {
  const key = stream.primaryKey.map((name, at) => `_old.${quote(name)} as key_${at}`);
  const selected = texts.map((name, at) => `, _old.${quote(name)} as text_${at}`).join('');
  const has = [
    ...columns.map(({ field }) => mentions(field)),
    ...texts.map((name) => `_old.${quote(name)} is not null`),
  ];
  return `select ${key.join(', ')}, _old.\`_extra\` as extra, _old.\`_changes\` as changes${selected}
from ${table} _old
where ${has.join('\n  or ')}`;
}

/** Whether the text of `_extra` has the field's name in it; a name that JSON may write in several ways is taken to be in all. */
function mentions(field: string): string {
  if (!/^[\w -]+$/.test(field)) return '_old.`_extra` is not null';
  return `strpos(to_json_string(_old.\`_extra\`), ${literal(`"${field}":`)}) > 0`;
}

export function updateFilled(stream: Stream, table: string, staged: string, columns: readonly NativeColumn[]): string {
  const values = columns.filter(({ name }) => !stream.primaryKey.includes(name));
  return `update ${table} _old set
  ${values.map((column) => `${quote(column.name)} = ${loadedValue('_new', column)}`).join(',\n  ')}
from ${staged} _new
where ${sameKey(stream, '_new', '_old')}`;
}
