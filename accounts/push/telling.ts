import type { Log } from '../../connector/output/log.ts';
import { count, counted } from '../../connector/output/words.ts';
import { shownId } from '../shown.ts';
import type { PushCounts, PushTelling } from './push.ts';

const EVERY_MS = 15_000;

/** Tells a push to the log: each account that is not sent or refused, by its line, and how far it is. */
export function pushTelling(log: Log, monotonic: () => number = () => performance.now()): PushTelling {
  let told = monotonic();
  const account = (line: number, accountId: string | null) =>
    `line ${line}${accountId === null ? '' : `, account ${shownId(accountId)}`}`;

  return {
    bad: ({ line, accountId, problems }) => {
      const text = problems.map(({ field, reason }) => `${field} ${reason}`.trim()).join('; ');
      log.error(`${account(line, accountId)}: ${text}`, { line, account_id: accountId, problems });
    },
    refused: (line, accountId, reasons) => {
      const fields = { line, account_id: accountId, reasons };
      log.error(`${account(line, accountId)}: refused by ClearGrid: ${reasons.join('; ')}`, fields);
    },
    warning: (line, accountId, message) =>
      log.warn(`${account(line, accountId)}: ${message}`, { line, account_id: accountId }),
    planned: ({ accounts, bytes, firstLine, lastLine }) => {
      const lines = `lines ${count(firstLine)} to ${count(lastLine)}`;
      const fields = { accounts, bytes, first_line: firstLine, last_line: lastLine };
      log.info(`would send ${counted(accounts, 'account')}, ${count(bytes)} bytes, ${lines}`, fields);
    },
    progress: (counts) => {
      if (monotonic() - told < EVERY_MS) return;
      told = monotonic();
      log.info(pushText(counts), { ...counts });
    },
  };
}

/** `1,200 accounts accepted, 3 refused by ClearGrid, 2 bad`. */
export function pushText(counts: PushCounts): string {
  const others: [number, string][] = [
    [counts.refused, 'refused by ClearGrid'],
    [counts.bad, 'bad and not sent'],
    [counts.accepted_before, 'accepted before'],
    [counts.unchanged, 'in effect already'],
    [counts.overtaken, 'overtaken by a later input'],
    [counts.lost_before, 'sent again after they were lost'],
  ];
  const first =
    counts.to_send > 0
      ? `${counted(counts.to_send, 'account')} would be sent, in ${counted(counts.batches, 'request')}`
      : `${counted(counts.accepted, 'account')} accepted`;
  return [first, ...others.filter(([number]) => number > 0).map(([number, what]) => `${count(number)} ${what}`)].join(
    ', ',
  );
}
