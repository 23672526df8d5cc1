import { randomUUID } from 'node:crypto';
import { openDestination } from '../../destinations/open.ts';
import { millisOf, normalizedInstant, problemWithDuration, problemWithInstant } from '../config/time.ts';
import { counted, span } from '../output/words.ts';
import { systemTiming } from '../timing.ts';
import { usageError } from './arguments.ts';
import type { FlagValues, RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { connect, destinationOf, openConfig } from './open.ts';

/** Proves from the exports what became of the accounts that were sent. A table on stdout, or one line of JSON. */
export const run: RunCommand = async (flags, context) => {
  const { log, signal, print } = context;
  const since = sinceOf(flags.since);
  const wait = waitOf(flags.wait);
  const config = await openConfig(flags, context);
  const [
    { reconcile },
    { problemList, reconcileText },
    { LOST_AFTER_MS },
    { ourInstant, summaryOf },
    { shownFailure },
  ] = await Promise.all([
    import('../../accounts/proof/reconcile.ts'),
    import('../../accounts/proof/report.ts'),
    import('../../accounts/proof/assumptions.ts'),
    import('../../accounts/summary.ts'),
    import('../../accounts/unforeseen.ts'),
  ]);
  const ending = { runId: randomUUID(), command: 'reconcile', startedAt: ourInstant(), signal };
  const closing: { close(): Promise<void> }[] = [];
  try {
    const api = await connect(config, signal);
    closing.push(api);
    const destination = await openDestination(destinationOf(config));
    closing.push(destination);
    await destination.ledger.hold({ id: ending.runId, command: 'reconcile', startedAt: api.now() });
    const reconciled = await reconcile({
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
        warning: (message) => log.warn(message),
      },
    });
    const { differs, lost, pending } = reconciled.counts;
    const good = differs + lost + pending === 0;
    const counts = { ...reconciled.counts, ...problemList(reconciled) };
    print(
      flags.json === true
        ? JSON.stringify(summaryOf({ ...ending, counts, good, thrown: null }))
        : reconcileText(reconciled, process.stdout),
    );
    return good ? EXIT.done : EXIT.failed;
  } catch (thrown) {
    const failure = shownFailure(thrown);
    if (flags.json === true) {
      print(JSON.stringify(log.redact(summaryOf({ ...ending, counts: {}, good: false, thrown: failure }))));
    }
    throw failure;
  } finally {
    await Promise.all(closing.map((opened) => opened.close()));
  }
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
