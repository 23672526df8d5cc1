import { once } from 'node:events';
import { configError } from '../../destinations/failure.ts';
import { STREAMS } from '../../schemas/registry.ts';
import { isInsecure } from '../config/url.ts';
import type { Log } from '../output/log.ts';
import { count, counted } from '../output/words.ts';
import type { RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { assumptions, faultsNamed, opened } from './simulate-flags.ts';

export { notes } from './simulate-flags.ts';

const DEFAULT_ROWS = 1000;

/** What a record takes while it is served, on average over all datasets (measured). */
const RECORD_BYTES = 450;

const TELL_EVERY_MS = 2_000;

/** Makes records and serves the local API until a signal ends it; prints its URL and a config for it as one line of JSON. */
export const run: RunCommand = async (flags, { log, signal, terminal, print }) => {
  const faults = typeof flags.faults === 'string' ? await faultsNamed(flags.faults) : [];
  const unknowns = typeof flags.assume === 'string' ? await assumptions(flags.assume) : {};
  const rows = typeof flags.rows === 'number' ? flags.rows : DEFAULT_ROWS;
  requireMemory(rows);
  const catalog = typeof flags.open === 'string' ? await opened(flags.open) : {};
  const { startSimulator } = await import('../../simulator/simulator.ts');
  const simulator = await startSimulator({
    rows,
    signal,
    catalog,
    made: making(rows * STREAMS.length, log),
    ...(typeof flags.host === 'string' && { host: flags.host }),
    ...(typeof flags.port === 'number' && { port: flags.port }),
    ...(typeof flags.seed === 'number' && { seed: flags.seed }),
    ...(typeof flags['clock-behind'] === 'number' && { clockOffsetMs: -1000 * flags['clock-behind'] }),
    difficult: flags.difficult === true,
    faults,
    unknowns,
  }).catch((error: NodeJS.ErrnoException) => {
    if (signal.aborted) return null;
    if (error.code === 'ENOTFOUND' || error.code === 'EADDRNOTAVAIL')
      throw configError(`--host ${flags.host} is no address of this machine (${error.code}); give one, or none`, error);
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
    throw configError(`port ${flags.port} cannot be listened on (${error.code}); give another --port, or none`, error);
  });
  if (simulator === null) return EXIT.stopped;
  try {
    const { url, lender, email, password } = simulator;
    const insecure = isInsecure(url) ? { allow_insecure_http: true } : {};
    print(JSON.stringify({ url, config: { lender, email, password, base_url: url, ...insecure } }));
    if (terminal)
      log.info('Save that config to a file and run: cleargrid-connector sync --config FILE. Ctrl-C ends this.');
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await simulator.stop();
  }
  return EXIT.stopped;
};

/** @throws {Failure} `config_error` for more rows than this machine has memory for. */
function requireMemory(rows: number): void {
  const needed = rows * STREAMS.length * RECORD_BYTES;
  const free = process.availableMemory();
  if (needed <= free) return;
  const most = Math.floor(free / (STREAMS.length * RECORD_BYTES) / 1000) * 1000;
  throw configError(
    `--rows ${rows}: ${counted(rows * STREAMS.length, 'record')} in ${STREAMS.length} datasets need about ${gigabytes(needed)} of ` +
      `memory, and ${gigabytes(free)} are free here; give --rows ${most} or less`,
  );
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

/** Tells how far the making of records is, where it takes long enough to be wondered about. */
function making(all: number, log: Log): (records: number) => void {
  let made = 0;
  let told = performance.now();
  return (records) => {
    made += records;
    if (performance.now() - told < TELL_EVERY_MS) return;
    told = performance.now();
    log.info(`making records: ${count(made)} of ${count(all)}`, { records: made });
  };
}
