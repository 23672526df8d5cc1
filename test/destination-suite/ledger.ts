import { describe, expect, test } from 'vitest';
import type { Destination } from '../../destinations/contract.ts';
import { LockedFailure } from '../../destinations/failure.ts';
import type { LedgerEntry, WantedAccount } from '../../destinations/ledger.ts';
import { at } from './streams.ts';
import type { Visit } from './visit.ts';

const entry = (line: number, changes: Partial<LedgerEntry> = {}): LedgerEntry => ({
  input: 'input-1',
  line,
  lender: 'lender-1',
  accountId: `A-${line}`,
  subAccountId: 'S-1',
  content: 'content-1',
  fields: { paidAmount: '12.50', dateDue: '01/02/2026' },
  batch: null,
  state: 'pending',
  reasons: [],
  runId: 'run-1',
  pendingAt: at(1),
  acceptedAt: null,
  provedAt: null,
  ...changes,
});

const accepted = (line: number, minute: number, changes: Partial<LedgerEntry> = {}) =>
  entry(line, { state: 'accepted', batch: 'b', acceptedAt: at(minute), ...changes });

const wanted = (accountId: string, line: number, input = 'input-1'): WantedAccount => ({
  accountId,
  subAccountId: 'S-1',
  input,
  line,
});

async function all(entries: AsyncIterable<LedgerEntry>): Promise<LedgerEntry[]> {
  return Array.fromAsync(entries);
}

/** The ledger of the accounts that were sent. */
export function ledgerSuite(visit: Visit): void {
  let runs = 0;
  async function held(): Promise<Destination> {
    const destination = visit.destination();
    await destination.ledger.hold({ id: `push-${++runs}`, command: 'push', startedAt: at(2) });
    return destination;
  }

  describe('keeps a ledger so that', () => {
    test('reading makes nothing, and a ledger that is not there is empty', async () => {
      const { ledger } = visit.destination();
      expect(await ledger.lines('input-1', 1, 10)).toEqual([]);
      expect(await ledger.latest('lender-1', [wanted('A-1', 1)])).toEqual([]);
      expect(await all(ledger.unproven('lender-1', null))).toEqual([]);
      expect(await visit.target.isUntouched()).toBe(true);
    });

    test('one run holds it, and the next one gets it when that one has closed', async () => {
      const first = await held();
      const attempt = visit.destination().ledger.hold({ id: 'second', command: 'reconcile', startedAt: at(3) });
      await expect(attempt).rejects.toBeInstanceOf(LockedFailure);
      await expect(attempt).rejects.toThrow(`push-${runs}`);
      await first.ledger.write([accepted(1, 5), accepted(2, 7, { lender: 'lender-2' }), entry(3)]);
      await first.close();
      const third = visit.destination().ledger.hold({ id: 'third', command: 'reconcile', startedAt: at(3) });
      expect(await third).toBe(at(7));
    });

    test('an entry comes back as it was written, and is replaced by its input and line', async () => {
      const { ledger } = await held();
      const refused = entry(2, {
        ...{ accountId: 'ح-"2"\\', subAccountId: "S'2", state: 'refused', batch: 'batch 7' },
        ...{ reasons: ['Invalid "x"', 'زائد'], acceptedAt: at(4), provedAt: at(5) },
      });
      await ledger.write([entry(1), refused, entry(3), entry(1, { input: 'input-2' })]);
      const changed = accepted(1, 6, { content: 'content-2', fields: {} });
      await ledger.write([changed, entry(4)]);
      await ledger.write([changed]);
      expect(await ledger.lines('input-1', 1, 3)).toEqual([changed, refused, entry(3)]);
      expect(await ledger.lines('input-1', 4, 9)).toEqual([entry(4)]);
      expect(await ledger.lines('input-2', 1, 9)).toEqual([entry(1, { input: 'input-2' })]);
      await visit.closeAll();
      expect(await visit.destination().ledger.lines('input-1', 1, 1)).toEqual([changed]);
    });

    test('many entries are written at once', async () => {
      const { ledger } = await held();
      const many = Array.from({ length: 10_000 }, (_, at) => entry(at + 1));
      await ledger.write(many);
      await ledger.write(many.slice(0, 5000).map((each) => ({ ...each, state: 'accepted', acceptedAt: at(3) })));
      const read = await ledger.lines('input-1', 4999, 5002);
      expect(read.map(({ line, state }) => [line, state])).toEqual([
        [4999, 'accepted'],
        [5000, 'accepted'],
        [5001, 'pending'],
        [5002, 'pending'],
      ]);
    });

    test('what was accepted last for an account is found, from before the wanted line', async () => {
      const { ledger } = await held();
      const own = { accountId: 'A' };
      await ledger.write([
        accepted(1, 10, { ...own, input: 'old' }),
        accepted(2, 12, { ...own, input: 'old', state: 'confirmed' }),
        accepted(3, 14, { ...own, input: 'old', state: 'lost' }),
        accepted(4, 15, { ...own, input: 'old', state: 'refused' }),
        accepted(5, 16, { ...own, input: 'old', lender: 'lender-2' }),
        accepted(6, 17, { ...own, input: 'old', subAccountId: 'S-2' }),
        accepted(7, 20, { ...own, state: 'differs' }),
        entry(8, own),
      ]);
      const latest = async (line: number, input?: string) =>
        (await ledger.latest('lender-1', [wanted('A', line, input), wanted('B', 1)])).map((each) => [
          each.input,
          each.line,
        ]);
      expect(await latest(7)).toEqual([['old', 2]]);
      expect(await latest(8)).toEqual([['input-1', 7]]);
      expect(await latest(2, 'old')).toEqual([['input-1', 7]]);
      expect(await latest(1, 'another')).toEqual([['input-1', 7]]);
    });

    test('what is to be proven comes by account, with all that was sent of it', async () => {
      const { ledger } = await held();
      await ledger.write([
        accepted(1, 11, { accountId: 'A', subAccountId: 'S-2' }),
        accepted(2, 10, { accountId: 'A', state: 'confirmed' }),
        entry(3, { accountId: 'A' }),
        accepted(4, 9, { accountId: 'A', state: 'lost' }),
        accepted(5, 8, { accountId: 'A', state: 'refused' }),
        accepted(6, 30, { accountId: 'B', state: 'confirmed' }),
        accepted(7, 10, { accountId: 'C', lender: 'lender-2' }),
        accepted(8, 10, { accountId: 'D', state: 'refused' }),
      ]);
      const lines = async (since: string | null) =>
        (await all(ledger.unproven('lender-1', since))).map(({ line }) => line);
      expect(await lines(null)).toEqual([4, 2, 3, 1]);
      expect(await lines(at(31))).toEqual([4, 2, 3, 1]);
      expect(await lines(at(30))).toEqual([4, 2, 3, 1, 6]);
    });
  });
}
