import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { PageFailure } from '../connector/source.ts';
import { Failure } from '../destinations/failure.ts';
import {
  connect,
  D03,
  failureOf,
  fakeTiming,
  type Handler,
  inTurn,
  json,
  LENDER,
  onePage,
  PAGE,
  QUICK,
  serveApi,
  text,
} from './api-server.ts';

const signal = new AbortController().signal;
const count = (calls: readonly string[], call: string) => calls.filter((one) => one === call).length;
const reset: Handler = (_, response) => response.socket!.destroy();

/** Pages are given out for these tokens only. */
function pagesFor(...tokens: string[]): Handler {
  const accepted = (request: IncomingMessage) => tokens.includes(request.headers.authorization?.slice(7) ?? '');
  return (request, response, body) =>
    (accepted(request) ? json(200, () => onePage()) : json(401, () => ({ success: false, message: 'jwt expired' })))(
      request,
      response,
      body,
    );
}

describe('a login', () => {
  it('is made under the subdomain and gives the UUID of the lender', async () => {
    let sent: { body: string; type: string | undefined } | undefined;
    const login: Handler = (request, response, body) => {
      sent = { body, type: request.headers['content-type'] };
      json(200, () => ({ lenderPublicId: LENDER, token: 'a', refreshToken: 'r' }))(request, response, body);
    };
    const api = await connect(await serveApi({ login }));
    expect(api.lender).toBe(LENDER);
    expect(JSON.parse(sent!.body)).toEqual({ email: 'etl@acme.example', password: 'correct horse' });
    expect(sent!.type).toBe('application/json');
  });

  it.each([400, 401, 403, 404, 422])(
    'that is answered with %i is refused at once, and says what to check',
    async (status) => {
      const server = await serveApi({
        login: json(status, () => ({ message: 'no correct horse', requestId: 'req_1' })),
      });
      const failure = await failureOf(connect(server), Failure);
      expect(failure).toMatchObject({ kind: 'config_error', requestId: 'req_1' });
      expect(failure.message).toMatch(
        /the login is refused: .*“no \*\*\*”.*lender .*email, password.*environment or base_url/s,
      );
      expect(server.calls).toEqual(['POST login']);
    },
  );

  it('that is answered with 500 every time is refused too, after a few tries', async () => {
    const server = await serveApi({ login: json(500, () => ({ message: 'oops' })) });
    const timing = fakeTiming();
    const failure = await failureOf(connect(server, { timing }), Failure);
    expect(failure.kind).toBe('config_error');
    expect(failure.message).toMatch(
      /^the login is refused: it was answered with 500 “oops”\. Check lender [^.]+\. If all of that is right, [^.]+: try later\.$/,
    );
    expect(count(server.calls, 'POST login')).toBe(5);
    expect(timing.sleeps).toEqual([250, 500, 1000, 2000]);
  });

  it.each<[string, Handler]>([
    ['a 503', text(503, 'busy')],
    ['a 502', text(502, 'bad gateway')],
    ['a gateway timeout', text(504, '<html>')],
    ['a 429', text(429, '')],
    ['a broken connection', reset],
  ])('that meets %s every time is for nobody to mend: try later', async (_, login) => {
    const server = await serveApi({ login });
    const failure = await failureOf(connect(server), Failure);
    expect(failure.kind).toBe('transient_error');
    expect(failure.message).toMatch(/^could not log in: .*(try later|Try again later)/i);
    expect(count(server.calls, 'POST login')).toBe(5);
  });

  it('works in the end when what kept it passes, and waits as long as it is asked to', async () => {
    const login = inTurn(
      text(500, 'oops'),
      reset,
      text(429, '', { 'retry-after': '9' }),
      json(200, () => ({ lenderPublicId: LENDER, token: 'a', refreshToken: 'r' })),
    );
    const timing = fakeTiming();
    await connect(await serveApi({ login }), { timing });
    expect(timing.sleeps).toEqual([250, 500, 10_000]);
  });

  it('does not wait longer than a run may take to begin', async () => {
    const server = await serveApi({ login: text(503, '', { 'retry-after': '3600' }) });
    await expect(connect(server)).rejects.toMatchObject({ kind: 'transient_error' });
    expect(server.calls).toEqual(['POST login']);
  });

  it.each<[string, Handler]>([
    ['is a web page', text(200, '<html>Sign in</html>')],
    ['has no token', json(200, () => ({ lenderPublicId: LENDER }))],
    ['has no lender', json(200, () => ({ token: 'a' }))],
  ])('whose answer %s points to base_url', async (_, login) => {
    const failure = await failureOf(connect(await serveApi({ login })), Failure);
    expect(failure.kind).toBe('config_error');
    expect(failure.message).toContain('Check that base_url');
  });

  it('ends when the run is stopped', async () => {
    const stop = new AbortController();
    const server = await serveApi({ login: () => stop.abort(new Error('stopped by the test')) });
    await expect(connect(server, { signal: stop.signal })).rejects.toThrow('stopped by the test');
  });
});

describe('fault 5: a token that is refused', () => {
  it('is refreshed once for all requests that meet it, and each is repeated once', async () => {
    const server = await serveApi({ page: pagesFor('access-2') });
    const api = await connect(server, { concurrency: 16 });
    await Promise.all(Array.from({ length: 16 }, () => api.fetchPage(D03, PAGE, signal)));
    expect(count(server.calls, 'POST refresh')).toBe(1);
    expect(count(server.calls, 'POST login')).toBe(1);
    expect(count(server.calls, 'GET page')).toBe(32);
  });

  it('makes a page one that was asked for when the request was repeated', async () => {
    const timing = fakeTiming();
    const refresh: Handler = (...call) => {
      timing.pass(60_000);
      json(200, () => ({ token: 'access-2' }))(...call);
    };
    const api = await connect(await serveApi({ page: pagesFor('access-2'), refresh }), { timing });
    const before = Date.parse(api.now());
    expect(Date.parse((await api.fetchPage(D03, PAGE, signal)).askedAt) - before).toBe(60_000);
  });

  it('is refreshed with the refresh token of the login', async () => {
    let sent = '';
    const refresh: Handler = (request, response, body) => {
      sent = body;
      json(200, () => ({ token: 'access-2' }))(request, response, body);
    };
    const api = await connect(await serveApi({ page: pagesFor('access-2'), refresh }));
    await api.fetchPage(D03, PAGE, signal);
    expect(JSON.parse(sent)).toEqual({ refreshToken: 'refresh-1' });
  });

  it('may expire again and again', async () => {
    const page = inTurn(
      ...['access-1', 'access-2', 'access-2', 'access-3', 'access-3', 'access-3'].map((token) => pagesFor(token)),
    );
    const server = await serveApi({ page });
    const api = await connect(server);
    for (let walked = 0; walked < 4; walked++) await api.fetchPage(D03, PAGE, signal);
    expect(count(server.calls, 'POST refresh')).toBe(2);
    expect(count(server.calls, 'GET page')).toBe(6);
  });

  it.each<[string, Handler]>([
    ['401', json(401, () => ({}))],
    ['400', json(400, () => ({}))],
    ['500', json(500, () => ({}))],
    ['a broken connection', reset],
    ['an answer without a token', json(200, () => ({}))],
  ])('leads to one login when its refresh meets %s', async (_, refresh) => {
    const server = await serveApi({ page: pagesFor('access-2'), refresh });
    const api = await connect(server, { limits: QUICK });
    await Promise.all(Array.from({ length: 4 }, () => api.fetchPage(D03, PAGE, signal)));
    expect(count(server.calls, 'POST refresh')).toBe(1);
    expect(count(server.calls, 'POST login')).toBe(2);
  });

  it('stops the request when a new one is refused too, naming the inactive lender', async () => {
    const server = await serveApi({ page: json(401, () => ({ message: 'lender inactive', requestId: 'req_9' })) });
    const api = await connect(server);
    const failures = await Promise.all(
      Array.from({ length: 4 }, () => failureOf(api.fetchPage(D03, PAGE, signal), Failure)),
    );
    for (const failure of failures) {
      expect(failure).toMatchObject({ kind: 'config_error', requestId: 'req_9' });
      expect(failure).not.toBeInstanceOf(PageFailure);
      expect(failure.message).toMatch(/401 “lender inactive”.*inactive: contact ClearGrid's support/);
    }
    expect(count(server.calls, 'POST refresh')).toBe(1);
    expect(count(server.calls, 'POST login')).toBe(1);
    expect(count(server.calls, 'GET page')).toBe(8);
  });

  it('is not renewed again before any request has been accepted with it', async () => {
    const server = await serveApi({ page: json(401, () => ({})) });
    const api = await connect(server);
    await failureOf(api.fetchPage(D03, PAGE, signal), Failure);
    await failureOf(api.fetchPage(D03, PAGE, signal), Failure);
    expect(server.calls).toEqual(['POST login', 'GET page', 'POST refresh', 'GET page', 'GET page']);
  });

  it('ends with the login when that is refused by now', async () => {
    const login = inTurn(
      json(200, () => ({ lenderPublicId: LENDER, token: 'a', refreshToken: 'r' })),
      json(401, () => ({})),
    );
    const api = await connect(await serveApi({ login, refresh: json(401, () => ({})), page: json(401, () => ({})) }));
    const failures = await Promise.all([1, 2].map(() => failureOf(api.fetchPage(D03, PAGE, signal), Failure)));
    for (const { kind, message } of failures) {
      expect(kind).toBe('config_error');
      expect(message).toContain('the login is refused');
    }
  });

  it('never goes on as another lender', async () => {
    const login = inTurn(
      json(200, () => ({ lenderPublicId: LENDER, token: 'a', refreshToken: 'r' })),
      json(200, () => ({ lenderPublicId: 'someone-else', token: 'b', refreshToken: 'r' })),
    );
    const server = await serveApi({ login, refresh: json(401, () => ({})), page: pagesFor('b') });
    const api = await connect(server);
    expect(await failureOf(api.fetchPage(D03, PAGE, signal), Failure)).toMatchObject({ kind: 'system_error' });
  });

  it('is renewed for the others when one of them stops waiting', async () => {
    const stop = new AbortController();
    let answer = () => {};
    const refresh: Handler = (...call) => {
      answer = () => json(200, () => ({ token: 'access-2' }))(...call);
      stop.abort(new Error('stopped by the test'));
    };
    const api = await connect(await serveApi({ page: pagesFor('access-2'), refresh }));
    const stopped = api.fetchPage(D03, PAGE, stop.signal);
    const served = api.fetchPage(D03, PAGE, signal);
    await expect(stopped).rejects.toThrow('stopped by the test');
    answer();
    await expect(served).resolves.toBeDefined();
  });

  it('that has been accepted meanwhile is renewed again for whoever it is refused', async () => {
    const page = inTurn(pagesFor(), pagesFor(), pagesFor('access-2'), pagesFor(), pagesFor('access-3'));
    const server = await serveApi({ page });
    const api = await connect(server);
    await Promise.all([1, 2].map(() => api.fetchPage(D03, PAGE, signal)));
    expect(count(server.calls, 'POST refresh')).toBe(2);
    expect(count(server.calls, 'GET page')).toBe(5);
  });

  it('but not for ever where only one request is refused', async () => {
    const page: Handler = (request, ...rest) =>
      (request.url!.includes('D03') ? json(401, () => ({})) : json(200, () => onePage()))(request, ...rest);
    const server = await serveApi({ page });
    const api = await connect(server);
    const D07 = { section: 'S2', code: 'D07', paging: 'direct' } as const;
    const stop = new AbortController();
    const others = (async () => {
      while (!stop.signal.aborted) await api.fetchPage(D07, PAGE, signal);
    })();
    expect(await failureOf(api.fetchPage(D03, PAGE, signal), Failure)).toMatchObject({ kind: 'config_error' });
    stop.abort();
    await others;
    expect(count(server.calls, 'POST refresh')).toBeLessThanOrEqual(3);
  });

  it('is refreshed with the refresh token that the last refresh brought, if one did', async () => {
    const sent: string[] = [];
    const refresh: Handler = (request, response, body) => {
      sent.push(JSON.parse(body).refreshToken);
      json(200, () => ({ token: `b-${sent.length}`, refreshToken: `r-${sent.length}` }))(request, response, body);
    };
    const page = inTurn(...[[], ['b-1'], [], ['b-2']].map((tokens) => pagesFor(...tokens)));
    const api = await connect(await serveApi({ refresh, page }));
    await api.fetchPage(D03, PAGE, signal);
    await api.fetchPage(D03, PAGE, signal);
    expect(sent).toEqual(['refresh-1', 'r-1']);
  });

  it('is refreshed with the refresh token of the last login', async () => {
    let logins = 0;
    const sent: string[] = [];
    const login = json(200, () => ({ lenderPublicId: LENDER, token: `a-${++logins}`, refreshToken: `r-${logins}` }));
    const refresh: Handler = (request, response, body) => {
      sent.push(body);
      json(sent.length === 1 ? 401 : 200, () => ({ token: 'b' }))(request, response, body);
    };
    const page = inTurn(pagesFor(), pagesFor('a-2'), pagesFor(), pagesFor('b'));
    const api = await connect(await serveApi({ login, refresh, page }));
    await api.fetchPage(D03, PAGE, signal);
    await api.fetchPage(D03, PAGE, signal);
    expect(sent.map((body) => JSON.parse(body).refreshToken)).toEqual(['r-1', 'r-2']);
  });
});

it('any other path can be asked with the same login', async () => {
  const page: Handler = (request, response, body) =>
    json(400, () => ({ message: request.url, errors: [body, request.headers.authorization] }))(request, response, body);
  const api = await connect(await serveApi({ page }));
  const answer = await api.request('POST', '/admin/v3/lenders/x/accounts', { accounts: [1] }, signal);
  expect(answer).toMatchObject({ status: 400, message: '“/admin/v3/lenders/x/accounts”', requestId: null });
  expect(JSON.parse(Buffer.from(answer.bytes).toString()).errors).toEqual(['{"accounts":[1]}', 'Bearer access-1']);
});
