import { createOutput } from '../../destinations/airbyte/output.ts';
import { readConfiguredCatalog } from '../airbyte/configured-catalog.ts';
import { readStreams } from '../airbyte/read.ts';
import { airbyteReporter } from '../airbyte/reporter.ts';
import { readStates } from '../airbyte/state.ts';
import { reportToAll } from '../report.ts';
import type { RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { connect, openConfig } from './open.ts';

/** Prints the configured streams as Airbyte's RECORD and STATE messages, from the given state on. */
export const run: RunCommand = async (flags, context) => {
  const { log, telemetry, signal } = context;
  const config = await openConfig(flags, context);
  const configured = await readConfiguredCatalog(String(flags.catalog));
  const states = await readStates(typeof flags.state === 'string' ? flags.state : null);
  const output = createOutput(process.stdout);
  const telling = airbyteReporter(output, (text) => log.redact(text), flags.debug === true);
  const reporter = reportToAll([telling, ...telemetry.reporters(config, 'airbyte')]);
  const api = await connect(config, signal);
  try {
    const summaries = await readStreams({ config, api, configured, states, output, reporter, signal });
    if (summaries.some(({ status }) => status === 'stopped')) return EXIT.stopped;
    return summaries.every(({ status }) => status === 'succeeded') ? EXIT.done : EXIT.failed;
  } finally {
    await api.close();
  }
};
