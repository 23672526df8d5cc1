import { transientError } from '../../destinations/failure.ts';
import { codeOfSignal, type StopSignal } from './exit-codes.ts';

/** What is not finished by then is abandoned, which no position minds. */
const LONGEST_STOP_MS = 8_000;

export interface Stop {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** The exit code of the signal that came, or null. */
  code(): number | null;
}

/** Listens for SIGINT and SIGTERM: the first asks to stop, a second one (or 8 s) ends the process at once. */
export function listenForStop(): Stop {
  const controller = new AbortController();
  let code: number | null = null;

  const stop = (name: StopSignal) => {
    if (code !== null) process.exit(code);
    code = codeOfSignal(name);
    setTimeout(() => process.exit(codeOfSignal(name)), LONGEST_STOP_MS).unref();
    controller.abort(transientError(`stopped by ${name}; the next run goes on from here`));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { signal: controller.signal, code: () => code };
}
