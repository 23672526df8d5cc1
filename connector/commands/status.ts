import { openDestination } from '../../destinations/open.ts';
import { statusText } from '../output/status.ts';
import type { RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { destinationOf, destinationText, openConfig } from './open.ts';
import { statusReport } from './status-report.ts';

/** Shows how far each stream is, from what the destination has stored; asks the API nothing and makes nothing. */
export const run: RunCommand = async (flags, context) => {
  const config = await openConfig(flags, context);
  const target = destinationOf(config);
  const destination = await openDestination(target);
  try {
    const now = new Date();
    const report = context.log.redact(await statusReport(config, destination, destinationText(target), now));
    context.print(flags.json === true ? JSON.stringify(report) : statusText(report, now, process.stdout));
    return EXIT.done;
  } finally {
    await destination.close();
  }
};
