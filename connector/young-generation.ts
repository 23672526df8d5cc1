import v8 from 'node:v8';

/** From where on it does not grow: bytes, of both halves. V8 would go on to 64 MB, and to 32 MB in Node 22. */
const LARGEST_BYTES = 16 * 1024 * 1024;

/** A load fills the first megabytes in hundreds of milliseconds. */
const LOOK_EVERY_MS = 20;

/**
 * Stops the growth of V8's young generation for this process. Rows are let go of page by page, so that a larger one only holds more
 * garbage (measured: 100 MB less at the peak of a first load, at the same speed). V8 takes its bounds only from the command line, which
 * an executable does not have the say of; the factor that it grows by is looked at whenever it would grow. Where the command line does
 * bound it, as in the image, nothing is done. Commands that hold next to nothing do not let it grow at all: `lean-heap.ts`.
 */
export function limitYoungGeneration(): void {
  if ([...process.execArgv, process.env.NODE_OPTIONS].some((flags) => flags?.includes('max-semi-space-size'))) return;
  const timer = setInterval(() => {
    const young = v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    if (young !== undefined && young.space_size < LARGEST_BYTES) return;
    v8.setFlagsFromString('--semi-space-growth-factor=1');
    clearInterval(timer);
  }, LOOK_EVERY_MS).unref();
}
