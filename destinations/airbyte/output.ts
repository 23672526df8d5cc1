import type { Writable } from 'node:stream';
import { transientError } from '../failure.ts';

/** Where messages go: one writer of whole lines, in the order in which they are given to it. */
export interface Output {
  /** Writes a line at once: for the few that tell of the run. */
  tell(line: string): void;
  /**
   * Writes whole lines as soon as the reader has room, so that no more is held than what it has not taken yet.
   *
   * @param taken called once they need not be kept any longer.
   * @throws {Failure} `transient_error` when nobody reads any more.
   */
  write(lines: string | Uint8Array, taken?: () => void): Promise<void>;
}

/** An output over a stream, such as standard output. */
export function createOutput(stream: Writable): Output {
  // Standard output never counts as destroyed: that its reader has gone, only its events tell.
  let gone = false;
  let waiting: (() => void)[] = [];
  const wake = () => {
    const awake = waiting;
    waiting = [];
    for (const goOn of awake) goOn();
  };
  const leave = () => {
    gone = true;
    wake();
  };
  stream.on('drain', wake).on('error', leave).on('close', leave);

  return {
    tell: (line) => {
      if (!gone) stream.write(line);
    },
    async write(lines, taken = () => {}) {
      while (stream.writableNeedDrain && !gone) await new Promise<void>((resolve) => waiting.push(resolve));
      if (gone) throw transientError('nobody reads the standard output any more; the last STATE read holds');
      stream.write(lines, taken);
    },
  };
}
