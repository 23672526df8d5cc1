import { randomUUID } from 'node:crypto';
import type { Destination } from '../../destinations/contract.ts';
import { asFailure, configError, type Failure, withRequestId } from '../../destinations/failure.ts';
import { openDestination } from '../../destinations/open.ts';
import { PATIENCE_MS, unlessStuck } from '../abandon.ts';
import type { Api } from '../api/connect.ts';
import type { Config } from '../config/schema.ts';
import { problemWithStream } from '../config/streams.ts';
import { logReporter } from '../output/reporters.ts';
import type { Screen } from '../output/table.ts';
import { type Reporter, reportToAll } from '../report.ts';
import type { Summary } from '../summary.ts';
import { systemTiming } from '../timing.ts';
import { VERSION } from '../version.ts';
import { limitYoungGeneration } from '../young-generation.ts';
import type { FlagValues } from './commands.ts';
import type { CommandContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { connect, destinationOf, openConfig } from './open.ts';

/** What a run over streams works with. */
export interface Connected {
  readonly config: Config;
  readonly api: Api;
  readonly destination: Destination;
  readonly signal: AbortSignal;
}

export interface ToldRun {
  readonly command: string;
  /** @param streams those that the command line picks, or null. @throws {Failure} when the run could not begin. */
  run(connected: Connected, streams: readonly string[] | null, reporter: Reporter): Promise<Summary>;
  /** Whether the summary's line of JSON is left out where both stdout and stderr are one person's terminal. */
  readonly isForPeople: boolean;
  /** The summary for a terminal; loaded only where there is one. */
  text(): Promise<(summary: Summary, screen: Screen) => string>;
}

/**
 * One run over streams, told as people and programs want it. Its summary is the only line on stdout, also when the run could not begin;
 * where stderr is a terminal, a table on it tells the same, last.
 *
 * @returns the exit code.
 */
export async function tellRun(told: ToldRun, flags: FlagValues, context: CommandContext): Promise<number> {
  limitYoungGeneration();
  const { log, telemetry, signal, terminal, print } = context;
  const tell = (summary: Summary) => {
    if (!(told.isForPeople && terminal && process.stdout.isTTY)) print(JSON.stringify(log.redact(summary)));
  };
  const startedAt = now();
  const telling = await tellingOf(told, context);
  let summary: Summary;
  try {
    const config = await openConfig(flags, context);
    const streams = pickedStreams(flags.streams);
    const others = telemetry.reporters(config, destinationOf(config).type);
    const reporter = reportToAll([telling.reporter, ...others]);
    const running = connected(config, signal, (opened) => told.run(opened, streams, reporter));
    summary = await unlessStuck(running, signal, PATIENCE_MS.all, systemTiming);
  } catch (thrown) {
    telling.close();
    const failure = asFailure(signal.aborted ? signal.reason : thrown);
    tell(unstarted(told.command, startedAt, failure, signal));
    throw thrown;
  }
  telling.close();
  telemetry.ran(summary);
  tell(summary);
  telling.ended(summary);
  return EXIT_OF[summary.status];
}

const EXIT_OF = { succeeded: EXIT.done, failed: EXIT.failed, stopped: EXIT.stopped } as const;

/** Logs in and opens the destination for `work`, and closes both. */
export async function connected<T>(
  config: Config,
  signal: AbortSignal,
  work: (connected: Connected) => Promise<T>,
): Promise<T> {
  let api: Api | null = null;
  let destination: Destination | null = null;
  try {
    api = await connect(config, signal);
    destination = await openDestination(destinationOf(config));
    return await work({ config, api, destination, signal });
  } finally {
    const closing = Promise.all([api?.close(), destination?.close()]);
    await unlessStuck(closing, signal, PATIENCE_MS.close, systemTiming).catch((error) => {
      if (!signal.aborted) throw error;
    });
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
async function tellingOf(told: ToldRun, { log, terminal }: CommandContext): Promise<Telling> {
  if (!terminal) return { reporter: logReporter(log), close: () => {}, ended: () => {} };
  const [{ terminalReporter }, textOf] = await Promise.all([import('../output/progress.ts'), told.text()]);
  const reporter = terminalReporter(log, process.stderr);
  return {
    reporter,
    close: reporter.close,
    ended: (summary) => log.info(`\n${textOf(summary, process.stderr)}`),
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
function unstarted(command: string, startedAt: string, failure: Failure, signal: AbortSignal): Summary {
  return {
    run_id: randomUUID(),
    command,
    version: VERSION,
    started_at: startedAt,
    ended_at: now(),
    status: signal.aborted ? 'stopped' : 'failed',
    streams: [],
    warnings: [withRequestId(failure)],
  };
}

/** By our own clock: the server's is not known before a login. */
const now = () => new Date().toISOString().replace('Z', '000Z');
