import { beforeEach, describe, expect, test } from 'vitest';
import type { Run } from '../destinations/contract.ts';
import { memoryDestination } from '../destinations/memory/destination.ts';
import type { Step } from '../destinations/memory/table.ts';
import { type MemoryWarehouse, memoryWarehouse } from '../destinations/memory/warehouse.ts';
import { at, deals } from './destination-suite/streams.ts';
import { newPosition, pageOf } from './destination-suite/visit.ts';

let warehouse: MemoryWarehouse;
beforeEach(() => {
  warehouse = memoryWarehouse();
});

const refresh = { started: at(5), pass: 1, since: null, until: null };
const begin = { type: 'begin', position: newPosition(deals, { refresh }) } as const;

async function open(id: string, step: (step: Step, stream: string) => void | Promise<void> = () => {}) {
  const destination = memoryDestination(warehouse, { at: step });
  const run: Run = { id, command: 'sync', startedAt: at(1), fullRefresh: new Set(), warn: () => {} };
  const table = (await destination.open([deals], run)).get(deals.name)!;
  const commit = (publicId: string, changes: readonly (typeof begin)[] = []) => {
    const records = [
      { public_id: publicId, updated_at: at(1) },
      { public_id: null, name: publicId },
    ];
    const page = table.prepare(pageOf(deals, destination.kinds, { askedAt: at(10), records }));
    return table.commit({ pages: [page], changes, refresh });
  };
  const finish = () => table.finishRefresh({ since: null, until: null, at: at(20), allowMassDelete: false });
  return { destination, commit, finish };
}

/** All that is stored, without the run that stored it. */
const stored = () => ({
  rows: [...(warehouse.tables.get('deals')?.rows.keys() ?? [])],
  rejects: [...warehouse.rejects.keys()].length,
  document: warehouse.positions.get('deals')?.document ?? null,
  seen: [...(warehouse.seen.get('deals')?.keys() ?? [])],
});

const dieAt = (deadly: Step) => (step: Step) => {
  if (step === deadly) throw new Error(`killed ${step}`);
};

describe('A run that dies at a named step', () => {
  test.each(['before rows', 'between rows and position'] as const)('%s, has written nothing', async (step) => {
    await (await open('first')).commit('a', [begin]);
    const before = stored();
    warehouse.releaseLocks();
    await expect((await open('second', dieAt(step))).commit('b')).rejects.toThrow(`killed ${step}`);
    expect(stored()).toEqual(before);
  });

  test('after its commit, has written all of it', async () => {
    await expect((await open('first', dieAt('after commit'))).commit('a', [begin])).rejects.toThrow('killed');
    expect(stored()).toMatchObject({ rows: ['["a"]'], rejects: 1, seen: ['["a"]'] });
    expect(JSON.parse(stored().document!)).toMatchObject({ refresh, rows: true });
  });

  test.each(['before marking', 'between marking and position'] as const)('%s, has marked nothing', async (step) => {
    await (await open('first')).commit('a', [begin]);
    const before = stored();
    warehouse.releaseLocks();
    await expect((await open('second', dieAt(step))).finish()).rejects.toThrow(`killed ${step}`);
    expect(stored()).toEqual(before);
  });
});

describe('A run that sleeps', () => {
  test('is locked out once another has taken over, and does not hold that one up', async () => {
    let wake = () => {};
    const asleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const sleeper = await open('sleeper', (step) => (step === 'between rows and position' ? asleep : undefined));
    const late = sleeper.commit('late', [begin]);
    await expect(open('refused')).rejects.toThrow('sleeper');

    warehouse.releaseLocks('sleeper');
    const next = await open('next');
    await next.commit('a', [begin]);
    const before = stored();
    wake();
    await expect(late).rejects.toMatchObject({ kind: 'transient_error' });
    await expect(sleeper.finish()).rejects.toMatchObject({ kind: 'transient_error' });
    expect(stored()).toEqual(before);
    await sleeper.destination.close();
    await expect(open('third')).rejects.toThrow('next');
  });
});
