import type { Log } from '../output/log.ts';
import type { Task } from '../sync/part.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** What every command gets from the command line. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** Which of how many tasks this is, by a command that knows them; null: it has its streams to itself. */
  readonly task: Task | null;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Whether stderr is a terminal: people are told, instead of programs. */
  readonly terminal: boolean;
  /** Writes one line to stdout; what comes after the reader has gone is dropped. */
  print(line: string): void;
}
