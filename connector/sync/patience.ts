import type { Timing } from '../timing.ts';

/**
 * How long errors may last. A stream that gets only errors gives up within 2 minutes, a run within 3; the rest of those minutes
 * is left for commits and for ending well.
 */
const STREAM_PATIENCE_MS = 100_000;
const RUN_PATIENCE_MS = 140_000;

export interface Patience {
  /**
   * A page is about to be asked for. Where nothing has failed since the last success, patience begins with it: the time in which
   * nothing was asked for, since a slow destination took nothing, is not the API's.
   */
  asked(): void;
  succeeded(): void;
  failed(): void;
  /** Milliseconds until this stream gives up, not below zero. */
  left(): number;
  /** The patience of one more stream of this run. */
  forStream(): Patience;
}

/** The patience of a run. What one stream succeeds in gives all others time too, but no stream waits longer than its own. */
export function createPatience(timing: Timing): Patience {
  let runSuccess = timing.monotonic();
  let runFailing = false;
  const runLeft = () => RUN_PATIENCE_MS - (timing.monotonic() - runSuccess);

  const forStream = (): Patience => {
    let streamSuccess = timing.monotonic();
    let streamFailing = false;
    return {
      asked: () => {
        if (!streamFailing) streamSuccess = timing.monotonic();
        if (!runFailing) runSuccess = timing.monotonic();
      },
      succeeded: () => {
        streamFailing = runFailing = false;
        streamSuccess = runSuccess = timing.monotonic();
      },
      failed: () => {
        streamFailing = runFailing = true;
      },
      left: () => Math.max(0, Math.min(runLeft(), STREAM_PATIENCE_MS - (timing.monotonic() - streamSuccess))),
      forStream,
    };
  };
  return forStream();
}
