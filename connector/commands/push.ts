// First, before anything has grown the heap.
import '../lean-heap.ts';

import type { Format } from '../../accounts/input/item.ts';
import type { Input } from '../../accounts/input/open.ts';
import type { Destination } from '../../destinations/contract.ts';
import { nearest } from '../config/nearest.ts';
import { systemTiming } from '../timing.ts';
import { usageError } from './arguments.ts';
import type { FlagValues, RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { openConfig } from './open.ts';

/** Sends accounts to ClearGrid, each once. The summary is the only line on stdout, also when the push could not begin. */
export const run: RunCommand = async (flags, context) => {
  const { log, telemetry, signal, print } = context;
  const config = await openConfig(flags, context);
  const [{ runAccounts }, { push, noCounts }, { pushTelling, pushText }] = await Promise.all([
    import('../../accounts/run.ts'),
    import('../../accounts/push/push.ts'),
    import('../../accounts/push/telling.ts'),
  ]);
  const counts = noCounts();
  const dryRun = flags['dry-run'] === true;
  const { summary, failure } = await runAccounts('push', config, context, counts, async ({ id, begin, closing }) => {
    const source = await openSource(flags);
    if (source.input !== null) closing(source.input);
    const { api, destination, acceptedUntil } = await begin({ version: config.accounts_api, dryRun });
    const { withheld } = await push(
      {
        ...{ api, ledger: destination.ledger, runId: id, acceptedUntil, dryRun, signal },
        version: config.accounts_api,
        input: source.input ?? closing(await source.read(destination)),
        strict: flags.strict === true,
        resend: flags.resend === true,
        timing: systemTiming,
        tell: pushTelling(log),
      },
      counts,
    );
    if (counts.good + counts.bad === 0) log.warn('the input holds no account');
    if (withheld) log.warn('nothing was sent: with --strict, one bad account holds back all');
    return counts.bad + counts.refused === 0;
  });
  const { accepted, refused, bad, accepted_before, unchanged } = counts;
  telemetry.ran(summary, { accepted, refused, bad, accepted_before, unchanged });
  print(JSON.stringify(summary));
  if (failure !== null) throw failure;
  log.info(pushText(counts));
  return summary.status === 'succeeded' ? EXIT.done : EXIT.failed;
};

type Source =
  | { readonly input: Input }
  /** A query's rows, read once its destination is open. */
  | { readonly input: null; read(destination: Destination): Promise<Input> };

/** Opens the input that the flags name. */
async function openSource({ input, query, format }: FlagValues): Promise<Source> {
  const { openFile, openRows } = await import('../../accounts/input/open.ts');
  if ((input === undefined) === (query === undefined)) {
    throw usageError('push: give either --input FILE (- is standard input) or --query SELECT', 'push');
  }
  if (query === undefined) return { input: await openFile(String(input), await formatNamed(format), process.stdin) };
  if (format !== undefined) throw usageError('push: --format goes with --input', 'push');
  return { input: null, read: (destination) => openRows(destination.query(String(query))) };
}

async function formatNamed(flag: FlagValues[string]): Promise<Format | null> {
  if (flag === undefined) return null;
  const { FORMATS } = await import('../../accounts/input/item.ts');
  const found = FORMATS.find((name) => name === flag);
  if (found !== undefined) return found;
  const near = nearest(String(flag), FORMATS);
  throw usageError(
    `push: --format is one of ${FORMATS.join(', ')}${near === null ? '' : `; did you mean ${near}?`}`,
    'push',
  );
}
