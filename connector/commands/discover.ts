import { logLine } from '../../destinations/airbyte/messages.ts';
import { airbyteStream } from '../airbyte/catalog.ts';
import { selectStreams } from '../sync/selection.ts';
import type { RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { connect, openConfig } from './open.ts';

/** Prints the Airbyte CATALOG of the streams that this login can read now. */
export const run: RunCommand = async (flags, context) => {
  const { log, signal, print } = context;
  const warn = (message: string) => print(logLine('WARN', log.redact(message)).trimEnd());
  const config = await openConfig(flags, context);
  const api = await connect(config, signal);
  try {
    const { datasets, problem } = await api.catalog();
    if (datasets === null) warn(`the catalog cannot be read (${problem}); every stream is taken as available`);
    const { streams, warnings } = selectStreams(config, null, datasets);
    for (const warning of warnings) warn(warning);
    for (const { refused } of streams) if (refused !== null) warn(refused.message);
    const offered = streams.filter(({ refused }) => refused === null).map(({ stream }) => airbyteStream(stream));
    print(JSON.stringify({ type: 'CATALOG', catalog: { streams: offered } }));
    return EXIT.done;
  } finally {
    await api.close();
  }
};
