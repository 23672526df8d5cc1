import type { Ledger, LedgerEntry } from '../../destinations/ledger.ts';
import { isLess, parseAmount } from '../amounts.ts';
import { accountKey } from '../batches.ts';
import type { GoodAccount } from '../check.ts';

/** What is done about an account, by what the ledger knows of it. */
export interface Decision {
  readonly account: GoodAccount;
  readonly verdict: Verdict;
  /** The entry of this line, or null. */
  readonly known: LedgerEntry | null;
  /** Whether it lowers what was said to have been paid, which is cumulative. */
  readonly lowersPaid: boolean;
}

/**
 * - `send`: it was not accepted yet.
 * - `send again`: it was accepted, and the exports did not show it.
 * - `accepted`: this line of this input was accepted before.
 * - `refused`: the API refused this line of this input before.
 * - `unchanged`: another input has brought the account to just this.
 * - `overtaken`: it was lost, and what was accepted since from another input is newer.
 */
export type Verdict = 'send' | 'send again' | 'accepted' | 'refused' | 'unchanged' | 'overtaken';

export const isSent = ({ verdict }: Decision): boolean => verdict === 'send' || verdict === 'send again';

export interface DecideOptions {
  readonly ledger: Ledger;
  readonly lender: string;
  /** The input's digest. */
  readonly input: string;
  /** Send everything. */
  readonly resend: boolean;
}

/**
 * Decides on accounts in the order of their lines. Input and line come first, so that a file that holds create and update of one account
 * is not replayed; what other inputs have brought counts only for lines that are new.
 */
export async function decide(
  accounts: readonly GoodAccount[],
  { ledger, lender, input, resend }: DecideOptions,
): Promise<Decision[]> {
  const entries = await ledger.lines(input, accounts[0]!.line, accounts.at(-1)!.line);
  const known = new Map(entries.map((entry) => [entry.line, entry]));
  const current = await inEffect();

  return accounts.map((account) => {
    const entry = known.get(account.line) ?? null;
    const key = accountKey(account);
    const before = current.get(key) ?? null;
    const verdict = judge(account, entry, before);
    const decision = { account, verdict, known: entry, lowersPaid: false };
    const sent = isSent(decision);
    if (sent || verdict === 'accepted') {
      const { paidAmount = before?.paidAmount } = sent ? account.fields : entry!.fields;
      current.set(key, {
        input,
        content: sent ? account.content : entry!.content,
        acceptedAt: entry?.acceptedAt ?? '',
        paidAmount,
      });
    }
    return { ...decision, lowersPaid: sent && lowers(account, before) };
  });

  /** What was accepted last, before these lines, of each account that may be sent. */
  async function inEffect(): Promise<Map<string, InEffect>> {
    const wanted = new Map<string, GoodAccount>();
    for (const account of accounts) {
      const state = known.get(account.line)?.state;
      const isSettled = state === 'accepted' || state === 'confirmed' || state === 'differs' || state === 'refused';
      const key = accountKey(account);
      if ((resend || !isSettled) && !wanted.has(key)) wanted.set(key, account);
    }
    const latest = await ledger.latest(
      lender,
      [...wanted.values()].map(({ line, accountId, subAccountId }) => ({
        accountId,
        subAccountId,
        input,
        line,
      })),
    );
    return new Map(
      latest.map((entry) => [
        accountKey(entry),
        {
          input: entry.input,
          content: entry.content,
          acceptedAt: entry.acceptedAt ?? '',
          paidAmount: entry.fields.paidAmount,
        },
      ]),
    );
  }

  function judge(account: GoodAccount, entry: LedgerEntry | null, before: InEffect | null): Verdict {
    if (resend) return 'send';
    switch (entry?.state) {
      case undefined:
        return before?.content === account.content ? 'unchanged' : 'send';
      case 'pending':
        return 'send';
      case 'refused':
        return 'refused';
      case 'lost':
        return before !== null && before.input !== input && before.acceptedAt > (entry?.acceptedAt ?? '')
          ? 'overtaken'
          : 'send again';
      default:
        return 'accepted';
    }
  }
}

interface InEffect {
  readonly input: string;
  readonly content: string;
  readonly acceptedAt: string;
  readonly paidAmount: string | undefined;
}

function lowers({ fields: { paidAmount } }: GoodAccount, before: InEffect | null): boolean {
  if (paidAmount === undefined || before?.paidAmount === undefined) return false;
  return isLess(parseAmount(paidAmount), parseAmount(before.paidAmount));
}
