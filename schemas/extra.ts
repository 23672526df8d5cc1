import { fitsBytes, isStorable, writeJson } from './json.ts';
import type { Kinds } from './kinds.ts';

/**
 * The `_extra` of one row: what no column holds, by the fields' names. What a destination's JSON type cannot hold is kept there as a
 * string of its JSON text; so is a name.
 */
export interface Extra {
  add(field: string, value: unknown): void;
  /** The JSON object, or null when there is more than the column can hold. */
  text(): string | null;
}

export function startExtra(record: Readonly<Record<string, unknown>>, limits: Kinds['json']): Extra {
  const names = new Set<string>();
  const members: string[] = [];
  return {
    add(field, value) {
      let name = field;
      if (!isStorable(field)) {
        name = JSON.stringify(field).slice(1, -1);
        // Another field may bear that very name.
        while (Object.hasOwn(record, name) || names.has(name)) name += '*';
      }
      names.add(name);
      members.push(`${JSON.stringify(name)}:${storableJson(value, limits, 1)}`);
    },
    text() {
      const text = `{${members.join(',')}}`;
      return fitsBytes(text, limits.maxBytes) ? text : null;
    },
  };
}

/**
 * A decoded value as JSON text that the destination's JSON type takes `levels` deep in another value: as it is, or as a string of
 * its JSON text where that type could not hold it.
 */
export function storableJson(value: unknown, limits: Kinds['json'], levels: number): string {
  const { text, storable, numbersHeld, depth } = writeJson(value, limits);
  return storable && numbersHeld && depth + levels <= limits.maxDepth ? text : JSON.stringify(text);
}
