import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type Api, type ApiOptions, connectApi } from '../connector/api/connect.ts';
import { HTTP_LIMITS, type HttpLimits } from '../connector/api/http.ts';
import type { Dataset } from '../schemas/stream.ts';

export const LENDER = '5e0c0000-0000-4000-8000-000000000001';
export const D03: Dataset = { section: 'S1', code: 'D03', paging: 'via' };
export const PAGE = { since: null, until: null, cursor: null, limit: 1000 };

/** What a page's server sees and says; login and refresh are answered well unless they are given. */
export interface Routes {
  login?: Handler;
  refresh?: Handler;
  catalog?: Handler;
  page?: Handler;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** `POST login`, `POST refresh`, `GET catalog`, `GET page`, in order of arrival. */
  readonly calls: string[];
}

/** A server on 127.0.0.1 for one test. */
export async function serve(listener: RequestListener, tls?: { key: string; cert: string }): Promise<TestServer> {
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, port, calls: [] };
}

/** A ClearGrid API as far as these tests need one; tokens are `access-1`, `access-2` and so on. */
export async function serveApi(routes: Routes, tls?: { key: string; cert: string }): Promise<TestServer> {
  let given = 0;
  const defaults: Required<Routes> = {
    login: json(200, () => ({ lenderPublicId: LENDER, token: `access-${++given}`, refreshToken: 'refresh-1' })),
    refresh: json(200, () => ({ token: `access-${++given}` })),
    catalog: json(200, () => ({ code: 200, body: { datasets: [] } })),
    page: json(200, () => onePage()),
  };
  const server = await serve((request, response) => {
    const route = routeOf(request.url ?? '');
    server.calls.push(`${request.method} ${route}`);
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => (routes[route] ?? defaults[route])(request, response, body));
  }, tls);
  return server;
}

function routeOf(url: string): keyof Routes {
  const path = url.split('?')[0]!;
  if (path === '/admin/auth/acme/login') return 'login';
  if (path === '/admin/auth/acme/refresh-token') return 'refresh';
  return path === `/admin/v3/lenders/${LENDER}/exports` ? 'catalog' : 'page';
}

export function onePage(rows: unknown[] = [{ public_id: 'a' }], nextCursor: string | null = null): object {
  return { code: 200, message: 'success', body: { rows, pagination: { nextCursor }, meta: {} }, errors: [] };
}

export function json(
  status: number,
  body: (request: IncomingMessage) => unknown,
  headers: Record<string, string> = {},
): Handler {
  return (request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body(request)));
  };
}

export const text =
  (status: number, body: string, headers: Record<string, string> = {}): Handler =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(body);
  };

/** Answers each call with the next handler; the last one stays. */
export function inTurn(...handlers: Handler[]): Handler {
  let at = 0;
  return (...call) => handlers[Math.min(at++, handlers.length - 1)]!(...call);
}

/** Time that passes only by sleeping, and no chance: each wait is half of what it could be. */
export function fakeTiming() {
  let now = 1000;
  const sleeps: number[] = [];
  return {
    sleeps,
    monotonic: () => now,
    sleep: async (ms: number) => {
      sleeps.push(ms);
      now += ms;
    },
    random: () => 0.5,
    turn: async () => {},
    pass: (ms: number) => {
      now += ms;
    },
  };
}

/** Limits that a test can wait for. */
export const QUICK: HttpLimits = { ...HTTP_LIMITS, exchangeMs: 1500, connectMs: 1000, speedSpanMs: 300 };

/** Logs in to a test's server; what the test leaves open is closed with it. */
export async function connect(server: { url: string }, options: Partial<ApiOptions> = {}): Promise<Api> {
  const api = await connectApi({
    environment: 'production',
    baseUrl: server.url,
    lender: 'acme',
    email: 'etl@acme.example',
    password: 'correct horse',
    concurrency: 4,
    signal: new AbortController().signal,
    timing: fakeTiming(),
    ...options,
  });
  onTestFinished(() => api.close());
  return api;
}

/** The error that a promise must end with. */
export async function failureOf<E extends Error>(
  promise: Promise<unknown>,
  type: abstract new (...args: never[]) => E,
): Promise<E> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof type) return error;
    throw error;
  }
  throw new Error(`expected a ${type.name}, but nothing was thrown`);
}
