import { describe } from 'vitest';
import { countsSuite } from './destination-suite/counts.ts';
import { HOSTILE_NAMES, identifiersSuite } from './destination-suite/identifiers.ts';
import { ledgerSuite } from './destination-suite/ledger.ts';
import { positionsSuite } from './destination-suite/positions.ts';
import { queriesSuite } from './destination-suite/queries.ts';
import { refreshSuite } from './destination-suite/refresh.ts';
import { rejectsSuite } from './destination-suite/rejects.ts';
import { repeatedKeysSuite } from './destination-suite/repeated-keys.ts';
import { rowsSuite } from './destination-suite/rows.ts';
import { runsAndLocksSuite } from './destination-suite/runs-and-locks.ts';
import type { MakeTarget } from './destination-suite/target.ts';
import { tasksSuite } from './destination-suite/tasks.ts';
import { valuesSuite } from './destination-suite/values.ts';
import { visits } from './destination-suite/visit.ts';
import { wideningSuite } from './destination-suite/widening.ts';

export { HOSTILE_NAMES } from './destination-suite/identifiers.ts';
export type { MakeTarget, Tamper, Target } from './destination-suite/target.ts';

/**
 * The contract of `destinations/contract.ts` as code: a destination that passes it may be used. A test file calls it once:
 *
 *     destinationSuite('duckdb', async () => ({ destination: () => duckdbDestination(config), ... }));
 *
 * @param make a target with nothing on it, made anew for each test.
 * @param options `hostileNames`: those of `HOSTILE_NAMES` that tables and columns can have there; default all. `shared`: whether
 *   several processes may write there; default yes.
 */
export function destinationSuite(
  name: string,
  make: MakeTarget,
  { hostileNames = HOSTILE_NAMES, shared = true }: { hostileNames?: readonly string[]; shared?: boolean } = {},
): void {
  describe(`The destination ${name}`, () => {
    const visit = visits(make);
    rowsSuite(visit);
    rejectsSuite(visit);
    positionsSuite(visit);
    refreshSuite(visit);
    repeatedKeysSuite(visit);
    wideningSuite(visit);
    identifiersSuite(visit, hostileNames);
    runsAndLocksSuite(visit);
    if (shared) tasksSuite(visit);
    ledgerSuite(visit);
    queriesSuite(visit);
    countsSuite(visit);
    valuesSuite(name, visit);
  });
}
