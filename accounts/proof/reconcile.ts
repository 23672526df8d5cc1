import type { Reporter } from '../../connector/report.ts';
import type { Source } from '../../connector/source.ts';
import { earlierBy, millisSince } from '../../connector/sync/instants.ts';
import type { Timing } from '../../connector/timing.ts';
import type { Ledger, LedgerEntry } from '../../destinations/ledger.ts';
import { CLOCKS_APART_MS } from './assumptions.ts';
import { openExports } from './exports.ts';
import { judgeAccount, type Seen, type Verdict } from './judge.ts';
import { createSightings } from './sightings.ts';

export interface ReconcileOptions {
  readonly source: Source;
  readonly ledger: Ledger;
  /** Proves again what was accepted since this instant; null: what is not proven. */
  readonly since: string | null;
  /** How long after its acceptance an account is waited for. */
  readonly waitMs: number;
  readonly concurrency: number;
  readonly timing: Timing;
  readonly signal: AbortSignal;
  readonly tell: ReconcileTelling;
  /** Told of the reading of the exports. */
  readonly reporter: Reporter;
}

export interface ReconcileTelling {
  /** Called when accounts are waited for. */
  waiting(accounts: number, ms: number): void;
}

/** Numbers of accounts, as their lines count them. */
export interface ReconcileCounts {
  confirmed: number;
  differs: number;
  lost: number;
  /** Not known to be accepted, and not found. */
  pending: number;
}

/** The most problems that are kept; the ledger has them all. */
const MOST_PROBLEMS = 1000;

/** How long is waited before the exports are read again: at first, and after doubling each time at most. */
const POLL_MS = { first: 250, most: 10_000 };

/** Entries are written in lists of this many. */
const TOGETHER = 5_000;

/**
 * Proves from the exports what became of the accounts that were sent, and writes it to the ledger: confirmed, or differs in some fields, or
 * lost. Accounts that do not show yet are waited for until `waitMs` after they were accepted, by the server's clock. Of the ledger only the
 * ids are held, beside what the exports show of them; its entries are read anew each time they are judged.
 *
 * @param counts is brought up to date as it is written.
 * @returns entries that are not confirmed, as they are in the ledger now, by input and line: the first that were found of them.
 * @throws {Failure} when the exports or the destination stopped it; what was proven until then is in the ledger.
 */
export async function reconcile(options: ReconcileOptions, counts: ReconcileCounts): Promise<readonly LedgerEntry[]> {
  const { source, ledger, since, waitMs, timing, signal, tell } = options;
  const isInQuestion = ({ state, acceptedAt }: LedgerEntry) =>
    state !== 'confirmed' || (since !== null && acceptedAt !== null && acceptedAt >= since);

  const wanted = { accounts: new Set<string>(), subAccounts: new Set<string>() };
  let start: string | null = null;
  for await (const entry of ledger.unproven(source.lender, since)) {
    wanted.accounts.add(entry.accountId);
    wanted.subAccounts.add(entry.subAccountId);
    if (isInQuestion(entry) && (start === null || entry.pendingAt < start)) start = entry.pendingAt;
  }
  if (start === null) return [];

  const sightings = createSightings(wanted);
  const exports = openExports({ ...options, streams: sightings.streams });
  let from: string | null = earlierBy(start, CLOCKS_APART_MS);
  let pause = POLL_MS.first;

  for (;;) {
    signal.throwIfAborted();
    const asked = source.now();
    await exports.read(from);
    const { open, longest } = await waitingSince(asked);
    if (longest === 0 && (open === 0 || from === null)) return finish();
    if (longest === 0) {
      // What was like this before it was sent may not have been touched by it, and lies further back.
      from = null;
      continue;
    }
    tell.waiting(open, longest);
    await timing.sleep(Math.min(longest + 1, pause), signal);
    pause = Math.min(POLL_MS.most, pause * 2);
  }

  /** Each entry in question, with what the exports say of it. */
  async function* judged(): AsyncGenerator<readonly [LedgerEntry, Verdict]> {
    for await (const entries of byAccount(ledger.unproven(source.lender, since))) {
      const verdicts = judgeKnown(entries, sightings.of(entries[0]!.accountId));
      for (const entry of entries) if (isInQuestion(entry)) yield [entry, verdicts.get(entry) ?? { state: 'missing' }];
    }
  }

  /** How many are not confirmed, and how long the youngest of them is to be waited for. */
  async function waitingSince(asked: string): Promise<{ open: number; longest: number }> {
    let open = 0;
    let longest = 0;
    for await (const [{ acceptedAt, pendingAt }, { state }] of judged()) {
      if (state === 'confirmed') continue;
      open += 1;
      longest = Math.max(longest, Math.min(waitMs, waitMs - millisSince(acceptedAt ?? pendingAt, asked)));
    }
    return { open, longest };
  }

  async function finish(): Promise<readonly LedgerEntry[]> {
    const now = source.now();
    const problems: LedgerEntry[] = [];
    let proven: LedgerEntry[] = [];
    for await (const [entry, verdict] of judged()) {
      const found = provenEntry(entry, verdict, now);
      counts[found.state as keyof ReconcileCounts] += 1;
      if (found.state !== 'confirmed' && problems.length < MOST_PROBLEMS) problems.push(found);
      proven.push(found);
      if (proven.length < TOGETHER) continue;
      await ledger.write(proven);
      proven = [];
    }
    await ledger.write(proven);
    return problems.sort(byLine);
  }
}

/** Entries of one account together, as they come. */
async function* byAccount(entries: AsyncIterable<LedgerEntry>): AsyncGenerator<readonly LedgerEntry[]> {
  let together: LedgerEntry[] = [];
  for await (const entry of entries) {
    if (together.length > 0 && together[0]!.accountId !== entry.accountId) {
      yield together;
      together = [];
    }
    together.push(entry);
  }
  if (together.length > 0) yield together;
}

/** What is not known to be accepted speaks only for itself: where it does not show, the others are judged without it. */
function judgeKnown(entries: readonly LedgerEntry[], seen: Seen): ReadonlyMap<LedgerEntry, Verdict> {
  const verdicts = judgeAccount(entries, seen);
  const known = entries.filter((entry) => entry.state !== 'pending' || verdicts.get(entry)!.state === 'confirmed');
  if (known.length === entries.length) return verdicts;
  return known.length === 0 ? new Map() : judgeAccount(known, seen);
}

function provenEntry(entry: LedgerEntry, verdict: Verdict, now: string): LedgerEntry {
  if (verdict.state === 'confirmed') {
    return { ...entry, state: 'confirmed', reasons: [], acceptedAt: entry.acceptedAt ?? now, provedAt: now };
  }
  if (entry.state === 'pending') return entry;
  const reasons = verdict.state === 'differs' ? verdict.fields : [];
  return { ...entry, state: verdict.state === 'differs' ? 'differs' : 'lost', reasons, provedAt: now };
}

function byLine(a: LedgerEntry, b: LedgerEntry): number {
  return a.input === b.input ? a.line - b.line : a.input < b.input ? -1 : 1;
}

export const noCounts = (): ReconcileCounts => ({ confirmed: 0, differs: 0, lost: 0, pending: 0 });
