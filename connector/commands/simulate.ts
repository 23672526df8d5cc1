import { once } from 'node:events';
import { configError } from '../../destinations/failure.ts';
import type { FaultName } from '../../simulator/faults.ts';
import { nearest } from '../config/nearest.ts';
import type { RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';

/** Serves the local API until a signal ends it; prints its URL and a config for it as one line of JSON. */
export const run: RunCommand = async (flags, { log, signal, terminal, print }) => {
  const faults = typeof flags.faults === 'string' ? await faultsNamed(flags.faults) : [];
  const { startSimulator } = await import('../../simulator/simulator.ts');
  const simulator = await startSimulator({
    ...(typeof flags.port === 'number' && { port: flags.port }),
    ...(typeof flags.rows === 'number' && { rows: flags.rows }),
    ...(typeof flags.seed === 'number' && { seed: flags.seed }),
    faults,
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
    throw configError(`port ${flags.port} cannot be listened on (${error.code}); give another --port, or none`, error);
  });
  try {
    const { url, lender, email, password } = simulator;
    print(JSON.stringify({ url, config: { lender, email, password, base_url: url } }));
    if (terminal)
      log.info('Save that config to a file and run: cleargrid-connector sync --config FILE. Ctrl-C ends this.');
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await simulator.stop();
  }
  return EXIT.stopped;
};

/** What `simulate --help` adds: the faults by name. */
export async function notes(): Promise<string> {
  const { FAULT_NAMES } = await import('../../simulator/faults.ts');
  const names = Object.entries(FAULT_NAMES);
  const width = Math.max(...names.map(([name]) => name.length));
  return ['Faults:', ...names.map(([name, about]) => `  ${name.padEnd(width)}  ${about}`)].join('\n');
}

async function faultsNamed(list: string): Promise<(FaultName | 'all')[]> {
  const { FAULT_NAMES } = await import('../../simulator/faults.ts');
  const isKnown = (name: string): name is FaultName | 'all' => Object.hasOwn(FAULT_NAMES, name);
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !isKnown(name));
  if (unknown.length === 0) return names.filter(isKnown);
  const told = unknown.map((name) => {
    const near = nearest(name, Object.keys(FAULT_NAMES));
    return near === null ? `"${name}"` : `"${name}" (did you mean "${near}"?)`;
  });
  throw configError(`--faults: there is no fault ${told.join(', ')}; cleargrid-connector simulate --help lists them`);
}
