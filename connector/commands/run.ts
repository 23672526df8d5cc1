import { asFailure, type Failure, transientError } from '../../destinations/failure.ts';
import { createLog, type Log, stackOf } from '../output/log.ts';
import { noTelemetry, startTelemetry } from '../telemetry/telemetry.ts';
import { readFlags, usageError } from './arguments.ts';
import type { Command } from './commands.ts';
import { codeOfFailure, EXIT } from './exit-codes.ts';
import { commandHelp } from './help.ts';
import { listenForStop } from './signals.ts';
import { taskOf } from './task.ts';

/** Runs one command to its end and ends the process with its exit code. Every failure is told here, once. */
export async function runCommand(
  name: string | undefined,
  args: readonly string[],
  commands: Readonly<Record<string, Command>>,
): Promise<never> {
  const terminal = process.stderr.isTTY === true;
  const debug = args.includes('--debug');
  const log = createLog({
    write: (text) => void process.stderr.write(text),
    terminal,
    debug,
  });
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name]! : null;
  let telemetry = noTelemetry;
  let failure: Failure | null = null;
  const tell = async (thrown: unknown) => {
    failure = asFailure(thrown);
    log.failure(thrown);
    if (command?.airbyte) await printTrace(thrown, log, debug);
  };
  const codeOf = (failure: Failure) => (command?.airbyte ? EXIT.failed : codeOfFailure(failure));
  const lossOfStdout = watchStdout();
  /** Ends the process once all that was printed has been taken; open connections and timers keep nobody waiting. */
  const exit = async (code: number): Promise<never> => {
    await drained(process.stdout);
    const lost = lossOfStdout();
    if (lost !== null) log.failure(lost);
    const exitCode = lost !== null && code === EXIT.done ? codeOf(lost) : code;
    await telemetry.end(exitCode, stop.signal.aborted ? null : (failure ?? lost));
    await drained(process.stderr);
    process.exit(exitCode);
  };
  watchProcess(log, async (error) => {
    await tell(error);
    return exit(command?.airbyte ? EXIT.failed : EXIT.fault);
  });
  const stop = listenForStop(async (code) => {
    await tell(stop.signal.reason);
    await telemetry.end(code, null);
  });

  let code: number;
  try {
    if (command === null) throw await unknownCommand(name, commands);
    const flags = await readFlags(name!, command, args);
    if (flags.help === true) {
      print(commandHelp(name!, command));
      if (command.moreNotes) print(`\n${await (await command.load()).notes!()}`);
      code = 0;
    } else {
      const { run } = await command.load();
      const { env } = process;
      const task = command.flags.task === undefined ? null : taskOf(flags.task, env);
      if (command.traced) telemetry = await startTelemetry({ command: name!, task, env, log });
      code = await run(flags, { env, log, telemetry, task, signal: stop.signal, terminal, print });
    }
  } catch (thrown) {
    await tell(stop.signal.aborted ? stop.signal.reason : thrown);
    code = stop.signal.aborted ? EXIT.stopped : codeOf(asFailure(thrown));
  }
  return exit(code === EXIT.stopped ? (stop.code() ?? code) : code);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function unknownCommand(name: string | undefined, commands: Readonly<Record<string, Command>>): Promise<Failure> {
  const names = Object.keys(commands);
  if (name === undefined) return usageError(`a command is missing: ${names.join(', ')}`);
  if (name.startsWith('-')) return usageError(`the command comes first, then its flags: ${name} is no command`);
  const { didYouMean } = await import('../config/nearest.ts');
  return usageError(`there is no command "${name}"${didYouMean(name, names)}`);
}

/** Tells Airbyte why the command failed, in words without secrets. */
async function printTrace(thrown: unknown, log: Log, debug: boolean): Promise<void> {
  const { errorLine } = await import('../../destinations/airbyte/messages.ts');
  const { message, kind, requestId } = asFailure(thrown);
  const internal = requestId === null ? null : `request ${requestId}`;
  const stack = debug ? stackOf(thrown) : null;
  process.stdout.write(errorLine(log.redact({ message, kind, stream: null, internal, stack })));
}

/** What Node itself tells goes through the log; what nobody caught is told in one line and ends the process. */
function watchProcess(log: Log, failed: (error: unknown) => Promise<never>): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => log.warn(warning.message, { name: warning.name }));
  process.on('uncaughtException', (error) => void failed(error));
}

/** Watches stdout; the function that it gives tells what kept it from taking what was printed. */
function watchStdout(): () => Failure | null {
  let lost: Failure | null = null;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    lost = transientError(`stdout cannot be written (${error.code}): what was to be printed is lost`, error);
  });
  return () => lost;
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', () => resolve());
  });
}
