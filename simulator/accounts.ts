import { accountRecord, type HeldSubAccount, subAccountRecord } from './account-records.ts';
import { CREATE, faultsOf, type PostedAccount, WITHDRAW } from './account-rules.ts';
import { type Answer, jsonAnswer } from './answer.ts';
import type { Clock } from './clock.ts';
import type { FaultName } from './faults.ts';
import { dateText } from './fields.ts';
import type { Store } from './store.ts';
import type { Unknowns } from './unknowns.ts';

export interface AccountsOptions {
  /** From acceptance to effect, in milliseconds; default 200. */
  readonly delayMs?: number;
  /** Currency of what is posted (the API is told none); default AED. */
  readonly currency?: string | ((account: PostedAccount) => string);
  /** Reasons against an account besides the usual checks; an empty list accepts it. */
  readonly refuse?: (account: PostedAccount) => readonly string[];
  /** A batch that holds such an account gets a 400 that names none. */
  readonly refuseNameless?: (account: PostedAccount) => boolean;
  /** Accepted but never applied. */
  readonly drop?: (account: PostedAccount) => boolean;
}

export interface AccountsDeskOptions extends AccountsOptions {
  /** D02. */
  readonly accounts: Store;
  /** D03. */
  readonly subAccounts: Store;
  readonly clock: Clock;
  readonly unknowns: Unknowns;
}

/** A sub-account that was accepted at least once, and what became of it. */
export interface AccountInEffect {
  readonly accountId: string;
  readonly subAccountId: string;
  /** What holds now; null while nothing was applied. */
  readonly fields: PostedAccount | null;
  readonly isWithdrawn: boolean;
  readonly timesAccepted: number;
  readonly timesApplied: number;
  readonly timesDropped: number;
  /** Applications that altered anything: sent twice with the same content, an account counts once. */
  readonly timesChanged: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Held = Mutable<AccountInEffect>;

export interface AccountsDesk {
  /** Answers a POST; what it accepts takes effect later. */
  post(body: unknown, version: 'v1' | 'v3', fault: FaultName | null): Answer;
  list(): AccountInEffect[];
  /** Resolves once all that was accepted so far has taken effect. */
  settled(): Promise<void>;
}

/** The Accounts API: checks a batch, accepts it, and applies it in the background to D02 (by account) and D03 (by sub-account). */
export function createAccounts(options: AccountsDeskOptions): AccountsDesk {
  const { accounts, subAccounts, clock, unknowns, delayMs = 200, currency = 'AED' } = options;
  const held = new Map<string, Held>();
  const byAccount = new Map<string, Set<Held>>();
  const keys = { accounts: new Map<string, string>(), subAccounts: new Map<string, string>() };
  let queue: Promise<void> = Promise.resolve();

  function entryOf({ accountId, subAccountId }: PostedAccount): Held {
    const key = JSON.stringify([accountId, subAccountId]);
    const known = held.get(key);
    if (known !== undefined) return known;
    const counts = { timesAccepted: 0, timesApplied: 0, timesDropped: 0, timesChanged: 0 };
    const entry: Held = {
      accountId: String(accountId),
      subAccountId: String(subAccountId),
      fields: null,
      isWithdrawn: false,
      ...counts,
    };
    held.set(key, entry);
    return entry;
  }

  function accept(batch: readonly PostedAccount[], dropAll: boolean): void {
    for (const account of batch) entryOf(account).timesAccepted++;
    const delay = new Promise<void>((resolve) => void setTimeout(resolve, delayMs).unref());
    queue = Promise.all([queue, delay]).then(() => {
      const touched = new Set<string>();
      for (const account of batch) {
        const entry = entryOf(account);
        if (dropAll || options.drop?.(account)) entry.timesDropped++;
        else if (apply(entry, account)) touched.add(entry.accountId);
      }
      for (const accountId of touched) showAccount(accountId);
    });
  }

  /** An update of what is unknown creates it; a withdrawal of what is unknown does nothing. */
  function apply(entry: Held, account: PostedAccount): boolean {
    const isIgnored =
      entry.fields === null
        ? account.status === WITHDRAW
        : account.status === CREATE && unknowns.accountsAgain === 'ignored';
    if (isIgnored) {
      entry.timesDropped++;
      return false;
    }
    const status = entry.fields === null ? CREATE : account.status;
    const known = unknowns.accountsUpdate === 'merges' || account.status === WITHDRAW ? entry.fields : null;
    const fields = { ...known, ...account, status };
    const before = JSON.stringify({ ...entry.fields, status: null, gone: entry.isWithdrawn });
    entry.fields = fields;
    entry.isWithdrawn = account.status === WITHDRAW;
    entry.timesApplied++;
    if (JSON.stringify({ ...fields, status: null, gone: entry.isWithdrawn }) !== before) entry.timesChanged++;
    const siblings = byAccount.get(entry.accountId) ?? new Set();
    byAccount.set(entry.accountId, siblings.add(entry));
    const record = subAccountRecord(heldAs(entry), currencyOf(fields), today());
    show(subAccounts, keys.subAccounts, JSON.stringify([entry.accountId, entry.subAccountId]), record);
    return true;
  }

  function showAccount(accountId: string): void {
    const siblings = [...(byAccount.get(accountId) ?? [])].map(heldAs);
    const record = accountRecord(siblings, currencyOf(siblings.at(-1)?.fields ?? {}), today());
    show(accounts, keys.accounts, accountId, record);
  }

  function show(
    store: Store,
    known: Map<string, string>,
    name: string,
    record: Readonly<Record<string, unknown>>,
  ): void {
    const edits = Object.fromEntries(Object.entries(record).map(([field, value]) => [field, JSON.stringify(value)]));
    const key = known.get(name);
    if (key !== undefined && store.change([key], edits).length > 0) return;
    known.set(name, store.insert(1, 0, edits)[0] as string);
  }

  const heldAs = ({ fields, isWithdrawn }: Held): HeldSubAccount => ({ fields: fields ?? {}, isWithdrawn });
  const currencyOf = (fields: PostedAccount) => (typeof currency === 'string' ? currency : currency(fields));
  const today = () => dateText(clock.ms());

  return {
    post(body, version, fault) {
      const batch = (Object(body) as { accounts?: unknown }).accounts;
      if (!Array.isArray(batch) || batch.length === 0) return refusedBatch(version, 'accounts is required', []);
      const posted = batch.map((account) => Object(account) as PostedAccount);
      if (posted.length > unknowns.accountsAtMost || posted.some((account) => options.refuseNameless?.(account)))
        return refusedBatch(version, 'Invalid payload', []);
      const refused = posted.flatMap((account) => {
        const errors = [...faultsOf(account, unknowns.accountsRequired), ...(options.refuse?.(account) ?? [])];
        return errors.length === 0 ? [] : [{ account, errors }];
      });
      if (refused.length > 0 && unknowns.badAccountRefuses === 'itself') {
        const bad = new Set(refused.map(({ account }) => account));
        accept(
          posted.filter((account) => !bad.has(account)),
          false,
        );
      }
      if (refused.length > 0) {
        const errors = refused.map(({ account, errors }) => ({ accountId: account.accountId ?? null, errors }));
        return refusedBatch(version, 'Validation failed', errors);
      }
      accept(posted, fault === 'dropped-accounts');
      const started = 'Processing started successfully';
      // The newest v1 page shows two keys where v3 has four.
      return version === 'v1'
        ? jsonAnswer(200, { code: 200, message: started })
        : jsonAnswer(200, { code: 200, message: 'success', body: started, errors: [] });
    },
    list: () => [...held.values()].map((entry) => ({ ...entry })),
    settled: () => queue,
  };
}

function refusedBatch(version: 'v1' | 'v3', message: string, errors: readonly object[]): Answer {
  return jsonAnswer(400, version === 'v1' ? { code: 400, errors } : { code: 400, message, errors });
}
