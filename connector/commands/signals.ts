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

/**
 * Listens for SIGINT and SIGTERM: the first asks to stop, a second one ends the process at once, and so do 8 s.
 *
 * @param abandoned is what is still waited for then.
 */
export function listenForStop(abandoned: (code: number) => Promise<void>): Stop {
  const controller = new AbortController();
  let code: number | null = null;

  const stop = (name: StopSignal) => {
    if (code !== null) process.exit(code);
    const exitCode = codeOfSignal(name);
    code = exitCode;
    setTimeout(() => void abandoned(exitCode).finally(() => process.exit(exitCode)), LONGEST_STOP_MS).unref();
    controller.abort(transientError(`stopped by ${name}; the next run goes on from here`));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { signal: controller.signal, code: () => code };
}
