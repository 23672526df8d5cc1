import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Buffers } from '../../destinations/buffers.ts';
import { PageFailure } from '../source.ts';
import type { HttpLimits } from './http.ts';
import { networkFailure, tooLarge } from './trouble.ts';

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As sent: still encoded. */
  readonly bytes: Uint8Array;
}

/** How often the speed is looked at in each span that it is measured over. */
const LOOKS = 10;

/**
 * One request over undici's `dispatch` (half the CPU of `fetch`), with limits of its own: undici's timeouts are started anew by
 * every byte, and so let an answer trickle for ever.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions & { origin: string },
  limits: HttpLimits,
  signal: AbortSignal,
  buffers: Buffers,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | null = null;
    let givenUp: Error | null = null;
    let head: Omit<RawAnswer, 'bytes'> | null = null;
    let body = bodyOf(0, buffers);
    let received = 0;
    let speedWatch: NodeJS.Timeout | undefined;

    const release = () => {
      clearTimeout(deadline);
      clearInterval(speedWatch);
      signal.removeEventListener('abort', stop);
    };
    const giveUp = (error: Error) => {
      if (givenUp !== null) return;
      givenUp = error;
      release();
      reject(error);
      controller?.abort(error);
    };
    const stop = () => giveUp(signal.reason);
    const deadline = setTimeout(() => {
      const got = head === null ? 'no answer came' : `the answer was still incomplete (${received} bytes)`;
      giveUp(new PageFailure('interrupted', `${got} after ${limits.exchangeMs / 1000} s`));
    }, limits.exchangeMs);
    const watchSpeed = () => {
      const earlier: number[] = [];
      speedWatch = setInterval(() => {
        if (
          earlier.length === LOOKS &&
          received - earlier.shift()! < (limits.speedSpanMs / 1000) * limits.bytesPerSecond
        ) {
          const floor = `${limits.bytesPerSecond} bytes a second for ${limits.speedSpanMs / 1000} s`;
          giveUp(new PageFailure('interrupted', `the answer came to a standstill: less than ${floor}`));
        }
        earlier.push(received);
      }, limits.speedSpanMs / LOOKS);
    };

    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop);
    dispatcher.dispatch(
      { ...request, headersTimeout: 0, bodyTimeout: 0 },
      {
        onRequestStart: (started) => {
          controller = started;
          if (givenUp !== null) started.abort(givenUp);
        },
        onResponseStart: (_, status, headers) => {
          if (status < 200) return;
          head = { status, headers };
          const length = Number(headers['content-length'] ?? 0);
          if (length > limits.bodyBytes) return giveUp(tooLarge(limits.bodyBytes));
          body = bodyOf(length, buffers);
          watchSpeed();
        },
        onResponseData: (_, chunk) => {
          received += chunk.length;
          if (received > limits.bodyBytes) giveUp(tooLarge(limits.bodyBytes));
          else body.add(chunk);
        },
        onResponseEnd: () => {
          release();
          resolve({ ...head!, bytes: body.whole() });
        },
        onResponseError: (_, error) => giveUp(networkFailure(error, new URL(request.origin).host)),
      },
    );
  });
}

/**
 * A body as it arrives. Where its length is told, each chunk goes to its place at once: chunks that wait for the last one grow so old
 * that the garbage collector leaves them lying for long.
 */
function bodyOf(length: number, buffers: Buffers): { add(chunk: Uint8Array): void; whole(): Uint8Array } {
  if (!(length > 0)) {
    const chunks: Uint8Array[] = [];
    return { add: (chunk) => void chunks.push(chunk), whole: () => Buffer.concat(chunks) };
  }
  const bytes = buffers.take(length);
  let end = 0;
  return {
    add: (chunk) => {
      bytes.set(chunk, end);
      end += chunk.length;
    },
    whole: () => bytes.subarray(0, end),
  };
}
