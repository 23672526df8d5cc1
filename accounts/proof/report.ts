import { type Screen, table } from '../../connector/output/table.ts';
import { count, counted } from '../../connector/output/words.ts';
import type { LedgerEntry } from '../../destinations/ledger.ts';
import { shownId } from '../shown.ts';
import type { ReconcileCounts } from './reconcile.ts';

const MOST_SHOWN = 20;

/** An account that is not confirmed, without anything personal. */
export interface Problem {
  readonly line: number;
  readonly input: string;
  readonly account_id: string;
  readonly state: string;
  /** Which fields differ. */
  readonly fields: readonly string[];
}

/** What the JSON summary has beside the counts: the first problems, and how many more there are. */
export function problemList(
  counts: ReconcileCounts,
  problems: readonly LedgerEntry[],
): { problems: Problem[]; problems_left_out: number } {
  return { problems: problems.map(problemOf), problems_left_out: problemCount(counts) - problems.length };
}

const problemCount = ({ differs, lost, pending }: ReconcileCounts) => differs + lost + pending;

function problemOf({ line, input, accountId, state, reasons }: LedgerEntry): Problem {
  return { line, input, account_id: accountId, state, fields: state === 'differs' ? reasons : [] };
}

const MEANINGS: Readonly<Record<keyof ReconcileCounts, string>> = {
  confirmed: 'the exports show them as they were sent',
  differs: 'the exports show them otherwise: compare, and send an update',
  lost: 'accepted, and not in the exports: push the same input again',
  pending: 'not known to be accepted: push the same input again',
};

/**
 * What people are shown: how many accounts are in each state, and the first that are not confirmed.
 *
 * @param ledger whether it knows of no account that was ever accepted.
 */
export function reconcileText(
  counts: ReconcileCounts,
  problems: readonly LedgerEntry[],
  ledger: { readonly isEmpty: boolean },
  screen: Screen,
): string {
  const states = (Object.keys(MEANINGS) as (keyof ReconcileCounts)[]).filter((state) => counts[state] > 0);
  if (states.length === 0 && ledger.isEmpty)
    return 'Nothing to prove: the ledger in the destination knows of no account that was accepted.';
  if (states.length === 0) return 'Nothing to prove: every account that was accepted is confirmed.';
  const blocks = [
    table(
      [{ title: 'State' }, { title: 'Accounts', align: 'right' }, { title: '' }],
      states.map((state) => [state, count(counts[state]), MEANINGS[state]]),
      screen,
    ),
  ];
  if (problems.length > 0) {
    const shown = problems
      .slice(0, MOST_SHOWN)
      .map((entry) => [
        count(entry.line),
        shownId(entry.accountId),
        entry.state,
        entry.state === 'differs' ? entry.reasons.join(', ') : '',
      ]);
    blocks.push(
      table(
        [{ title: 'Line', align: 'right' }, { title: 'Account' }, { title: 'State' }, { title: 'Fields' }],
        shown,
        screen,
      ),
    );
  }
  const left = problemCount(counts) - MOST_SHOWN;
  if (left > 0) {
    blocks.push(`${counted(left, 'account')} more: see _cleargrid_pushes in the destination.`);
  }
  return blocks.join('\n\n');
}
