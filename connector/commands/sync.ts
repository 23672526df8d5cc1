import type { Reporter } from '../report.ts';
import type { Summary } from '../summary.ts';
import type { Task } from '../sync/part.ts';
import { runSync } from '../sync/run.ts';
import type { FlagValues, RunCommand } from './commands.ts';
import { type Connected, tellRun } from './told-run.ts';

/** The whole job: reads the streams into the configured destination. */
export const run: RunCommand = (flags, context) =>
  tellRun(
    {
      command: 'sync',
      isForPeople: false,
      run: (connected, streams, reporter) => syncConnected(connected, { streams, flags, task: context.task }, reporter),
      text: async () => (await import('../output/table.ts')).summaryText,
    },
    flags,
    context,
  );

/** What a command line asks of a run. */
interface Choice {
  readonly streams: readonly string[] | null;
  readonly flags: FlagValues;
  readonly task: Task | null;
}

/** One run of the config into its destination. @throws {Failure} when it could not begin. */
export function syncConnected(
  connected: Connected,
  { streams, flags, task }: Choice,
  reporter: Reporter,
): Promise<Summary> {
  return runSync({
    ...connected,
    streams,
    fullRefresh: flags['full-refresh'] === true,
    allowMassDelete: flags['allow-mass-delete'] === true,
    dryRun: flags['dry-run'] === true,
    ...(task && { task }),
    reporter,
  });
}
