import { Failure, systemError } from '../destinations/failure.ts';

/**
 * What was thrown, as what may be shown. A `Failure` holds no value of anybody; the message of any other error may quote what it was about,
 * so only its name and where it was thrown are kept.
 */
export function shownFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const name = thrown instanceof Error ? thrown.name : typeof thrown;
  const cause = new Error(name);
  const frames = (thrown instanceof Error ? (thrown.stack ?? '') : '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line));
  cause.stack = [name, ...frames].join('\n');
  return systemError(`a fault of the connector (${name}): run it again with --debug and report what that tells`, cause);
}
