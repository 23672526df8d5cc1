import { openDestination } from '../../destinations/open.ts';
import { pageFile, writePage } from '../output/page-file.ts';
import { pageFacts } from '../report-page/facts.ts';
import { pageHtml } from '../report-page/page.ts';
import type { RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { destinationOf, destinationText, openConfig } from './open.ts';
import { readStored, statusOf } from './status-report.ts';

/** Writes what the destination has stored of streams and runs as a page for people; asks the API nothing, and takes no lock. */
export const run: RunCommand = async (flags, context) => {
  const config = await openConfig(flags, context);
  const path = await pageFile(String(flags.out));
  const target = destinationOf(config);
  const destination = await openDestination(target);
  try {
    const now = new Date();
    const stored = await readStored(destination);
    const status = statusOf(stored, config, destinationText(target), now);
    const latest = stored.runs.find(({ command }) => command === 'sync');
    const rejects = latest === undefined ? [] : await destination.runs.rejects(latest.runs.map(({ runId }) => runId));
    const facts = context.log.redact(pageFacts(status, stored, rejects));
    await writePage(path, pageHtml(facts, now));
    if (context.terminal) context.log.info(`The page is in ${path}`);
    if (stored.busy !== null) context.log.warn(`${path} says only that the database is in use: ${stored.busy}`);
    return EXIT.done;
  } finally {
    await destination.close();
  }
};
