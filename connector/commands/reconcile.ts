import type { LedgerEntry } from '../../destinations/ledger.ts';
import { millisOf, normalizedInstant, problemWithDuration, problemWithInstant } from '../config/time.ts';
import { counted, span } from '../output/words.ts';
import { reportToAll, silentReporter } from '../report.ts';
import { systemTiming } from '../timing.ts';
import { usageError } from './arguments.ts';
import type { FlagValues, RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { openConfig } from './open.ts';

/** Proves from the exports what became of the accounts that were sent. A table on stdout, or one line of JSON. */
export const run: RunCommand = async (flags, context) => {
  const { log, telemetry, signal, print } = context;
  const since = sinceOf(flags.since);
  const wait = waitOf(flags.wait);
  const config = await openConfig(flags, context);
  const [{ runAccounts }, { noCounts, reconcile }, { problemList, reconcileText }, { LOST_AFTER_MS }] =
    await Promise.all([
      import('../../accounts/run.ts'),
      import('../../accounts/proof/reconcile.ts'),
      import('../../accounts/proof/report.ts'),
      import('../../accounts/proof/assumptions.ts'),
    ]);
  const counts = noCounts();
  let problems: readonly LedgerEntry[] = [];
  let isEmpty = false;
  const { summary, failure } = await runAccounts('reconcile', config, context, counts, async ({ begin }) => {
    const { api, destination, acceptedUntil } = await begin({ version: 'v3', dryRun: false });
    isEmpty = acceptedUntil === null;
    problems = await reconcile(
      {
        source: api,
        ledger: destination.ledger,
        since,
        waitMs: wait ?? LOST_AFTER_MS,
        concurrency: config.concurrency,
        timing: systemTiming,
        signal,
        tell: {
          waiting: (accounts, ms) =>
            log.info(`${counted(accounts, 'account')} not confirmed yet; waiting for up to ${span(ms / 1000)}`, {
              accounts,
            }),
        },
        reporter: reportToAll([
          { ...silentReporter, warning: (message) => log.warn(message) },
          ...telemetry.reporters(config, null),
        ]),
      },
      counts,
    );
    return counts.differs + counts.lost + counts.pending === 0;
  });
  telemetry.ran(summary, { ...counts });
  if (flags.json === true) print(JSON.stringify({ ...summary, ...problemList(counts, problems) }));
  if (failure !== null) throw failure;
  if (flags.json !== true) print(reconcileText(counts, problems, { isEmpty }, process.stdout));
  return summary.status === 'succeeded' ? EXIT.done : EXIT.failed;
};

function sinceOf(flag: FlagValues[string]): string | null {
  if (flag === undefined) return null;
  const problem = problemWithInstant(String(flag));
  if (problem !== null) throw usageError(`reconcile: --since ${problem}`, 'reconcile');
  return normalizedInstant(String(flag));
}

/** `15m`, `90s` and `2h` are what people write for `PT15M`, `PT90S` and `PT2H`. */
function waitOf(flag: FlagValues[string]): number | null {
  if (flag === undefined) return null;
  const duration = /^\d+[smh]$/i.test(String(flag)) ? `PT${String(flag).toUpperCase()}` : String(flag);
  const problem = problemWithDuration(duration);
  if (problem !== null) throw usageError(`reconcile: --wait ${problem}, or 15m, 90s, 2h`, 'reconcile');
  return millisOf(duration);
}
