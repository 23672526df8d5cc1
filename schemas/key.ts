import { fitsBytes } from './json.ts';
import type { Change, Value } from './row.ts';
import { isJsonObject } from './values.ts';

/** What every database takes as part of a key, and any index entry holds. */
const MAX_KEY_BYTES = 1024;

/**
 * Why a column cannot be part of a row's key, in words without its value; null when it can.
 *
 * @param kept what the column holds.
 * @param sent what the record says.
 * @param change the column's change, if it could not hold what was sent.
 */
export function keyProblem(kept: Value, sent: unknown, change: Change | undefined): string | null {
  if (change === undefined && kept !== null) {
    if (typeof kept !== 'string') return null;
    if (kept === '') return 'is empty';
    return fitsBytes(kept, MAX_KEY_BYTES) ? null : 'is longer than 1,024 bytes';
  }
  if (sent === undefined) return 'is missing';
  if (sent === null) return 'is null';
  if (Array.isArray(sent)) return 'is a list';
  if (isJsonObject(sent)) return 'is an object';
  return change?.change === 'TRUNCATED' ? 'holds characters that cannot be stored' : 'does not fit its column';
}
