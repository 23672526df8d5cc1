import { randomUUID } from 'node:crypto';
import type { Destination } from '../../destinations/contract.ts';
import { asFailure, configError, type Failure } from '../../destinations/failure.ts';
import { openDestination } from '../../destinations/open.ts';
import type { Api } from '../api/connect.ts';
import type { Config } from '../config/schema.ts';
import { problemWithStream } from '../config/streams.ts';
import { logReporter } from '../output/reporters.ts';
import { type Reporter, reportToAll } from '../report.ts';
import type { Summary } from '../summary.ts';
import { runSync } from '../sync/run.ts';
import { VERSION } from '../version.ts';
import type { FlagValues, RunCommand } from './commands.ts';
import type { CommandContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { connect, destinationOf, openConfig } from './open.ts';

/**
 * The whole job: reads the streams into the configured destination. The run's summary is the only line on stdout, also when the
 * run could not begin. Where both stdout and stderr are one person's terminal, the table tells it instead.
 */
export const run: RunCommand = async (flags, context) => {
  const { log, telemetry, signal, terminal, print } = context;
  const tell = (told: Summary) => {
    if (!terminal || !process.stdout.isTTY) print(JSON.stringify(log.redact(told)));
  };
  const startedAt = now();
  const telling = await tellingOf(context);
  let summary: Summary;
  try {
    const config = await openConfig(flags, context);
    const streams = pickedStreams(flags.streams);
    const others = telemetry.reporters(config, destinationOf(config).type);
    summary = await syncConfigured(config, streams, flags, signal, reportToAll([telling.reporter, ...others]));
  } catch (thrown) {
    telling.close();
    const failure = asFailure(signal.aborted ? signal.reason : thrown);
    tell(unstarted(startedAt, failure, signal));
    throw thrown;
  }
  telling.close();
  telemetry.ran(summary);
  tell(summary);
  telling.ended(summary);
  return EXIT_OF[summary.status];
};

const EXIT_OF = { succeeded: EXIT.done, failed: EXIT.failed, stopped: EXIT.stopped } as const;

/** One run of the config into its destination, from login to close. @throws {Failure} when it could not begin. */
export async function syncConfigured(
  config: Config,
  streams: readonly string[] | null,
  flags: FlagValues,
  signal: AbortSignal,
  reporter: Reporter,
): Promise<Summary> {
  let api: Api | null = null;
  let destination: Destination | null = null;
  try {
    api = await connect(config, signal);
    destination = await openDestination(destinationOf(config));
    return await runSync({
      config,
      api,
      destination,
      streams,
      fullRefresh: flags['full-refresh'] === true,
      allowMassDelete: flags['allow-mass-delete'] === true,
      dryRun: flags['dry-run'] === true,
      reporter,
      signal,
    });
  } finally {
    await Promise.all([api?.close(), destination?.close()]);
  }
}

interface Telling {
  readonly reporter: Reporter;
  /** Gives the terminal back. */
  close(): void;
  /** Called once all else is told, so that what people read stands last. */
  ended(summary: Summary): void;
}

/** Progress and a table for people where stderr is a terminal, else JSON lines. */
async function tellingOf({ log, terminal }: CommandContext): Promise<Telling> {
  if (!terminal) return { reporter: logReporter(log), close: () => {}, ended: () => {} };
  const [{ terminalReporter }, { summaryText }] = await Promise.all([
    import('../output/progress.ts'),
    import('../output/table.ts'),
  ]);
  const reporter = terminalReporter(log, process.stderr);
  return {
    reporter,
    close: reporter.close,
    ended: (summary) => log.info(`\n${summaryText(summary, process.stderr)}`),
  };
}

function pickedStreams(flag: FlagValues[string]): string[] | null {
  if (typeof flag !== 'string') return null;
  const names = [...new Set(flag.split(',').map((name) => name.trim()))].filter((name) => name !== '');
  if (names.length === 0) throw configError('--streams: names no stream');
  const problems = names.flatMap((name) => {
    const problem = problemWithStream(name);
    return problem === null ? [] : [`"${name}" ${problem}`];
  });
  if (problems.length > 0) throw configError(`--streams: ${problems.join('; ')}`);
  return names;
}

/** The summary of a run that could not begin; its failure is the command's. */
function unstarted(startedAt: string, failure: Failure, signal: AbortSignal): Summary {
  return {
    run_id: randomUUID(),
    command: 'sync',
    version: VERSION,
    started_at: startedAt,
    ended_at: now(),
    status: signal.aborted ? 'stopped' : 'failed',
    streams: [],
    warnings: [failure.message],
  };
}

/** By our own clock: the server's is not known before a login. */
const now = () => new Date().toISOString().replace('Z', '000Z');
