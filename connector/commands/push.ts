// First, before anything has grown the heap.
import '../lean-heap.ts';

import { randomUUID } from 'node:crypto';
import type { Format } from '../../accounts/input/item.ts';
import type { Input } from '../../accounts/input/open.ts';
import type { Destination } from '../../destinations/contract.ts';
import { openDestination } from '../../destinations/open.ts';
import { nearest } from '../config/nearest.ts';
import { systemTiming } from '../timing.ts';
import { usageError } from './arguments.ts';
import type { FlagValues, RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { connect, destinationOf, openConfig } from './open.ts';

/** Sends accounts to ClearGrid, each once. The summary is the only line on stdout, also when the push could not begin. */
export const run: RunCommand = async (flags, context) => {
  const { log, signal, print } = context;
  const config = await openConfig(flags, context);
  const [{ push, noCounts }, { pushTelling, pushText }, { ourInstant, summaryOf }, { shownFailure }] =
    await Promise.all([
      import('../../accounts/push/push.ts'),
      import('../../accounts/push/telling.ts'),
      import('../../accounts/summary.ts'),
      import('../../accounts/unforeseen.ts'),
    ]);
  const ending = { runId: randomUUID(), command: 'push', startedAt: ourInstant(), counts: noCounts(), signal };
  const allGood = () => ending.counts.bad + ending.counts.refused === 0;
  const closing: { close(): Promise<void> }[] = [];
  const closed = <T extends { close(): Promise<void> }>(opened: T): T => {
    closing.push(opened);
    return opened;
  };
  try {
    const source = await openSource(flags);
    if (source.input !== null) closed(source.input);
    const api = closed(await connect(config, signal, config.accounts_api));
    const destination = closed(await openDestination(destinationOf(config)));
    const { ledger } = destination;
    const dryRun = flags['dry-run'] === true;
    const hold = () => ledger.hold({ id: ending.runId, command: 'push', startedAt: api.now() });
    const acceptedUntil = dryRun ? null : await hold();
    const { withheld } = await push(
      {
        api,
        version: config.accounts_api,
        ledger,
        input: source.input ?? closed(await source.read(destination)),
        runId: ending.runId,
        acceptedUntil,
        strict: flags.strict === true,
        resend: flags.resend === true,
        dryRun,
        timing: systemTiming,
        signal,
        tell: pushTelling(log),
      },
      ending.counts,
    );
    if (withheld) log.warn('nothing was sent: with --strict, one bad account holds back all');
  } catch (thrown) {
    const failure = shownFailure(thrown);
    print(JSON.stringify(log.redact(summaryOf({ ...ending, good: allGood(), thrown: failure }))));
    throw failure;
  } finally {
    await Promise.all(closing.map((opened) => opened.close()));
  }
  print(JSON.stringify(log.redact(summaryOf({ ...ending, good: allGood(), thrown: null }))));
  log.info(pushText(ending.counts));
  return allGood() ? EXIT.done : EXIT.failed;
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
