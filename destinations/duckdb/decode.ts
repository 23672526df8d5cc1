import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  type DuckDBValue,
  type DuckDBValueConverter,
  JsonDuckDBValueConverter,
} from '@duckdb/node-api';
import type { Value } from '../../schemas/row.ts';
import { exactNumber } from '../exact-numbers.ts';

/** DuckDB's values, the other way. */

/** A value of one of our columns, as `KindValues` says. */
export function asValue(value: DuckDBValue): Value {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof DuckDBDecimalValue) return exactNumber(value.toString());
  if (value instanceof DuckDBTimestampTZValue) return instantText(value.micros);
  if (value instanceof DuckDBDateValue) return value.toString();
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString();
  return value as Value;
}

/** A value of any query: numbers where they are exact and text where not, instants as ISO text. */
export const toQueryValue: DuckDBValueConverter<unknown> = (value, type: DuckDBType) => {
  if (value === null) return null;
  if (typeof value === 'bigint' || value instanceof DuckDBDecimalValue) return exactNumber(value.toString());
  if (value instanceof DuckDBTimestampTZValue) return instantText(value.micros);
  if (value instanceof DuckDBTimestampValue) return instantText(value.micros).slice(0, -1);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return JsonDuckDBValueConverter(value, type, JsonDuckDBValueConverter);
};

/** Microseconds since 1970 as `YYYY-MM-DDTHH:MM:SS.ffffffZ`. */
export function instantText(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const second = new Date(Number((micros - fraction) / 1000n));
  return second.toISOString().replace(/\.000Z$/, `.${fraction.toString().padStart(6, '0')}Z`);
}
