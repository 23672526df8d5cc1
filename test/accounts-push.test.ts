import { afterEach, describe, expect, test } from 'vitest';
import { accountsPath, apiOrigin, loginPath, refreshPath } from '../connector/api/addresses.ts';
import type { SimulatorOptions } from '../simulator/simulator.ts';
import { account } from './accounts-example.ts';
import { type AccountsWorld, accountsWorld, type Pushed } from './accounts-world.ts';
import { otherAnswers } from './simulator-unknowns.ts';

const worlds: AccountsWorld[] = [];
async function world(options?: SimulatorOptions): Promise<AccountsWorld> {
  const made = await accountsWorld(options);
  worlds.push(made);
  return made;
}
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.stop();
});

const accounts = (count: number) => Array.from({ length: count }, (_, at) => account(at));
const names = (ids: readonly string[]) => [...ids].sort();
const inEffect = ({ simulator }: AccountsWorld) =>
  names(
    simulator
      .accounts()
      .filter(({ timesApplied }) => timesApplied > 0)
      .map(({ accountId }) => accountId),
  );
const posts = ({ simulator }: AccountsWorld) =>
  simulator.accounts().reduce((sum, { timesAccepted }) => sum + timesAccepted, 0);
/** Counts that are not zero, requests apart. */
const did = ({ counts: { requests, retries, batches, ...counts } }: Pushed) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

describe('a push', () => {
  test('brings every good account into effect once, and tells every bad one by line', async () => {
    const it = await world();
    const list: unknown[] = accounts(1200);
    list[10] = account(10, { dateDue: '31/02/2026' });
    list[20] = 'text';
    const pushed = await it.push(list);
    expect(did(pushed)).toEqual({ good: 1198, bad: 2, accepted: 1198 });
    expect(pushed.bad.map(({ line, accountId }) => [line, accountId])).toEqual([
      [11, 'A-10'],
      [21, null],
    ]);
    expect(it.simulator.accounts()).toHaveLength(1198);
    expect(
      it.simulator.accounts().every(({ timesAccepted, timesChanged }) => timesAccepted === 1 && timesChanged === 1),
    ).toBe(true);
    expect([...it.warehouse.pushes.values()].map(({ state }) => state)).toEqual(Array(1198).fill('accepted'));
  });

  test('of the same input again sends nothing; of everything, when asked', async () => {
    const it = await world();
    const list = [account(1), account(1, { status: 2, paidAmount: '10' }), account(1, { status: 2, paidAmount: '25' })];
    expect(did(await it.push(list))).toEqual({ good: 3, accepted: 3 });
    expect(did(await it.push(list))).toEqual({ good: 3, accepted_before: 3 });
    expect(posts(it)).toBe(3);
    expect(it.simulator.accounts()).toMatchObject([{ fields: { paidAmount: '25' } }]);
    const again = await it.push(list, { resend: true });
    expect(did(again)).toEqual({ good: 3, accepted: 3 });
    expect(it.simulator.accounts()).toMatchObject([{ fields: { paidAmount: '25' } }]);
  });

  test('of another input sends only what changes something', async () => {
    const it = await world();
    await it.push(accounts(5));
    const changed = accounts(6).map((each, at) => (at === 2 ? { ...each, paidAmount: '9' } : each));
    expect(did(await it.push(changed))).toEqual({ good: 6, accepted: 2, unchanged: 4 });
    expect(did(await it.push(changed))).toEqual({ good: 6, accepted_before: 2, unchanged: 4 });
    // What went back and forth is brought back again: only what holds now counts.
    expect(did(await it.push([account(2)]))).toEqual({ good: 1, accepted: 1 });
    const there = account(2, { paidAmount: '12' });
    expect(did(await it.push([there, account(2)]))).toEqual({ good: 2, accepted: 2 });
    expect(it.simulator.accounts().find(({ accountId }) => accountId === 'A-2')?.fields).toMatchObject({
      paidAmount: '0',
    });
  });

  test.each(otherAnswers().filter(({ name }) => /account/i.test(name)))(
    'comes to the same where $name=$text',
    async ({ unknowns }) => {
      const refuse = ({ accountId }: Record<string, unknown>) => (accountId === 'A-2' ? ['Unknown debtor'] : []);
      const it = await world({ unknowns, accounts: { refuse } });
      const list = accounts(12).flatMap((each) => [each, { ...each, status: 2, paidAmount: '70' }]);
      const pushed = await it.push(list);
      expect(did(pushed)).toEqual({ good: 24, accepted: 22, refused: 2 });
      expect(pushed.refused.map(([line, id]) => [line, id])).toEqual([
        [5, 'A-2'],
        [6, 'A-2'],
      ]);
      await it.simulator.accountsSettled();
      const held = it.simulator.accounts().filter(({ fields }) => fields !== null);
      expect(held.map(({ fields }) => fields?.paidAmount)).toEqual(Array(11).fill('70'));
    },
  );

  test('keeps create, update and withdraw of one account in order', async () => {
    const it = await world();
    const list = accounts(40).flatMap((each) => [
      each,
      { ...each, status: 'update', paidAmount: '70' },
      { status: 'withdraw', accountId: each.accountId, subAccountId: each.subAccountId },
    ]);
    expect(did(await it.push(list))).toMatchObject({ accepted: 120 });
    for (const { fields, isWithdrawn } of it.simulator.accounts()) {
      expect([fields?.paidAmount, isWithdrawn]).toEqual(['70', true]);
    }
  });

  test('warns of a paidAmount that is lowered, in one input or over several, and sends it', async () => {
    const it = await world();
    const paid = (amount: string) => account(1, { status: 2, paidAmount: amount });
    const first = await it.push([account(1), paid('100'), paid('99.99'), paid('99.990'), paid('1e2')]);
    expect(first.warnings).toEqual([[3, 'A-1', expect.stringContaining('cumulative')]]);
    expect(did(first)).toMatchObject({ accepted: 4, bad: 1 });
    expect((await it.push([paid('9')])).warnings).toEqual([[1, 'A-1', expect.stringContaining('cumulative')]]);
  });

  test('with strict sends nothing where one account is bad', async () => {
    const it = await world();
    const pushed = await it.push([account(1), account(2, { language: 'fr' }), account(3)], { strict: true });
    expect([pushed.withheld, did(pushed)]).toEqual([true, { good: 2, bad: 1 }]);
    expect(it.simulator.accounts()).toEqual([]);
    expect(it.warehouse.pushes.size).toBe(0);
    expect(did(await it.push([account(1), account(3)], { strict: true }))).toEqual({ good: 2, accepted: 2 });
  });

  test('that is a dry run shows its batches, sends nothing and writes nothing', async () => {
    const it = await world();
    const { planned, counts } = await it.push([...accounts(700), account(1, { status: 2 })], { dryRun: true });
    expect(counts).toMatchObject({ good: 701, to_send: 701, batches: 3, accepted: 0, requests: 0 });
    expect(planned.map(({ accounts: size, firstLine, lastLine }) => [size, firstLine, lastLine])).toEqual([
      [500, 1, 500],
      [200, 501, 700],
      [1, 701, 701],
    ]);
    expect([it.simulator.accounts(), it.warehouse.pushes.size]).toEqual([[], 0]);
  });

  test('through v1 goes its own ways, and understands its own bodies', async () => {
    const it = await world({
      accounts: { refuse: ({ accountId }) => (accountId === 'A-2' ? ['Unknown debtor'] : []) },
    });
    const pushed = await it.push(accounts(4), { version: 'v1' });
    expect(did(pushed)).toEqual({ good: 4, accepted: 3, refused: 1 });
    expect(pushed.refused).toEqual([[3, 'A-2', ['Unknown debtor']]]);
    expect(
      ['login', 'data'].map((use) => apiOrigin({ environment: 'staging' }, 'v1', use as 'login' | 'data')),
    ).toEqual(['https://identity-dev.cleargrid.ae', 'https://api-dev.cleargrid.ae']);
    expect([loginPath('acme', 'v1'), refreshPath('acme', 'v1'), accountsPath('uuid', 'v1')]).toEqual([
      '/api/v1/auth/acme/login',
      '/api/v1/auth/acme/refresh-token',
      '/api/v1/lenders/uuid/accounts',
    ]);
    expect(accountsPath('uuid', 'v3')).toBe('/admin/v3/lenders/uuid/accounts');
    expect(apiOrigin({ environment: 'production' }, 'v3', 'login')).toBe('https://v3-api.cleargrid.ai');
    expect(apiOrigin({ environment: 'production', baseUrl: 'http://127.0.0.1:9' }, 'v1')).toBe('http://127.0.0.1:9');
  });
});

describe('what the API refuses', () => {
  test('is set aside with its reasons, and all else is in effect', async () => {
    const it = await world({
      accounts: { refuse: ({ accountId }) => (/[37]$/.test(String(accountId)) ? ['Unknown debtor'] : []) },
    });
    const list = accounts(60);
    const pushed = await it.push(list);
    expect(did(pushed)).toEqual({ good: 60, accepted: 48, refused: 12 });
    expect(pushed.refused.map(([line, accountId]) => `A-${line - 1}` === accountId)).toEqual(Array(12).fill(true));
    expect(inEffect(it)).toHaveLength(48);
    const again = await it.push(list);
    expect(did(again)).toEqual({ good: 60, accepted_before: 48, refused: 12 });
    expect(again.refused).toHaveLength(12);
    expect(again.counts.requests).toBe(0);
  });

  test('is one of several sub-accounts of an account, and only that one', async () => {
    const it = await world({ accounts: { refuse: ({ subAccountId }) => (subAccountId === 'S-b' ? ['Invalid'] : []) } });
    const list = ['a', 'b', 'c'].map((sub) => account(1, { subAccountId: `S-${sub}` }));
    const pushed = await it.push([...list, account(2)]);
    expect(pushed.refused).toEqual([[2, 'A-1', ['Invalid']]]);
    expect(names(it.simulator.accounts().map(({ subAccountId }) => subAccountId))).toEqual(['S-2', 'S-a', 'S-c']);
  });

  test('is found also where the API names nobody', async () => {
    const it = await world({
      accounts: { refuseNameless: ({ accountId }) => accountId === 'A-5' || accountId === 'A-31' },
    });
    const pushed = await it.push(accounts(50));
    expect(pushed.refused.map(([, accountId]) => accountId)).toEqual(['A-5', 'A-31']);
    expect(inEffect(it)).toHaveLength(48);
  });

  test('without a name but by mistake is accepted', async () => {
    const it = await world();
    it.simulator.failNext(2, '400-nameless');
    expect(did(await it.push([account(1)]))).toEqual({ good: 1, accepted: 1 });
  });

  test('stops the push when it is everything, and nobody is named', async () => {
    const it = await world({ accounts: { refuseNameless: () => true } });
    const { error, counts } = await it.push(accounts(400));
    expect(error).toMatchObject({ kind: 'config_error', message: expect.stringContaining('without naming any') });
    expect(counts.requests).toBeLessThan(400);
  });

  test('is told without anything personal', async () => {
    const echo = ({ firstName, lastName, phones, emails, idNumber }: Record<string, unknown>) => [
      `${firstName} ${lastName} (${idNumber}) is known by ${JSON.stringify(phones)} and ${JSON.stringify(emails)}`,
      'call 050 123 4567 or write to Somebody.Else@example.org',
    ];
    const it = await world({ accounts: { refuse: echo } });
    const { refused } = await it.push([account(1)]);
    expect(refused).toHaveLength(1);
    expect(JSON.stringify([refused, [...it.warehouse.pushes.values()]])).not.toMatch(
      /Layla|Haddad|78419|97150|050 123|@/,
    );
  });
});

describe('what breaks on the way', () => {
  test('is survived: resets, lost answers, tokens, 5xx, throttling', async () => {
    const it = await world({
      faults: [
        ...(['reset-before-headers', 'lost-answer', '500', '502', '503', '429-bare', '504-html'] as const).map(
          (name) => ({
            name,
            rate: 0.08,
          }),
        ),
      ],
    });
    const list = Array.from({ length: 60 }, (_, at) =>
      account(at % 20, { paidAmount: String(at), status: at < 20 ? 1 : 2 }),
    );
    const pushed = await it.push(list);
    expect(pushed.error).toBeNull();
    expect(did(pushed)).toEqual({ good: 60, accepted: 60 });
    expect(it.simulator.accounts().map(({ timesChanged }) => timesChanged)).toEqual(Array(20).fill(3));
  });

  test('an expired token is renewed', async () => {
    const it = await world();
    const signal = new AbortController().signal;
    const api = await it.api();
    it.simulator.expireTokens({ all: true });
    expect(
      (await api.request('POST', `/admin/v3/lenders/${api.lender}/accounts`, { accounts: [account(1)] }, signal))
        .status,
    ).toBe(200);
  });

  test('a push that failed goes on where it was, and sends the lost answer again without effect', async () => {
    const it = await world({ accounts: { delayMs: 0 } });
    const list = accounts(600);
    it.simulator.failNext(8, 'lost-answer', {
      route: 'accounts',
      match: ({ body }) => JSON.stringify(body).includes('"A-0"'),
    });
    const failed = await it.push(list);
    expect(failed.error).toMatchObject({ kind: 'transient_error' });
    expect(String(failed.error)).not.toMatch(/Layla/);
    const states = Object.groupBy(it.warehouse.pushes.values(), ({ state }) => state);
    expect(states.pending?.length).toBe(500);
    expect(did(await it.push(list))).toEqual({ good: 600, accepted: 500, accepted_before: 100 });
    expect(it.simulator.accounts().every(({ timesChanged }) => timesChanged === 1)).toBe(true);
  });

  test('a push that is stopped leaves what it did not send pending', async () => {
    const it = await world();
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    const { error } = await it.push(accounts(3), { signal: stop.signal });
    expect(error).toMatchObject({ message: 'stopped' });
    expect(did(await it.push(accounts(3)))).toEqual({ good: 3, accepted: 3 });
  });

  test('two pushes at once: the second is refused', async () => {
    const it = await world({ latencyMs: 300 });
    const [first, second] = await Promise.all([it.push(accounts(3)), it.push(accounts(3))]);
    const refused = [first, second].filter(({ error }) => error !== null);
    expect(refused.map(({ error }) => (error as Error).name)).toEqual(['LockedFailure']);
    expect(posts(it)).toBe(3);
  });
});
