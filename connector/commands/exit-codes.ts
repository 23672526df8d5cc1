import { type Failure, type FailureKind, LockedFailure } from '../../destinations/failure.ts';

/** What the process tells its caller; `docs/operations.md` says what to do about each. */
export const EXIT = {
  done: 0,
  failed: 1,
  locked: 3,
  fault: 4,
  /** Stands for the code of the signal that came. */
  stopped: 128,
} as const;

const OF_KIND: Readonly<Record<FailureKind, number>> = {
  config_error: 2,
  system_error: EXIT.fault,
  transient_error: 75,
};

const OF_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const;

export type StopSignal = keyof typeof OF_SIGNAL;

/** The exit code of a command that a failure ended before it had anything to tell. */
export function codeOfFailure(failure: Failure): number {
  return failure instanceof LockedFailure ? EXIT.locked : OF_KIND[failure.kind];
}

export function codeOfSignal(name: StopSignal): number {
  return OF_SIGNAL[name];
}
