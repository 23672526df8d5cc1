import { afterEach, describe, expect, it } from 'vitest';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/simulator.ts';
import { logIn, type PlainAnswer, post, truthOf } from './simulator-client.ts';

const started: Simulator[] = [];
async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ rows: {}, ...options, accounts: { delayMs: 20, ...options.accounts } });
  started.push(simulator);
  return simulator;
}
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.stop();
});

type Account = Record<string, unknown>;

const account = (changes: Account = {}): Account => ({
  status: 1,
  debtorCompanyId: 'C-1',
  firstName: 'Layla',
  lastName: 'Haddad',
  language: 'en',
  accountId: 'A-1',
  subAccountId: 'S-1',
  merchant: 'Example Electronics',
  dateDue: '15/06/2026',
  principal: '5000',
  interest: '120.50',
  fees: '30',
  paidAmount: '0',
  loanType: 4,
  ...changes,
});

async function send(
  simulator: Simulator,
  accounts: readonly Account[],
  version: 'v3' | 'v1' = 'v3',
): Promise<PlainAnswer> {
  const { token } = await logIn(simulator);
  const base = version === 'v3' ? '/admin/v3' : '/api/v1';
  const address = `${simulator.url}${base}/lenders/${simulator.lenderPublicId}/accounts`;
  return post(address, { accounts }, { authorization: `Bearer ${token}` });
}

const accepted = { code: 200, message: 'success', body: 'Processing started successfully', errors: [] };

describe('accounts that are accepted', () => {
  it('take effect later, in D02 by account and in D03 by sub-account', async () => {
    const simulator = await start({ accounts: { delayMs: 500 } });
    const answer = await send(simulator, [
      account(),
      account({ subAccountId: 'S-2', principal: '100', interest: '0', fees: '0', paidAmount: '40.25' }),
    ]);
    expect([answer.status, answer.json]).toEqual([200, accepted]);
    expect(truthOf(simulator, 'D03')).toEqual([]);
    await simulator.accountsSettled();
    expect(truthOf(simulator, 'D03')).toMatchObject([
      {
        sub_account_reference_id: 'S-1',
        total_amount: 515_050,
        balance_amount: 515_050,
        paid_amount: 0,
        due_date: '15/06/2026',
      },
      { sub_account_reference_id: 'S-2', total_amount: 10_000, balance_amount: 5_975, balance_principal_amount: 5_975 },
    ]);
    expect(truthOf(simulator, 'D02')).toMatchObject([
      {
        account_reference_id: 'A-1',
        customer_reference_id: 'C-1',
        total_amount: 525_050,
        paid_amount: 4_025,
        currency: 'AED',
        loan_type: 'BNPL',
        status: 'IN_COLLECTION',
        merchant_name: 'Example Electronics',
      },
    ]);
    const { records } = await (await logIn(simulator)).walk('S1/D03');
    expect(records).toEqual(truthOf(simulator, 'D03'));
  });

  it('are updated in place: the payments are cumulative, and the parent follows', async () => {
    const simulator = await start();
    const bare = { interest: '0', fees: '0', principal: '100' };
    for (const [status, paidAmount, balance] of [
      [1, '0', 10_000],
      [2, '30', 7_000],
      [2, '50', 5_000],
    ] as const) {
      await send(simulator, [account({ ...bare, status, paidAmount })]);
      await simulator.accountsSettled();
      expect(truthOf(simulator, 'D03')).toMatchObject([{ balance_amount: balance }]);
      expect(truthOf(simulator, 'D02')).toMatchObject([{ balance_amount: balance }]);
    }
    await send(simulator, [account({ ...bare, status: 2, paidAmount: '100' })]);
    await simulator.accountsSettled();
    expect(truthOf(simulator, 'D02')).toMatchObject([{ balance_amount: 0, status: 'COLLECTED' }]);
  });

  it('leave their account when they are withdrawn; the last one withdraws it', async () => {
    const simulator = await start();
    await send(simulator, [account(), account({ subAccountId: 'S-2' })]);
    await send(simulator, [account({ status: 3 })]);
    await simulator.accountsSettled();
    expect(truthOf(simulator, 'D02')).toMatchObject([{ total_amount: 515_050, status: 'IN_COLLECTION' }]);
    await send(simulator, [{ status: 3, accountId: 'A-1', subAccountId: 'S-2' }]);
    await simulator.accountsSettled();
    expect(truthOf(simulator, 'D02')).toMatchObject([{ total_amount: 1_030_100, status: 'WITHDRAWN' }]);
    expect(truthOf(simulator, 'D03')).toHaveLength(2);
  });

  it('count how often each was accepted, applied and changed', async () => {
    const simulator = await start();
    await send(simulator, [account()]);
    await send(simulator, [account()]);
    await send(simulator, [account({ paidAmount: '1' })]);
    await simulator.accountsSettled();
    expect(simulator.accounts()).toEqual([
      {
        accountId: 'A-1',
        subAccountId: 'S-1',
        fields: account({ paidAmount: '1' }),
        isWithdrawn: false,
        timesAccepted: 3,
        timesApplied: 3,
        timesDropped: 0,
        timesChanged: 2,
      },
    ]);
  });

  it('are in minor units of their currency, to the last digit', async () => {
    const simulator = await start({ accounts: { currency: ({ accountId }) => (accountId === 'K' ? 'KWD' : 'AED') } });
    await send(simulator, [
      account({ accountId: 'K', principal: '12.345', interest: '0', fees: '0' }),
      account({ principal: 70_368.01, interest: '0', fees: '0' }),
    ]);
    await simulator.accountsSettled();
    expect(truthOf(simulator, 'D02').map(({ total_amount }) => total_amount)).toEqual([12_345, 7_036_801]);
  });

  it('may be dropped, by choice or by a fault', async () => {
    const simulator = await start({ accounts: { drop: ({ subAccountId }) => subAccountId === 'S-2' } });
    await send(simulator, [account(), account({ subAccountId: 'S-2' })]);
    simulator.failNext(1, 'dropped-accounts');
    expect((await send(simulator, [account({ subAccountId: 'S-3' })])).json).toEqual(accepted);
    await simulator.accountsSettled();
    expect(truthOf(simulator, 'D03').map(({ sub_account_reference_id }) => sub_account_reference_id)).toEqual(['S-1']);
    expect(simulator.accounts().map(({ timesAccepted, timesDropped }) => [timesAccepted, timesDropped])).toEqual([
      [1, 0],
      [1, 1],
      [1, 1],
    ]);
  });

  it('take effect although their answer is lost; not where the request was', async () => {
    const simulator = await start();
    simulator.failNext(1, 'lost-answer');
    await expect(send(simulator, [account()])).rejects.toThrow();
    simulator.failNext(1, 'reset-before-headers', { route: 'accounts' });
    await expect(send(simulator, [account({ subAccountId: 'S-2' })])).rejects.toThrow();
    await simulator.accountsSettled();
    expect(simulator.accounts()).toMatchObject([{ subAccountId: 'S-1', timesApplied: 1 }]);
  });
});

describe('accounts that are refused', () => {
  const bad: [Account, string][] = [
    [{ status: 4 }, 'Invalid status'],
    [{ dateDue: '2025-08-15' }, 'Invalid date format'],
    [{ birthDate: '31/02/1990' }, 'Invalid date format'],
    [{ principal: 'much' }, 'Invalid amount: principal'],
    [{ loanType: 12 }, 'Invalid loan type'],
    [{ language: 'fr' }, 'Invalid language'],
    [{ subAccountId: '' }, 'subAccountId is required'],
  ];

  it.each(bad)('are named with the reason: %j', async (changes, reason) => {
    const simulator = await start();
    const { status, json } = await send(simulator, [account({ accountId: 'A-0', ...changes }), account()]);
    expect(status).toBe(400);
    expect(json).toEqual({ code: 400, message: expect.any(String), errors: [{ accountId: 'A-0', errors: [reason] }] });
  });

  it('take their batch with them, or only themselves where that is assumed', async () => {
    for (const [badAccountRefuses, stored] of [
      ['batch', 0],
      ['itself', 1],
    ] as const) {
      const simulator = await start({ unknowns: { badAccountRefuses } });
      expect((await send(simulator, [account({ status: 9 }), account({ accountId: 'A-2' })])).status).toBe(400);
      await simulator.accountsSettled();
      expect(truthOf(simulator, 'D02')).toHaveLength(stored);
    }
  });

  it('may be refused for a test’s own reasons, with or without names', async () => {
    const simulator = await start({
      accounts: {
        refuse: ({ accountId }) => (accountId === 'A-7' ? ['Unknown debtor'] : []),
        refuseNameless: ({ accountId }) => accountId === 'A-8',
      },
    });
    expect((await send(simulator, [account({ accountId: 'A-7' })])).json.errors).toEqual([
      { accountId: 'A-7', errors: ['Unknown debtor'] },
    ]);
    const nameless = await send(simulator, [account(), account({ accountId: 'A-8' })]);
    expect([nameless.status, nameless.json.errors]).toEqual([400, []]);
    simulator.failNext(1, '400-nameless');
    expect((await send(simulator, [account()])).json.errors).toEqual([]);
    expect((await send(simulator, [account()])).status).toBe(200);
    expect((await send(simulator, [])).status).toBe(400);
  });
});

describe('v1', () => {
  it('answers in its own bodies', async () => {
    const simulator = await start();
    expect((await send(simulator, [account({ principal: 1200 })], 'v1')).json).toEqual({
      code: 200,
      message: 'Processing started successfully',
    });
    expect((await send(simulator, [account({ dateDue: '2025-08-15' })], 'v1')).json).toEqual({
      code: 400,
      errors: [{ accountId: 'A-1', errors: ['Invalid date format'] }],
    });
    simulator.failNext(1, '500', { route: 'accounts' });
    expect((await send(simulator, [account()], 'v1')).json).toEqual({
      error: 'Something went wrong. Please try again later.',
    });
    const path = `/lenders/${simulator.lenderPublicId}/accounts`;
    const unauthorized = await post(`${simulator.url}/api/v1${path}`, { accounts: [account()] });
    expect([unauthorized.status, unauthorized.json]).toEqual([401, { error: 'Unauthorized' }]);
    expect((await post(`${simulator.url}/admin/v3${path}`, { accounts: [account()] })).json).toMatchObject({
      success: false,
    });
    await simulator.accountsSettled();
    expect(truthOf(simulator, 'D03')).toMatchObject([{ total_amount: 135_050 }]);
  });
});
