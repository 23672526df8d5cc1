import { randomUUID } from 'node:crypto';
import type { ApiVersion } from '../../connector/api/addresses.ts';
import type { Api } from '../../connector/api/connect.ts';
import { earlierBy } from '../../connector/sync/instants.ts';
import type { Timing } from '../../connector/timing.ts';
import type { Ledger, LedgerEntry } from '../../destinations/ledger.ts';
import { BATCH_LIMITS, BATCHES_AT_ONCE } from '../assumptions.ts';
import { type Batch, planBatches, type Wave } from '../batches.ts';
import { type BadAccount, type GoodAccount, isGood } from '../check.ts';
import type { Input } from '../input/open.ts';
import { createDelivery } from '../send/deliver.ts';
import { type Decision, decide, isSent } from './decide.ts';
import { type PushIdentity, pendingEntry } from './entries.ts';
import { createRecorder } from './recorder.ts';
import { checkedAccounts, slices } from './slices.ts';

export interface PushOptions {
  readonly api: Api;
  readonly version: ApiVersion;
  readonly ledger: Ledger;
  readonly input: Input;
  readonly runId: string;
  /** When anything was last accepted before, as the ledger has it, or null. */
  readonly acceptedUntil: string | null;
  /** Check all first, and send nothing when one is bad. */
  readonly strict: boolean;
  /** Send also what was accepted before. */
  readonly resend: boolean;
  /** Check, count and plan; send nothing and write nothing. */
  readonly dryRun: boolean;
  readonly timing: Timing;
  /** Aborted when the push is to stop. */
  readonly signal: AbortSignal;
  readonly tell: PushTelling;
}

/** What a push tells while it runs; nothing of it is personal. */
export interface PushTelling {
  /** An account that is not sent, since it cannot be right. */
  bad(account: BadAccount): void;
  /** An account that the API refused, now or in an earlier push of this input. */
  refused(line: number, accountId: string, reasons: readonly string[]): void;
  warning(line: number, accountId: string, message: string): void;
  /** A batch that would be sent: in a dry run. */
  planned(batch: { accounts: number; bytes: number; firstLine: number; lastLine: number }): void;
  /** Called after each batch. */
  progress(counts: PushCounts): void;
}

/** Numbers of accounts, unless they say otherwise. */
export interface PushCounts {
  good: number;
  bad: number;
  /** Accepted by the API now. */
  accepted: number;
  /** Refused by it, now or before. */
  refused: number;
  /** Not sent: accepted in an earlier push of this input. */
  accepted_before: number;
  /** Not sent: another input has brought them to just this. */
  unchanged: number;
  /** Not sent: lost, and overtaken by what another input brought. */
  overtaken: number;
  /** Of those sent: accepted once, and lost. */
  lost_before: number;
  /** In a dry run: what would be sent. */
  to_send: number;
  batches: number;
  requests: number;
  retries: number;
}

export function noCounts(): PushCounts {
  return {
    good: 0,
    bad: 0,
    accepted: 0,
    refused: 0,
    accepted_before: 0,
    unchanged: 0,
    overtaken: 0,
    lost_before: 0,
    to_send: 0,
    batches: 0,
    requests: 0,
    retries: 0,
  };
}

/**
 * Sends the accounts of an input to ClearGrid, each line once: pending is written to the ledger before a batch is sent, and what became
 * of it after. Whatever breaks on the way, the same push again goes on from there.
 *
 * @param counts is brought up to date all the while, also when it throws.
 * @returns whether anything was withheld because one was bad (`strict`).
 * @throws {Failure} when the API or the destination stopped it.
 */
export async function push(options: PushOptions, counts: PushCounts): Promise<{ readonly withheld: boolean }> {
  const { api, ledger, input, tell } = options;
  if (options.strict && (await countBad(options, counts)) > 0) return { withheld: true };

  const identity: PushIdentity = {
    runId: options.runId,
    lender: api.lender,
    input: await input.digest(api.lender),
  };
  const clock = clockAfter(options.acceptedUntil, api.now);
  const record = createRecorder(ledger);
  const entries = new Map<GoodAccount, LedgerEntry>();
  const deliver = createDelivery({
    ...options,
    async accepted(batch) {
      const id = randomUUID();
      const now = clock();
      await record(batch.map((each) => ({ ...entries.get(each)!, state: 'accepted', batch: id, acceptedAt: now })));
      counts.accepted += batch.length;
    },
    async refused(account, reasons) {
      await record([{ ...entries.get(account)!, state: 'refused', reasons }]);
      counts.refused += 1;
      tell.refused(account.line, account.accountId, reasons);
    },
    sending(isRepeat) {
      counts.requests += 1;
      if (isRepeat) counts.retries += 1;
    },
  });

  const bad = (account: BadAccount) => {
    counts.bad += 1;
    tell.bad(account);
  };
  for await (const slice of slices(checkedAccounts(input.items()), bad)) {
    options.signal.throwIfAborted();
    counts.good += slice.length;
    const decisions = await decide(slice, { ...options, ...identity });
    for (const decision of decisions) count(decision);
    const sent = decisions.filter(isSent);
    const waves = planBatches(
      sent.map(({ account }) => account),
      BATCH_LIMITS,
    );
    if (options.dryRun) {
      counts.to_send += sent.length;
      for (const batch of waves.flat(2)) plan(batch);
      continue;
    }
    const now = clock();
    entries.clear();
    for (const decision of sent) entries.set(decision.account, pendingEntry(decision, identity, now));
    if (sent.length > 0) await record([...entries.values()]);
    for (const wave of waves) await sendWave(wave);
  }
  return { withheld: false };

  function count({ account, verdict, known, lowersPaid }: Decision): void {
    if (verdict === 'accepted') counts.accepted_before += 1;
    if (verdict === 'unchanged') counts.unchanged += 1;
    if (verdict === 'overtaken') counts.overtaken += 1;
    if (verdict === 'send again') counts.lost_before += 1;
    if (verdict === 'refused') {
      counts.refused += 1;
      tell.refused(account.line, account.accountId, known!.reasons);
    }
    if (lowersPaid) {
      tell.warning(
        account.line,
        account.accountId,
        'paidAmount is less than what was accepted last, and it is cumulative: all paid so far',
      );
    }
  }

  function plan(batch: Batch): void {
    counts.batches += 1;
    const lines = batch.map(({ line }) => line);
    tell.planned({
      accounts: batch.length,
      bytes: batch.reduce((sum, { bytes }) => sum + bytes, 0),
      firstLine: lines.reduce((a, b) => Math.min(a, b)),
      lastLine: lines.reduce((a, b) => Math.max(a, b)),
    });
  }

  /** Lanes side by side; after a failure none begins, and those under way end first. */
  async function sendWave(wave: Wave): Promise<void> {
    const lanes = wave.values();
    let failure: { readonly error: unknown } | null = null;
    const worker = async () => {
      try {
        for (const lane of lanes) {
          for (const batch of lane) {
            if (failure !== null) return;
            options.signal.throwIfAborted();
            counts.batches += 1;
            await deliver(batch);
            tell.progress(counts);
          }
        }
      } catch (error) {
        failure ??= { error };
      }
    };
    await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, worker));
    if (failure !== null) throw (failure as { readonly error: unknown }).error;
  }
}

/** A clock that is never behind what the ledger holds: those of two runs may be a second apart, and order tells what is in effect. */
function clockAfter(floor: string | null, now: () => string): () => string {
  let last = floor ?? '';
  return () => {
    const read = now();
    last = read > last ? read : earlierBy(last, -1);
    return last;
  };
}

/** Reads all of the input once, and tells what is bad. */
async function countBad({ input, tell, signal }: PushOptions, counts: PushCounts): Promise<number> {
  let good = 0;
  for await (const some of checkedAccounts(input.items())) {
    signal.throwIfAborted();
    for (const account of some) {
      if (isGood(account)) good += 1;
      else {
        counts.bad += 1;
        tell.bad(account);
      }
    }
  }
  if (counts.bad > 0) counts.good = good;
  return counts.bad;
}
