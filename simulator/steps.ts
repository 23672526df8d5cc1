/** Work that can pause between its steps; each yields how many records it has made since the last one. */
export type Steps<T> = Generator<number, T>;

/** For how long work goes on before others have their turn. */
const TURN_MS = 50;

/** Does all of it at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Does it with pauses, so that signals are heard and timers run.
 *
 * @param made told how many records were made, at each pause.
 * @throws the signal's reason, at the next pause after it is aborted.
 */
export async function inTurns<T>(steps: Steps<T>, signal?: AbortSignal, made?: (records: number) => void): Promise<T> {
  let since = performance.now();
  let records = 0;
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    records += value;
    if (performance.now() - since < TURN_MS) continue;
    made?.(records);
    records = 0;
    await new Promise(setImmediate);
    signal?.throwIfAborted();
    since = performance.now();
  }
}
