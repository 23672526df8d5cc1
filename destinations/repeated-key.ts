import { createHash } from 'node:crypto';
import type { Reject, Value } from '../schemas/row.ts';
import type { Column, Stream } from '../schemas/stream.ts';
import { exactNumber } from './exact-numbers.ts';

/**
 * The reject for a row that shares its key with another row. Its record is written anew from the row's columns and `_extra`, so that
 * the same record gives the same reject whether it lost on arrival or is displaced later.
 *
 * @param of the row's value of a column, as `KindValues` says.
 */
export function repeatedKeyReject(stream: Stream, of: (column: string) => Value): Reject {
  const reason = `another row has the same key: ${stream.primaryKey.join(', ')}`;
  const record = recordText(stream, of);
  const id = createHash('sha256')
    .update(JSON.stringify([stream.name, record, reason]))
    .digest('hex');
  return { id, record, reason };
}

/** Where a value did not fit its column, the original in `_extra` is what counts. */
function recordText(stream: Stream, of: (column: string) => Value): string {
  const extra = of('_extra');
  const originals = typeof extra === 'string' ? extra.trim().slice(1, -1) : '';
  const kept = new Set(typeof extra === 'string' ? Object.keys(JSON.parse(extra)) : []);
  const fields = stream.columns
    .filter((column) => of(column.name) !== null && !kept.has(column.field))
    .map((column) => `${JSON.stringify(column.field)}:${valueText(column, of(column.name))}`);
  return `{${[...fields, originals].filter((part) => part !== '').join(',')}}`;
}

function valueText(column: Column, value: Value): string {
  switch (column.kind) {
    case 'decimal':
    case 'minorUnits':
      return String(exactNumber(String(value)));
    case 'integer':
    case 'double':
    case 'boolean':
    case 'json':
      return String(value);
    default:
      return JSON.stringify(value);
  }
}
