import type { LedgerEntry } from '../../destinations/ledger.ts';
import type { Decision } from './decide.ts';

/** What every entry of one push shares. */
export interface PushIdentity {
  readonly runId: string;
  readonly lender: string;
  /** The input's digest. */
  readonly input: string;
}

/** The entry of an account that is about to be sent. One that was pending before keeps the instant at which it first was. */
export function pendingEntry({ account, known }: Decision, push: PushIdentity, now: string): LedgerEntry {
  const { line, accountId, subAccountId, content, fields } = account;
  return {
    ...push,
    line,
    accountId,
    subAccountId,
    content,
    fields,
    batch: null,
    state: 'pending',
    reasons: [],
    pendingAt: known?.state === 'pending' ? known.pendingAt : now,
    acceptedAt: null,
    provedAt: null,
  };
}
