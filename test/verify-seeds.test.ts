import { expect, test } from 'vitest';
import { memoryDestination } from '../destinations/memory/destination.ts';
import { type MemoryWarehouse, memoryWarehouse } from '../destinations/memory/warehouse.ts';
import { type Dice, rollBelow } from '../simulator/random.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { verifyWorld } from './verify-world.ts';

/** Whatever was done to a table of one page, and whatever the API does meanwhile: what `verify --repair` calls equal is true. */

const STREAM = 'borrower_sub_accounts';
const CODE = 'D03';
const SEEDS = Array.from({ length: 24 }, (_, seed) => seed + 1);

/** Deletes, adds, moves or marks a few rows behind everybody's back. */
function damage(warehouse: MemoryWarehouse, dice: Dice): void {
  const { rows } = warehouse.tables.get(STREAM)!;
  const keys = [...rows.keys()];
  for (let left = rollBelow(dice, 12); left > 0; left--) {
    const key = keys[rollBelow(dice, keys.length)]!;
    const row = rows.get(key);
    if (row === undefined) continue;
    const instant = new Date(Date.UTC(2016 + rollBelow(dice, 9), 3, 1, 0, 0, 0, rollBelow(dice, 1000)));
    const updatedAt = instant.toISOString().replace('Z', '000Z');
    const kind = rollBelow(dice, 5);
    if (kind === 0) rows.delete(key);
    if (kind === 1) rows.set(key, new Map([...row, ['updated_at', updatedAt]]));
    if (kind === 2) rows.set(key, new Map([...row, ['updated_at', null]]));
    if (kind === 3) rows.set(key, new Map([...row, ['_deleted_at', updatedAt]]));
    if (kind === 4) {
      const added = `${row.get('public_id')} ${left}`;
      rows.set(JSON.stringify([added]), new Map([...row, ['public_id', added]]));
    }
  }
}

/** What the API does between two runs. */
function live(simulator: Simulator, dice: Dice): void {
  simulator.change(CODE, rollBelow(dice, 40));
  simulator.insert(CODE, rollBelow(dice, 20));
  simulator.remove(CODE, rollBelow(dice, 5));
  simulator.advance(rollBelow(dice, 3) * 3_600_000);
}

test.each(SEEDS)('seed %i', { timeout: 180_000 }, async (seed) => {
  const dice: Dice = { state: seed };
  const unknowns = [{}, { totalCap: 100 }, { totalTimesOut: true }, { totalWindow: 'both' as const }][
    rollBelow(dice, 4)
  ]!;
  const faults = rollBelow(dice, 4) === 0 ? (['wrong-totals'] as const) : [];
  const simulator = await startSimulator({ rows: { D03: 300 + rollBelow(dice, 600) }, seed, unknowns, faults });
  const warehouse = memoryWarehouse();
  const destination = () => memoryDestination(warehouse);
  /** What lies in the look-back, or nowhere, is not compared: the next sync and the next full refresh look there. */
  const isCompared = (problem: string, until: string) => {
    const row = warehouse.tables.get(STREAM)!.rows.get(/\[.*?\]/.exec(problem)![0]);
    const cursor = row?.get('updated_at') ?? null;
    return row === undefined || (cursor !== null && (cursor as string) < until);
  };
  const world = verifyWorld({ simulator, streams: [STREAM], destination, spell: (name) => `"${name}"` });
  try {
    await world.sync();
    for (let round = 0; round < 3; round++) {
      live(simulator, dice);
      if (rollBelow(dice, 2) === 0) await world.sync();
      damage(warehouse, dice);
      const end = simulator.startChurn({ everyPages: 2, changes: rollBelow(dice, 3), inserts: rollBelow(dice, 2) });
      const before = await world.verdict();
      const { verify, error } = await world.verdict({ repair: true });
      end();
      expect([error, verify?.verdict]).toEqual([null, 'equal']);
      if (before.verify?.verdict === 'equal') expect(verify!.repaired).toBe(0);
      simulator.advance(2_000);
      await world.sync();
      expect((await world.untrue()).filter((problem) => isCompared(problem, verify!.until))).toEqual([]);
    }
  } finally {
    await simulator.stop();
  }
});
