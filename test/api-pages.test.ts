import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { pageQuery } from '../connector/api/exports.ts';
import { HTTP_LIMITS } from '../connector/api/http.ts';
import { PageFailure } from '../connector/source.ts';
import { VERSION } from '../connector/version.ts';
import { Failure } from '../destinations/failure.ts';
import {
  connect,
  D03,
  failureOf,
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

/** What asking for one page from this handler ends with. */
async function pageFailure(page: Handler): Promise<PageFailure> {
  const api = await connect(await serveApi({ page }), { limits: QUICK });
  return failureOf(api.fetchPage(D03, PAGE, signal), PageFailure);
}

describe('a page', () => {
  it('arrives byte by byte as it was sent, with the instant at which it was asked for', async () => {
    const body = `\ufeff  ${JSON.stringify(onePage([{ public_id: 'é', amount: 1 }]))}\n`;
    const api = await connect(await serveApi({ page: text(200, body) }));
    const before = api.now();
    const page = await api.fetchPage(D03, PAGE, signal);
    expect(Buffer.from(page.bytes).toString()).toBe(body);
    expect(page.askedAt > before && page.askedAt < api.now()).toBe(true);
  });

  it('is asked for under its section and code, with the token, our name and all of its parameters', async () => {
    let seen: { url: string | undefined; headers: Record<string, unknown> } | undefined;
    const server = await serveApi({
      page: json(200, ({ url, headers }) => {
        seen = { url, headers };
        return onePage();
      }),
    });
    const api = await connect(server);
    const request = {
      since: '2026-01-01T00:00:00.000000Z',
      until: '2026-02-01T00:00:00.000001Z',
      cursor: 'a+/=',
      limit: 7,
    };
    await api.fetchPage(D03, request, signal);
    const url = new URL(seen!.url!, server.url);
    expect(url.pathname).toBe(`/admin/v3/lenders/${LENDER}/exports/S1/D03`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      since: '2026-01-01T00:00:00.000Z',
      until: '2026-02-01T00:00:00.000001Z',
      cursor: 'a+/=',
      limit: '7',
      sort: 'asc',
    });
    expect(seen!.headers).toMatchObject({
      authorization: 'Bearer access-1',
      'user-agent': `cleargrid-connector/${VERSION}`,
      'accept-encoding': 'gzip',
    });
  });

  it('leaves out of its query what is not set', () => {
    expect(pageQuery(PAGE)).toBe('limit=1000&sort=asc');
  });

  it('may be gzipped', async () => {
    const body = JSON.stringify(onePage(Array.from({ length: 100 }, () => ({ public_id: 'x' }))));
    const page: Handler = (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(body));
    const api = await connect(await serveApi({ page }));
    expect(Buffer.from((await api.fetchPage(D03, PAGE, signal)).bytes).toString()).toBe(body);
  });

  it('shares its memory with no other, gzipped or not, while many come at once', async () => {
    const bodyOf = (at: string) =>
      JSON.stringify(
        onePage(Array.from({ length: 400 }, (_, row) => ({ public_id: `${at}-${row}-${Math.random()}` }))),
      );
    const sent = new Map<string, string>();
    const page: Handler = (request, response) => {
      const cursor = new URL(request.url!, 'http://localhost').searchParams.get('cursor')!;
      const text = bodyOf(cursor);
      sent.set(cursor, text);
      const isGzipped = Number(cursor.split('-')[1]) % 2 === 0;
      const body = isGzipped ? gzipSync(text) : Buffer.from(text);
      const more = isGzipped ? { 'content-encoding': 'gzip' } : {};
      response.writeHead(200, { 'content-length': body.length, ...more });
      response.write(body.subarray(0, body.length / 2));
      setTimeout(() => response.end(body.subarray(body.length / 2)), Math.random() * 5);
    };
    const api = await connect(await serveApi({ page }));
    const walks = Array.from({ length: 16 }, async (_, walk) => {
      for (let at = 0; at < 30; at++) {
        const cursor = `${walk}-${at}`;
        const { bytes, release } = await api.fetchPage(D03, { ...PAGE, cursor }, signal);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
        expect(Buffer.from(bytes).equals(Buffer.from(sent.get(cursor)!))).toBe(true);
        release();
        release();
      }
    });
    await Promise.all(walks);
  });

  it('may be announced by an answer that is none yet', async () => {
    const page: Handler = (request, response, body) => {
      response.writeProcessing();
      json(200, () => onePage())(request, response, body);
    };
    const api = await connect(await serveApi({ page }));
    await expect(api.fetchPage(D03, PAGE, signal)).resolves.toBeDefined();
  });

  it('is given up with the reason of the signal that aborts it', async () => {
    const stop = new AbortController();
    const api = await connect(await serveApi({ page: () => stop.abort(new Error('stopped by the test')) }));
    await expect(api.fetchPage(D03, PAGE, stop.signal)).rejects.toThrow('stopped by the test');
    await expect(api.fetchPage(D03, PAGE, stop.signal)).rejects.toThrow('stopped by the test');
  });
});

describe('fault 3: a page that does not arrive whole is interrupted', () => {
  const body = JSON.stringify(onePage());
  const faults: Record<string, Handler> = {
    'reset before the headers': (_, response) => response.socket!.destroy(),
    'reset in the middle of the body': (_, response) => {
      response.writeHead(200, { 'content-length': body.length });
      response.write(body.slice(0, 10), () => response.socket!.destroy());
    },
    'reset in the middle of a chunked body': (_, response) => {
      response.writeHead(200);
      response.write(body.slice(0, 10), () => response.socket!.destroy());
    },
    'closed short of its Content-Length': (_, response) => {
      response.socket!.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length + 5}\r\n\r\n${body}`);
    },
    'JSON cut short without any length': (_, response) => {
      response.socket!.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${body.slice(0, -20)}`);
    },
    'JSON cut short': text(200, body.slice(0, -20)),
    'a web page': text(200, '<!doctype html><title>Sign in {}</title>}'),
    'an empty body': text(200, ''),
    'white space': text(200, ' \r\n'),
    'no content': text(204, ''),
    'gzip cut short': (_, response) => {
      response.setHeader('content-encoding', 'gzip').end(gzipSync(body).subarray(0, -12));
    },
    'an encoding nobody asked for': text(200, body, { 'content-encoding': 'br' }),
    'chunks that are none': (_, response) => {
      response.socket!.end(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n${body}\r\n`);
    },
    'no HTTP at all': (_, response) => response.socket!.end('SSH-2.0-OpenSSH_9.6\r\n'),
  };
  for (const [name, handler] of Object.entries(faults)) {
    it(name, async () => {
      const failure = await pageFailure(handler);
      expect(failure).toMatchObject({ reason: 'interrupted', kind: 'transient_error' });
      expect(JSON.stringify([failure.message, failure.cause])).not.toContain('public_id');
    });
  }

  it('and the next try gets it, on a connection of its own', async () => {
    const page = inTurn(
      faults['reset in the middle of the body']!,
      json(200, () => onePage()),
    );
    const api = await connect(await serveApi({ page }));
    await expect(api.fetchPage(D03, PAGE, signal)).rejects.toThrow(PageFailure);
    await expect(api.fetchPage(D03, PAGE, signal)).resolves.toBeDefined();
  });
});

describe('fault 4: what the API refuses is told apart by what helps', () => {
  const said = { success: false, message: 'something in words', requestId: 'req_42' };
  const reasons: [number, PageFailure['reason']][] = [
    [408, 'interrupted'],
    [429, 'throttled'],
    [500, 'refused'],
    [502, 'refused'],
    [503, 'throttled'],
    [504, 'timed_out'],
    [520, 'refused'],
  ];
  for (const [status, reason] of reasons) {
    it(`${status} is ${reason}, with the API's words and request id`, async () => {
      const failure = await pageFailure(json(status, () => said));
      expect(failure).toMatchObject({
        reason,
        status,
        requestId: 'req_42',
        kind: 'transient_error',
        retryAfterMs: null,
      });
      expect(failure.message).toContain(`dataset D03 was answered with ${status} “something in words”`);
    });
  }

  it('a 504 of a gateway in HTML is timed_out, without its HTML', async () => {
    const failure = await pageFailure(text(504, '<html>nginx</html>'));
    expect(failure).toMatchObject({ reason: 'timed_out', requestId: null });
    expect(failure.message).not.toContain('nginx');
  });

  it('Retry-After is read in seconds and as a date, which is held against the Date of the same answer', async () => {
    const seconds = await pageFailure(json(429, () => said, { 'retry-after': '7' }));
    expect(seconds.retryAfterMs).toBe(7000);
    const date = await pageFailure(
      json(503, () => said, {
        date: 'Mon, 01 Jun 2020 10:00:00 GMT',
        'retry-after': 'Mon, 01 Jun 2020 10:00:05 GMT',
      }),
    );
    expect(date.retryAfterMs).toBe(5000);
    const past = await pageFailure(json(503, () => said, { 'retry-after': 'Mon, 01 Jun 2020 10:00:05 GMT' }));
    expect(past.retryAfterMs).toBe(0);
    const junk = await pageFailure(json(503, () => said, { 'retry-after': 'soon' }));
    expect(junk.retryAfterMs).toBeNull();
  });

  it('a failure under status 200 is refused', async () => {
    const failure = await pageFailure(json(200, () => said));
    expect(failure).toMatchObject({ reason: 'refused', status: 200, requestId: 'req_42' });
  });

  it('a lender mismatch and a missing dataset are for the user, and not asked again', async () => {
    for (const [status, words] of [
      [403, 'another lender'],
      [404, 'dataset D03 (section S1) is not available'],
    ] as const) {
      const api = await connect(await serveApi({ page: json(status, () => said) }));
      const failure = await failureOf(api.fetchPage(D03, PAGE, signal), Failure);
      expect(failure).toMatchObject({ kind: 'config_error', requestId: 'req_42' });
      expect(failure).not.toBeInstanceOf(PageFailure);
      expect(failure.message).toContain(words);
    }
  });

  it('a redirect is not followed', async () => {
    const elsewhere = await serveApi({});
    const server = await serveApi({ page: text(302, '', { location: `${elsewhere.url}/login?token=abc` }) });
    const api = await connect(server);
    const failure = await failureOf(api.fetchPage(D03, PAGE, signal), Failure);
    expect(failure.kind).toBe('config_error');
    expect(failure.message).toContain(elsewhere.url);
    expect(failure.message).not.toContain('token=abc');
    expect(elsewhere.calls).toEqual([]);
  });

  it('a status that nothing documents is ours to look at', async () => {
    const api = await connect(await serveApi({ page: json(400, () => said) }));
    expect(await failureOf(api.fetchPage(D03, PAGE, signal), Failure)).toMatchObject({ kind: 'system_error' });
  });

  it('tokens and passwords that the API repeats are taken out of its words, which are kept short', async () => {
    const message = `bad token access-1\nfor correct horse ${'x'.repeat(1000)}`;
    const failure = await pageFailure(json(500, () => ({ success: false, message })));
    expect(failure.message).not.toMatch(/access-1|correct horse|\n/);
    expect(failure.message).toContain('bad token *** for *** xxx');
    expect(failure.message.length).toBeLessThan(500);
  });
});

describe('fault 6: a page that stands still is interrupted', () => {
  it('when no headers come, at the deadline', async () => {
    const failure = await pageFailure(() => {});
    expect(failure).toMatchObject({ reason: 'interrupted', message: 'no answer came after 1.5 s' });
  });

  it('when headers come, and then silence', async () => {
    const failure = await pageFailure((_, response) => response.writeHead(200).flushHeaders());
    expect(failure.message).toContain('standstill');
  });

  it('when single bytes trickle in', async () => {
    const failure = await pageFailure((_, response) => {
      const trickle = setInterval(() => response.write('{'), 20);
      response.on('close', () => clearInterval(trickle));
    });
    expect(failure.message).toContain('standstill');
  });

  it('when it began fast, and then stood still', async () => {
    const failure = await pageFailure((_, response) => response.write('x'.repeat(500_000)));
    expect(failure.message).toContain('standstill');
  });

  it('and its connection is closed', async () => {
    let closed: Promise<unknown> | undefined;
    await pageFailure((_, response) => {
      closed = new Promise((resolve) => response.on('close', resolve));
      response.writeHead(200).flushHeaders();
    });
    await closed;
  });

  it('but not when it is slow and long', async () => {
    const body = JSON.stringify(onePage([{ public_id: 'x'.repeat(4000) }]));
    const page: Handler = (_, response) => {
      let sent = 0;
      const drip = setInterval(() => {
        response.write(body.slice(sent, sent + 200));
        sent += 200;
        if (sent >= body.length) response.end(() => clearInterval(drip));
      }, 30);
    };
    const api = await connect(await serveApi({ page }), { limits: { ...QUICK, exchangeMs: 10_000 } });
    expect((await api.fetchPage(D03, PAGE, signal)).bytes.length).toBe(body.length);
  });

  it('and one that is steady, but would take too long, ends at the deadline', async () => {
    const failure = await pageFailure((_, response) => {
      const steady = setInterval(() => response.write('x'.repeat(1000)), 20);
      response.on('close', () => clearInterval(steady));
    });
    expect(failure.message).toMatch(/still incomplete \(\d+ bytes\) after 1\.5 s/);
  });
});

describe('fault 20: a body above the limit is too large', () => {
  const limits = { ...HTTP_LIMITS, bodyBytes: 100_000 };
  const tooLarge: Record<string, Handler> = {
    'by its Content-Length, before any of it is read': (_, response) => {
      response.writeHead(200, { 'content-length': 100_001 }).flushHeaders();
    },
    'by what has come': (_, response) => {
      for (let sent = 0; sent < 20; sent++) response.write('x'.repeat(10_000));
    },
    'once it is decoded': (_, response) => {
      response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(100_001, ' ')));
    },
  };
  for (const [name, page] of Object.entries(tooLarge)) {
    it(name, async () => {
      const api = await connect(await serveApi({ page }), { limits });
      const failure = await failureOf(api.fetchPage(D03, PAGE, signal), PageFailure);
      expect(failure).toMatchObject({ reason: 'too_large', kind: 'transient_error' });
    });
    it(`${name}, and outgrown where the caller had less room`, async () => {
      const api = await connect(await serveApi({ page }));
      const failure = await failureOf(api.fetchPage(D03, PAGE, signal, 100_000), PageFailure);
      expect(failure).toMatchObject({ reason: 'outgrown', kind: 'transient_error' });
    });
  }
});
