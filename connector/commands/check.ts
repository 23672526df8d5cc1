import { asFailure } from '../../destinations/failure.ts';
import { openDestination } from '../../destinations/open.ts';
import { selectStreams } from '../sync/selection.ts';
import type { RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { connect, openConfig } from './open.ts';

/**
 * Does what a run begins with: logs in, reads the catalog and finds the configured streams in it; and proves that a configured
 * destination can be written. Prints an Airbyte CONNECTION_STATUS, FAILED for whatever the user or time can mend. A fault of
 * ours is no status: it is thrown, and becomes a TRACE.
 */
export const run: RunCommand = async (flags, context) => {
  const { log, signal, print } = context;
  const status = (message: Record<string, unknown>) => print(JSON.stringify(log.redact(message)));
  try {
    const config = await openConfig(flags, context);
    const warnings: string[] = [];
    const api = await connect(config, signal);
    try {
      const catalog = await api.catalog();
      if (catalog.datasets === null)
        warnings.push(`the catalog cannot be read (${catalog.problem}); the built-in one serves`);
      warnings.push(...selectStreams(config, null, catalog.datasets).warnings);
    } finally {
      await api.close();
    }
    if (config.destination !== undefined) {
      const destination = await openDestination(config.destination);
      try {
        await destination.check();
      } finally {
        await destination.close();
      }
    }
    for (const warning of warnings) log.warn(warning);
    status({ type: 'CONNECTION_STATUS', connectionStatus: { status: 'SUCCEEDED' } });
    return EXIT.done;
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (signal.aborted || failure.kind === 'system_error') throw thrown;
    log.failure(thrown);
    status({ type: 'CONNECTION_STATUS', connectionStatus: { status: 'FAILED', message: failure.message } });
    return EXIT.done;
  }
};
