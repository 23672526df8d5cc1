import type { Kinds } from '../../schemas/kinds.ts';
import { parsedName, type Stream } from '../../schemas/stream.ts';

/** Memory holds whatever a row can say; the limits are those of the widest database that we know. */
export const memoryKinds: Kinds = {
  text: { type: 'text', maxBytes: Number.MAX_SAFE_INTEGER },
  integer: { type: 'integer', min: -(2n ** 63n), max: 2n ** 63n - 1n },
  decimal: { type: 'decimal', integerDigits: 29, fractionDigits: 9 },
  minorUnits: { type: 'decimal', integerDigits: 29, fractionDigits: 9 },
  double: { type: 'double' },
  boolean: { type: 'boolean' },
  timestamp: { type: 'timestamp', minYear: 1, maxYear: 9999 },
  businessDate: { type: 'text', minYear: 1, maxYear: 9999 },
  json: { type: 'json', holdsNumber: () => true, maxDepth: 1000, maxBytes: Number.MAX_SAFE_INTEGER },
};

/** The type of each column of a stream's table, by name. */
export function columnTypes(stream: Stream): Map<string, string> {
  const own = stream.columns.flatMap(({ name, kind }): [string, string][] => [
    [name, memoryKinds[kind].type],
    ...(kind === 'businessDate' ? [[parsedName(name), 'date'] as [string, string]] : []),
  ]);
  return new Map([
    ...own,
    ['_extra', 'json'],
    ['_changes', 'json'],
    ['_synced_at', 'timestamp'],
    ['_deleted_at', 'timestamp'],
  ]);
}
