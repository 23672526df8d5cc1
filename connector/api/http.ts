import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { createBuffers } from '../../destinations/buffers.ts';
import { configError } from '../../destinations/failure.ts';
import { PageFailure } from '../source.ts';
import { exchange } from './exchange.ts';
import { tooLarge } from './trouble.ts';

/** One origin over HTTP: single requests, whole bodies, no retries and no redirects. */
export interface Http {
  /**
   * Sends a request and takes its answer in, decoded, whatever its status.
   *
   * @throws {PageFailure} when no whole answer arrived; `Failure` when asking again cannot help; the signal's reason.
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
  /** Breaks off what is under way and closes all connections. */
  close(): Promise<void>;
}

export interface HttpRequest {
  readonly method: Dispatcher.HttpMethod;
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; bytes are JSON already. */
  readonly body?: unknown;
  /** For the whole exchange, where that is less than `limits.exchangeMs`. */
  readonly withinMs?: number;
  /** Of the answer's body, where that is less than `limits.bodyBytes`. */
  readonly mostBytes?: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** The value of a header by its lower-case name. */
  header(name: string): string | null;
  readonly bytes: Uint8Array;
  /** Gives the memory of `bytes` back, where it is used again: nobody may read them any more. */
  release(): void;
}

/** What a request may take. */
export interface HttpLimits {
  /** From sending to the last byte. */
  readonly exchangeMs: number;
  readonly connectMs: number;
  /** From the headers on, each span of this length must bring `bytesPerSecond` on average. */
  readonly speedSpanMs: number;
  readonly bytesPerSecond: number;
  /** Of a body, as sent and as decoded. */
  readonly bodyBytes: number;
}

/** design.md section 8, bounds. */
export const HTTP_LIMITS: HttpLimits = {
  exchangeMs: 60_000,
  connectMs: 10_000,
  speedSpanMs: 10_000,
  bytesPerSecond: 1000,
  bodyBytes: 64 * 1024 * 1024,
};

/** How much of the memory of pages is kept for the next ones. */
const KEPT_BYTES = 16e6;

export interface HttpOptions {
  readonly origin: string;
  /** Connections at most: as many as requests may be under way at once. */
  readonly connections: number;
  readonly userAgent: string;
  readonly limits: HttpLimits;
}

export function createHttp({ origin, connections, userAgent, limits }: HttpOptions): Http {
  const dispatcher = openDispatcher(connections, limits);
  const buffers = createBuffers(KEPT_BYTES);

  async function send(
    { method, path, headers, body, withinMs }: HttpRequest,
    bodyBytes: number,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const answer = await exchange(
      dispatcher,
      {
        origin,
        path,
        method,
        headers: {
          'user-agent': userAgent,
          accept: 'application/json',
          'accept-encoding': 'gzip',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? null : body instanceof Uint8Array ? body : JSON.stringify(body),
      },
      { ...limits, bodyBytes, exchangeMs: Math.min(limits.exchangeMs, withinMs ?? Number.POSITIVE_INFINITY) },
      signal,
      buffers,
    );
    const header = (name: string) => {
      const value = answer.headers[name];
      return (Array.isArray(value) ? value[0] : value) ?? null;
    };
    // Once: given back again, it would be taken from whoever has it by then.
    let held: Uint8Array | null = answer.bytes;
    const release = () => {
      if (held !== null) buffers.giveBack(held);
      held = null;
    };
    const bytes = await decoded(answer.bytes, header('content-encoding'), bodyBytes);
    if (bytes !== answer.bytes) release();
    return { status: answer.status, header, bytes, release };
  }

  return {
    send: async (request, signal) => {
      const bodyBytes = Math.min(limits.bodyBytes, request.mostBytes ?? Number.POSITIVE_INFINITY);
      try {
        return await send(request, bodyBytes, signal);
      } catch (error) {
        const isOutgrown = error instanceof PageFailure && error.reason === 'too_large' && bodyBytes < limits.bodyBytes;
        throw isOutgrown ? new PageFailure('outgrown', error.message, { cause: error }) : error;
      }
    },
    close: () => dispatcher.destroy(),
  };
}

/**
 * Connections with HTTP/1.1 each of their own: one that breaks costs one page, where a shared HTTP/2 connection would cost all.
 * Node's extra CA certificates (`NODE_EXTRA_CA_CERTS`) hold, since nothing is said about CAs here.
 */
function openDispatcher(connections: number, { connectMs }: HttpLimits): Dispatcher {
  try {
    return new EnvHttpProxyAgent({
      connections,
      connectTimeout: connectMs,
      allowH2: false,
      // Node gives each address of a name 250 ms, less than a handshake takes from the other side of the world.
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 2000,
      noProxy: [process.env.no_proxy ?? process.env.NO_PROXY ?? '', 'localhost', '127.0.0.1', '::1'].join(','),
    });
  } catch (error) {
    // The address may hold a password, so neither it nor the error, which quotes it, is passed on.
    if (error instanceof Error) {
      throw configError('HTTPS_PROXY or HTTP_PROXY is not an address. Write it as http://host:port, or unset it.');
    }
    throw error;
  }
}

const unzip = promisify(gunzip);

async function decoded(bytes: Uint8Array, encoding: string | null, maxBytes: number): Promise<Uint8Array> {
  if (encoding === null || encoding === 'identity' || bytes.length === 0) return bytes;
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw new PageFailure(
      'interrupted',
      `the answer came in an encoding that was not asked for (${encoding.slice(0, 40)})`,
    );
  }
  try {
    return await unzip(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw new PageFailure('interrupted', 'the answer is cut short or damaged: its gzip encoding cannot be read', {
      cause: error,
    });
  }
}
