import { afterEach, describe, expect, test } from 'vitest';
import { noCounts, type ReconcileCounts, reconcile } from '../accounts/proof/reconcile.ts';
import { silentReporter } from '../connector/report.ts';
import { systemTiming } from '../connector/timing.ts';
import type { LedgerEntry } from '../destinations/ledger.ts';
import { memoryDestination } from '../destinations/memory/destination.ts';
import type { SimulatorOptions } from '../simulator/simulator.ts';
import { account } from './accounts-example.ts';
import { type AccountsWorld, accountsWorld } from './accounts-world.ts';
import { truthOf } from './simulator-client.ts';

const worlds: AccountsWorld[] = [];
async function world(options?: SimulatorOptions): Promise<AccountsWorld> {
  const made = await accountsWorld(options);
  worlds.push(made);
  return made;
}
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.stop();
});

interface Proven {
  readonly counts: ReconcileCounts;
  readonly problems: readonly LedgerEntry[];
}

async function prove(it: AccountsWorld, { waitMs = 0, since = null as string | null } = {}): Promise<Proven> {
  const destination = memoryDestination(it.warehouse);
  const source = await it.api();
  await destination.ledger.hold({ id: 'reconcile', command: 'reconcile', startedAt: source.now() });
  try {
    const counts = noCounts();
    const options = {
      ...{ source, ledger: destination.ledger, since, waitMs, concurrency: 4 },
      ...{ timing: systemTiming, signal: new AbortController().signal },
      tell: { waiting: () => {} },
      reporter: silentReporter,
    };
    return { problems: await reconcile(options, counts), counts };
  } finally {
    await destination.close();
  }
}

const some = (counts: object) => Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
const problems = ({ problems: found }: Proven) => found.map(({ line, state, reasons }) => [line, state, ...reasons]);
const accounts = (count: number) => Array.from({ length: count }, (_, at) => account(at));

describe('accounts that have arrived', () => {
  test('are confirmed, once, whatever else there is', async () => {
    const it = await world({ rows: { D02: 300, D03: 500 } });
    await it.push([
      ...accounts(30),
      account(3, { status: 2, paidAmount: '17.25' }),
      account(4, { subAccountId: 'S-4b' }),
    ]);
    const proof = await prove(it);
    expect(some(proof.counts)).toEqual({ confirmed: 32 });
    expect(
      [...it.warehouse.pushes.values()].every(({ state, provedAt }) => state === 'confirmed' && provedAt !== null),
    ).toBe(true);
    expect(some((await prove(it)).counts)).toEqual({});
    expect(some((await prove(it, { since: '2020-01-01T00:00:00.000000Z' })).counts)).toEqual({ confirmed: 32 });
  });

  test.each([
    ['AED', '5000.25'],
    ['KWD', '5000.255'],
    ['BHD', '0.001'],
    ['OMR', '12'],
    ['JPY', '300'],
  ])('are compared in minor units of %s', async (currency, principal) => {
    const it = await world({ accounts: { currency } });
    await it.push([account(1, { principal, interest: '0', fees: '0', paidAmount: '0' })]);
    expect(some((await prove(it)).counts)).toEqual({ confirmed: 1 });
  });

  test('are found although they were in effect before they were sent', async () => {
    let drops = false;
    const it = await world({ accounts: { drop: () => drops } });
    await it.push(accounts(3));
    it.simulator.advance(3_600_000);
    it.warehouse.pushes.clear();
    // An API that leaves rows alone that would stay the same.
    drops = true;
    await it.push(accounts(3));
    expect(some((await prove(it)).counts)).toEqual({ confirmed: 3 });
  });

  test('are waited for', async () => {
    const it = await world({ accounts: { delayMs: 1500 } });
    const api = await it.api();
    const pushed = it.push(accounts(3));
    await expect.poll(() => it.simulator.accounts().length).toBe(3);
    expect(it.simulator.accounts().every(({ timesApplied }) => timesApplied === 0)).toBe(true);
    await pushed;
    expect(api.lender).toBe(it.simulator.lenderPublicId);
    expect(some((await prove(it, { waitMs: 20_000 })).counts)).toEqual({ confirmed: 3 });
  });

  test('whose answer was lost for good are confirmed, and not sent again', async () => {
    const it = await world();
    it.simulator.failNext(8, 'lost-answer');
    expect((await it.push(accounts(3))).error).not.toBeNull();
    expect(some((await prove(it)).counts)).toEqual({ confirmed: 3 });
    expect((await it.push(accounts(3))).counts).toMatchObject({ accepted_before: 3, requests: 0 });
  });

  test('are partly said in updates: what an update leaves out stays', async () => {
    const it = await world();
    await it.push([account(1)]);
    await it.push([{ status: 2, accountId: 'A-1', subAccountId: 'S-1', paidAmount: '40' }]);
    await it.push([{ status: 2, accountId: 'A-1', subAccountId: 'S-1', principal: '60', dateDue: '01/01/2027' }]);
    expect(some((await prove(it)).counts)).toEqual({ confirmed: 3 });
  });
});

describe('accounts that are not as they were sent', () => {
  const keys = (it: AccountsWorld, code: string) =>
    truthOf(it.simulator, code).map(({ public_id }) => String(public_id));

  test('differ, and their fields are named', async () => {
    const it = await world();
    await it.push(accounts(4));
    const [sub, otherSub] = keys(it, 'D03');
    const [, , third, fourth] = keys(it, 'D02');
    it.simulator.change('D03', [sub!], { paid_amount: 1, due_date: '16/06/2026' });
    it.simulator.change('D03', [otherSub!], { total_amount: 515_051 });
    it.simulator.change('D02', [third!], { loan_type: 'LEASE' });
    it.simulator.change('D02', [fourth!], { total_amount: 7 });
    const proof = await prove(it);
    expect(problems(proof)).toEqual([
      [1, 'differs', 'paid_amount', 'due_date'],
      [2, 'differs', 'total_amount'],
      [3, 'differs', 'loan_type'],
      [4, 'differs', 'total_amount of the account'],
    ]);
    expect((await it.push(accounts(4))).counts).toMatchObject({ accepted_before: 4, requests: 0 });
    expect(problems(await prove(it))).toHaveLength(4);
  });

  test('labels are compared however they are spelt, and codes that have none as numbers', async () => {
    const it = await world();
    await it.push([account(1, { loanType: 7 }), account(2), account(3)]);
    const [first, second] = keys(it, 'D02');
    it.simulator.change('D02', [first!], { loan_type: 'charge_back' });
    it.simulator.change('D02', [second!], { loan_type: 4, status: 2 });
    expect(some((await prove(it)).counts)).toEqual({ confirmed: 3 });
  });

  test('an unknown currency is told', async () => {
    const it = await world({ accounts: { currency: 'ZZZ' } });
    await it.push([account(1)]);
    expect(problems(await prove(it))).toEqual([[1, 'differs', 'currency']]);
  });
});

describe('accounts that were accepted and dropped', () => {
  test('are lost, the next push of the same input sends them, and then all are confirmed', async () => {
    let drops = true;
    const it = await world({ accounts: { drop: ({ accountId }) => drops && /[25]$/.test(String(accountId)) } });
    const list = accounts(20);
    await it.push(list);
    const proof = await prove(it);
    expect(some(proof.counts)).toEqual({ confirmed: 16, lost: 4 });
    expect(problems(proof)).toEqual([3, 6, 13, 16].map((line) => [line, 'lost']));
    drops = false;
    expect((await it.push(list)).counts).toMatchObject({ accepted: 4, lost_before: 4, accepted_before: 16 });
    expect(some((await prove(it)).counts)).toEqual({ confirmed: 4 });
    expect(it.simulator.accounts().every(({ timesChanged }) => timesChanged === 1)).toBe(true);
  });

  test('are told from those that came before: a dropped update leaves its create confirmed', async () => {
    const it = await world({ accounts: { drop: ({ status, paidAmount }) => status === 2 && paidAmount === '10' } });
    const list = [account(1), account(1, { status: 2, paidAmount: '10' })];
    await it.push(list);
    const proof = await prove(it);
    expect(problems(proof)).toEqual([[2, 'lost']]);
    expect(some(proof.counts)).toEqual({ confirmed: 1, lost: 1 });
  });

  test('of several sub-accounts, only the one', async () => {
    const it = await world({ accounts: { drop: ({ subAccountId }) => subAccountId === 'S-b' } });
    await it.push(['a', 'b', 'c'].map((sub) => account(1, { subAccountId: `S-${sub}` })));
    expect(problems(await prove(it))).toEqual([[2, 'lost']]);
  });

  test('are not sent again over what another input has brought since', async () => {
    let drops = true;
    const it = await world({ accounts: { drop: () => drops } });
    await it.push([account(1)]);
    expect(some((await prove(it)).counts)).toEqual({ lost: 1 });
    drops = false;
    await it.push([account(1, { paidAmount: '50' })]);
    expect((await it.push([account(1)])).counts).toMatchObject({ overtaken: 1, accepted: 0 });
    expect(it.simulator.accounts()).toMatchObject([{ fields: { paidAmount: '50' } }]);
    expect(some((await prove(it)).counts)).toEqual({ confirmed: 2 });
  });
});

describe('withdrawals', () => {
  const withdraw = (number: number, sub = `S-${number}`) => ({
    status: 'withdraw',
    accountId: `A-${number}`,
    subAccountId: sub,
  });

  test('of all of an account, and of a part of it, are confirmed', async () => {
    const it = await world();
    const parts = ['a', 'b', 'c'].map((sub) => account(2, { subAccountId: `S-${sub}` }));
    await it.push([account(1), ...parts, withdraw(1), withdraw(2, 'S-b')]);
    expect(some((await prove(it)).counts)).toEqual({ confirmed: 6 });
  });

  test('that were dropped are lost', async () => {
    const it = await world({ accounts: { drop: ({ status }) => status === 3 } });
    const parts = ['a', 'b', 'c'].map((sub) => account(2, { subAccountId: `S-${sub}` }));
    await it.push([account(1), ...parts, withdraw(1), withdraw(2, 'S-b'), withdraw(2, 'S-c')]);
    const proof = await prove(it);
    expect(problems(proof)).toEqual([
      [5, 'lost'],
      [6, 'lost'],
      [7, 'lost'],
    ]);
    expect(some(proof.counts)).toEqual({ confirmed: 4, lost: 3 });
  });

  test('of an account that others have filled are known by the row that they touch', async () => {
    const it = await world();
    await it.push([account(1), account(1, { subAccountId: 'S-b' })]);
    it.warehouse.pushes.clear();
    it.simulator.advance(600_000);
    await it.push([withdraw(1)]);
    expect(some((await prove(it)).counts)).toEqual({ confirmed: 1 });
  });
});

test('what breaks while the exports are read is survived', async () => {
  const it = await world({ rows: { D02: 2500, D03: 2500 } });
  await it.push(accounts(10));
  it.simulator.setFaults([
    { name: '500', rate: 0.2 },
    { name: 'reset-mid-body', rate: 0.1 },
    { name: 'expired-token', rate: 0.05 },
  ]);
  expect(some((await prove(it)).counts)).toEqual({ confirmed: 10 });
});

test('push and reconcile, repeated, end with everything in effect once', async () => {
  let drops = true;
  const it = await world({
    accounts: { drop: ({ subAccountId, paidAmount }) => drops && /[147]$/.test(`${subAccountId}${paidAmount}`) },
    faults: [
      { name: 'lost-answer', rate: 0.1 },
      { name: '500', rate: 0.1 },
    ],
  });
  const list = accounts(30).flatMap((each) => [each, { ...each, status: 2, paidAmount: '11' }]);
  for (let round = 0; round < 6; round++) {
    await it.push(list);
    const { counts } = await prove(it);
    if (counts.lost + counts.differs + counts.pending === 0) break;
    drops = round < 1;
  }
  expect([...it.warehouse.pushes.values()].every(({ state }) => state === 'confirmed')).toBe(true);
  expect(it.simulator.accounts().map(({ fields }) => fields?.paidAmount)).toEqual(Array(30).fill('11'));
});
