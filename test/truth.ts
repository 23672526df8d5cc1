import type { Destination } from '../destinations/contract.ts';
import { decodeJson } from '../schemas/decode.ts';
import type { ColumnKind } from '../schemas/kinds.ts';
import { compileMapper } from '../schemas/mapper.ts';
import { type Stream, tableColumns } from '../schemas/stream.ts';
import type { Simulator } from '../simulator/simulator.ts';

/**
 * Compares a table with what the API would return in full: the newest version of every record, once, each value as the mapper
 * says for this destination.
 *
 * @param table the table's name in the destination's SQL.
 * @returns what differs, in words, at most ten; nothing when they are equal.
 */
export async function differences(
  simulator: Simulator,
  destination: Destination,
  stream: Stream,
  table: string,
): Promise<string[]> {
  const names = tableColumns(stream);
  const kinds = new Map<string, ColumnKind>(stream.columns.map(({ name, kind }) => [name, kind]));
  const compared = names
    .map((name, at) => ({ name, at, kind: name === '_extra' ? 'json' : kinds.get(name) }))
    .filter(({ name }) => !['_synced_at', '_deleted_at', '_changes'].includes(name));
  const keyPlaces = stream.primaryKey.map((name) => names.indexOf(name));
  const records = [...simulator.truth(stream.dataset.code)].map(({ bytes }) => decodeJson(bytes));
  const mapping = compileMapper(stream, destination.kinds).map(records, '2026-01-01T00:00:00.000000Z');

  const expected = new Map<string, string>();
  for (const row of mapping.rows) {
    const key = JSON.stringify(keyPlaces.map((at) => row[at]));
    expected.set(key, JSON.stringify(compared.map(({ at, kind }) => normal(row[at], kind))));
  }
  const problems: string[] = [];
  for await (const row of destination.query(`select * from ${table}`)) {
    const key = JSON.stringify(stream.primaryKey.map((name) => row[name]));
    const truth = expected.get(key);
    const found = () => JSON.stringify(compared.map(({ name, kind }) => normal(row[name], kind)));
    if (truth === undefined) {
      if (row._deleted_at === null) problems.push(`${stream.name} ${key}: is gone, there twice, or never was`);
    } else if (row._deleted_at !== null) problems.push(`${stream.name} ${key}: is marked deleted and is not`);
    else if (truth !== found()) problems.push(`${stream.name} ${key}: ${found()} is not ${truth}`);
    expected.delete(key);
  }
  for (const key of expected.keys()) problems.push(`${stream.name} ${key}: is missing`);
  return problems.slice(0, 10);
}

/** One spelling for each value, however a driver hands it over. */
function normal(value: unknown, kind: ColumnKind | undefined): unknown {
  if (value === null || value === undefined) return null;
  if (kind === 'json') return JSON.stringify(sorted(decodeJson(Buffer.from(String(value)))));
  if (kind === 'integer' || kind === 'decimal' || kind === 'minorUnits') {
    const digits = String(value);
    return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  }
  return value;
}

/** Databases keep the keys of a JSON object in an order of their own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
