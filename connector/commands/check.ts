import type { Destination } from '../../destinations/contract.ts';
import { asFailure, configError, withRequestId } from '../../destinations/failure.ts';
import { openDestination } from '../../destinations/open.ts';
import { linesOf } from '../causes.ts';
import { futureStart } from '../config/time.ts';
import { documentsOf } from '../sync/begin.ts';
import { judgeDocument, refuseSecondLender } from '../sync/judge.ts';
import { type SelectedStream, selectStreams, unreadCatalog } from '../sync/selection.ts';
import type { RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { connect, openConfig } from './open.ts';

/**
 * Does what a run begins with: logs in, reads the catalog and finds the configured streams in it; and proves that a configured
 * destination can be written, and that the positions there are taken. Prints an Airbyte CONNECTION_STATUS, FAILED for whatever the user or time can mend. A fault of
 * ours is no status: it is thrown, and becomes a TRACE.
 */
export const run: RunCommand = async (flags, context) => {
  const { log, signal, print } = context;
  const status = (message: Record<string, unknown>) => print(JSON.stringify(log.redact(message)));
  try {
    const config = await openConfig(flags, context);
    const warnings: string[] = [];
    const api = await connect(config, signal);
    let streams: readonly SelectedStream[] = [];
    try {
      const catalog = await api.catalog();
      if (catalog.datasets === null) warnings.push(unreadCatalog(catalog.problem));
      const selection = selectStreams(config, null, catalog.datasets);
      streams = selection.streams;
      warnings.push(...selection.warnings, ...futureStart(config.start_date, api.now()));
      for (const { refused } of streams) if (refused !== null) warnings.push(refused.message);
    } finally {
      await api.close();
    }
    if (config.destination !== undefined) {
      const destination = await openDestination(config.destination);
      try {
        await destination.check();
        await checkPositions(destination, streams, api.lender);
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
    status({ type: 'CONNECTION_STATUS', connectionStatus: { status: 'FAILED', message: withRequestId(failure) } });
    return EXIT.done;
  }
};

/** @throws {Failure} `config_error` that tells every stored position which a sync would refuse. */
async function checkPositions(destination: Destination, streams: readonly SelectedStream[], lender: string) {
  const stored = documentsOf(await destination.positions());
  const refusals = streams.flatMap(({ stream }) => {
    try {
      refuseSecondLender(stored, stream, lender);
      judgeDocument(stored.get(stream.name) ?? null, stream, lender, false);
      return [];
    } catch (error) {
      return [{ stream: stream.name, message: asFailure(error).message }];
    }
  });
  if (refusals.length > 0) throw configError(linesOf(refusals).join('\n'));
}
