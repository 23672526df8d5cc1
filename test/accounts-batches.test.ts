import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accountKey, planBatches } from '../accounts/batches.ts';
import { checkAccount, type GoodAccount } from '../accounts/check.ts';

const good = (line: number, accountId: string, subAccountId: string) =>
  checkAccount(line, { status: 1, accountId, subAccountId }) as GoodAccount;

/** Line numbers, by wave, lane and batch. */
const lines = (accounts: readonly GoodAccount[], limits: { accounts: number; bytes: number }) =>
  planBatches(accounts, limits).map((wave) => wave.map((lane) => lane.map((batch) => batch.map(({ line }) => line))));

const plenty = { accounts: 100, bytes: 100_000 };

test('accounts go together until a batch is full', () => {
  const accounts = [1, 2, 3, 4, 5].map((line) => good(line, `A-${line}`, 'S'));
  expect(lines(accounts, plenty)).toEqual([[[[1, 2, 3, 4, 5]]]]);
  expect(lines(accounts, { ...plenty, accounts: 2 })).toEqual([[[[1, 2]], [[3, 4]], [[5]]]]);
  const { bytes } = accounts[0]!;
  expect(lines(accounts, { ...plenty, bytes: 3 * (bytes + 1) })).toEqual([[[[1, 2, 3]], [[4, 5]]]]);
  expect(lines(accounts, { ...plenty, bytes: 1 })).toEqual([[[[1]], [[2]], [[3]], [[4]], [[5]]]]);
  expect(lines([], plenty)).toEqual([]);
});

test('what is said of a sub-account next waits for what was said first', () => {
  const accounts = [good(1, 'A', 'S'), good(2, 'B', 'S'), good(3, 'A', 'S'), good(4, 'A', 'S'), good(5, 'B', 'S')];
  expect(lines(accounts, plenty)).toEqual([[[[1, 2]]], [[[3, 5]]], [[[4]]]]);
});

test('the sub-accounts of one account stay together, or go one batch after the other', () => {
  const accounts = [
    good(1, 'A', 'S-1'),
    good(2, 'B', 'S-1'),
    good(3, 'C', 'S-1'),
    good(4, 'B', 'S-2'),
    good(5, 'A', 'S-2'),
  ];
  expect(lines(accounts, { ...plenty, accounts: 3 })).toEqual([[[[1, 5]], [[2, 4, 3]]]]);
  const many = Array.from({ length: 5 }, (_, at) => good(at + 1, 'A', `S-${at}`));
  expect(lines(many, { ...plenty, accounts: 2 })).toEqual([[[[1, 2], [3, 4], [5]]]]);
});

test('of any accounts, each is in one batch, no two lanes of a wave share an account, and order is kept', () => {
  const ids = fc.constantFrom('A', 'B', 'C', 'D');
  const limits = fc.record({ accounts: fc.integer({ min: 1, max: 5 }), bytes: fc.integer({ min: 1, max: 400 }) });
  fc.assert(
    fc.property(fc.array(fc.tuple(ids, ids), { maxLength: 30 }), limits, (pairs, limit) => {
      const accounts = pairs.map(([id, sub], at) => good(at + 1, id, sub));
      const waves = planBatches(accounts, limit);
      const sent = waves.flat(3);
      expect(sent.map(({ line }) => line).sort((a, b) => a - b)).toEqual(accounts.map(({ line }) => line));
      for (const key of new Set(sent.map(accountKey))) {
        const order = sent.filter((each) => accountKey(each) === key).map(({ line }) => line);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }
      for (const wave of waves) {
        const perLane = wave.map((lane) => new Set(lane.flat().map(({ accountId }) => accountId)));
        expect(perLane.reduce((sum, names) => sum + names.size, 0)).toBe(
          new Set(perLane.flatMap((names) => [...names])).size,
        );
        const keys = wave.flat(2).map(accountKey);
        expect(new Set(keys).size).toBe(keys.length);
      }
      for (const batch of waves.flat(2)) expect(batch.length).toBeLessThanOrEqual(limit.accounts);
    }),
  );
});
