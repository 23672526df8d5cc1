import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type FaultName, type Simulator, type SimulatorOptions, startSimulator } from '../simulator/simulator.ts';
import { logIn, post, truthOf } from './simulator-client.ts';

const started: Simulator[] = [];
async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ rows: { D02: 100, D03: 300 }, ...options });
  started.push(simulator);
  return simulator;
}
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.stop();
});

const address = ({ url, lenderPublicId }: Simulator, query = '') =>
  `${url}/admin/v3/lenders/${lenderPublicId}/exports/S1/D02?${query}`;

/** The next page request under a fault, as a bare response. */
async function underFault(
  fault: FaultName,
  init: RequestInit = {},
): Promise<{ simulator: Simulator; response: Promise<Response> }> {
  const simulator = await start({ faults: [] });
  const { token } = await logIn(simulator);
  simulator.failNext(1, fault);
  const headers = { authorization: `Bearer ${token}` };
  return { simulator, response: fetch(address(simulator), { headers, ...init }) };
}

describe('the connection', () => {
  it('is reset before the headers', async () => {
    await expect((await underFault('reset-before-headers')).response).rejects.toThrow();
  });

  it.each(['reset-mid-body', 'short-body'] as const)('ends in the middle of a body: %s', async (fault) => {
    const response = await (await underFault(fault)).response;
    expect(response.status).toBe(200);
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(10_000);
    await expect(response.text()).rejects.toThrow();
  });

  it('is silent after the headers', async () => {
    const response = await (await underFault('silence', { signal: AbortSignal.timeout(300) })).response;
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow(/timeout/);
  });

  it('drips one byte at a time', async () => {
    const simulator = await start({ faults: [{ name: 'slow-drip', rate: 1, dripMs: 5 }] });
    const { token } = await logIn(simulator);
    const answers = await Promise.all(
      [1, 2].map((limit) =>
        fetch(address(simulator, `limit=${limit}`), { headers: { authorization: `Bearer ${token}` } }),
      ),
    );
    const sizes: number[] = [];
    for (const { body } of answers) {
      const reader = body!.getReader();
      sizes.push((await reader.read()).value!.length);
      await reader.cancel();
    }
    expect(Math.min(...sizes)).toBeLessThan(20);
  });

  it('serves the next request as if nothing had been', async () => {
    for (const fault of ['reset-before-headers', 'reset-mid-body', 'short-body'] as const) {
      const { simulator, response } = await underFault(fault);
      await response.then((answer) => answer.text()).catch(() => {});
      expect((await (await logIn(simulator)).page('S1/D02')).json.body.rows).toHaveLength(100);
      expect(simulator.requests().byFault).toEqual({ [fault]: 1 });
    }
  });
});

describe('a body under 200', () => {
  it('may be JSON that breaks off, HTML, or nothing', async () => {
    const texts: Record<string, string> = {};
    for (const fault of ['truncated-json', 'html-200', 'empty-200'] as const) {
      const response = await (await underFault(fault)).response;
      expect(response.status).toBe(200);
      texts[fault] = await response.text();
    }
    expect(texts['truncated-json']).toMatch(/^\{"code":200/);
    expect(() => JSON.parse(texts['truncated-json']!)).toThrow();
    expect(texts['html-200']).toMatch(/^<html>/);
    expect(texts['empty-200']).toBe('');
  });

  it('may be larger than 64 MB, and is still the page', async () => {
    const { simulator, response } = await underFault('huge-body');
    const text = await (await response).text();
    expect(text.length).toBeGreaterThan(64 * 1024 * 1024);
    expect(JSON.parse(text).body.rows).toEqual(truthOf(simulator, 'D02'));
  });

  it('is compressed only where the client accepts it', async () => {
    const simulator = await start({ faults: ['gzip'] });
    const { get } = await logIn(simulator);
    const path = address(simulator).slice(simulator.url.length);
    const authorization = `Bearer ${(await logIn(simulator)).token}`;
    const zipped = await get(path, { authorization, 'accept-encoding': 'gzip' });
    const plain = await get(path, { authorization, 'accept-encoding': 'identity' });
    expect(zipped.headers.get('content-encoding')).toBe('gzip');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(zipped.json.body.rows).toEqual(plain.json.body.rows);
  });
});

describe('a status', () => {
  it.each([
    ['429-seconds', 429, 'json'],
    ['429-date', 429, 'json'],
    ['429-bare', 429, 'json'],
    ['500', 500, 'json'],
    ['502', 502, 'html'],
    ['503', 503, 'json'],
    ['504', 504, 'json'],
    ['504-html', 504, 'html'],
  ] as const)('of the fault %s is %i in %s', async (fault, status, form) => {
    const response = await (await underFault(fault)).response;
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain(form);
    const wait = response.headers.get('retry-after');
    if (fault === '429-seconds') expect(wait).toBe('1');
    else if (fault === '429-date')
      expect(Date.parse(wait!) - Date.parse(response.headers.get('date')!)).toBeGreaterThan(0);
    else expect(wait).toBeNull();
    if (form === 'json') expect(await response.json()).toMatchObject({ success: false, requestId: expect.any(String) });
  });

  it('is 504 for a wide window until it is narrowed', async () => {
    const { page } = await logIn(await start({ faults: [{ name: '504-wide', rows: 50 }] }));
    const truth = truthOf(started[0]!, 'D02');
    const until = String(truth[50]!.updated_at);
    for (const query of [{}, { limit: 20 }]) expect((await page('S1/D02', query)).status).toBe(504);
    expect((await page('S1/D02', { limit: 1 })).status).toBe(200);
    expect((await page('S1/D02', { until })).json.body.rows).toHaveLength(50);
  });
});

describe('a token', () => {
  it('that expires is renewed by a refresh; after a storm only by a login', async () => {
    for (const [fault, refreshed] of [
      ['expired-token', 200],
      ['401-storm', 401],
    ] as const) {
      const { simulator, response } = await underFault(fault);
      expect((await response).status).toBe(401);
      const { url, lender, email, password } = simulator;
      const old = (await post(`${url}/admin/auth/${lender}/login`, { email, password })).json;
      expect((await post(`${url}/admin/auth/${lender}/refresh-token`, old)).status).toBe(200);
      simulator.failNext(1, fault);
      await fetch(address(simulator), { headers: { authorization: `Bearer ${old.token}` } });
      expect((await post(`${url}/admin/auth/${lender}/refresh-token`, old)).status).toBe(refreshed);
      expect((await (await logIn(simulator)).page('S1/D02')).status).toBe(200);
    }
  });

  it('may be one that cannot be refreshed, or that is refused for good', async () => {
    const simulator = await start({ faults: ['refresh-fails'] });
    const { url, lender, email, password } = simulator;
    const { refreshToken } = (await post(`${url}/admin/auth/${lender}/login`, { email, password })).json;
    expect((await post(`${url}/admin/auth/${lender}/refresh-token`, { refreshToken })).status).toBe(401);
    for (const [fault, status] of [
      ['401-for-good', 401],
      ['no-database', 500],
    ] as const) {
      simulator.setFaults([fault]);
      for (let tries = 0; tries < 2; tries++)
        expect((await (await logIn(simulator)).page('S1/D02')).status).toBe(status);
    }
    simulator.setFaults([]);
    expect((await (await logIn(simulator)).page('S1/D02')).status).toBe(200);
  });
});

describe('paging', () => {
  it('may give a page twice, and goes on after it', async () => {
    const simulator = await start({ faults: [] });
    const { walk } = await logIn(simulator);
    simulator.failNext(1, 'repeated-page', { match: ({ parameters }) => parameters.cursor !== null });
    const { records, pages } = await walk('S1/D02', { limit: 30 });
    const truth = truthOf(simulator, 'D02');
    expect(pages).toEqual([30, 30, 30, 30, 10]);
    expect(records).toEqual([...truth.slice(0, 30), ...truth]);
  });

  it('may answer with the cursor that was sent', async () => {
    const simulator = await start();
    const { page } = await logIn(simulator);
    const cursor = (await page('S1/D02', { limit: 30 })).json.body.pagination.nextCursor;
    simulator.failNext(1, 'looping-cursor');
    expect((await page('S1/D02', { limit: 30, cursor })).json.body.pagination.nextCursor).toBe(cursor);
    expect((await page('S1/D02', { limit: 30, cursor })).json.body.pagination.nextCursor).not.toBe(cursor);
  });

  it('may reject one cursor for a while, but no other', async () => {
    const simulator = await start();
    const { page } = await logIn(simulator);
    const first = (await page('S1/D02', { limit: 30 })).json.body.pagination.nextCursor;
    const other = (await page('S1/D02', { limit: 31 })).json.body.pagination.nextCursor;
    simulator.failNext(1, 'rejected-cursor');
    const statuses: number[] = [];
    for (let tries = 0; tries < 6; tries++) statuses.push((await page('S1/D02', { limit: 30, cursor: first })).status);
    expect(statuses).toEqual([500, 500, 500, 500, 500, 200]);
    expect((await page('S1/D02', { limit: 31, cursor: other })).status).toBe(200);
  });

  it('may give short and empty pages with a live cursor everywhere, and loses nothing by it', async () => {
    const simulator = await start({ rows: { D02: 5000 }, faults: ['short-pages', 'empty-pages'] });
    const { records, pages } = await (await logIn(simulator)).walk('S1/D02', { limit: 100 });
    expect(records).toEqual(truthOf(simulator, 'D02'));
    expect(pages.slice(0, -1)).toContain(0);
    expect(pages.slice(0, -1).some((rows) => rows > 0 && rows < 100)).toBe(true);
  });
});

describe('while being read', () => {
  it('records change and move to the end, so that a walk sees some of them twice', async () => {
    const simulator = await start({ faults: ['changing-rows'] });
    const { records } = await (await logIn(simulator)).walk('S1/D02', { limit: 5 });
    const keys = records.map(({ public_id }) => public_id);
    expect(new Set(keys).size).toBe(100);
    expect(keys.length).toBeGreaterThan(100);
  });

  it('records arrive behind the clock', async () => {
    const simulator = await start({ faults: ['late-inserts'], history: { end: '2020-01-01T00:00:00Z' } });
    const { page } = await logIn(simulator);
    const arrived = simulator.now();
    for (let at = 1; at <= 10; at++) await page('S1/D02', { limit: at });
    const late = truthOf(simulator, 'D02').slice(100);
    expect(late).toHaveLength(4);
    for (const { updated_at } of late) expect(String(updated_at) < arrived).toBe(true);
  });

  it('churn does what it is told, until it is ended', async () => {
    const simulator = await start();
    const { page } = await logIn(simulator);
    const end = simulator.startChurn({ codes: ['D02'], everyPages: 2, inserts: 3, removals: 1, changes: 2 });
    for (let at = 0; at < 4; at++) await page('S1/D02');
    await page('S1/D03');
    end();
    await page('S1/D02');
    await page('S1/D02');
    expect(truthOf(simulator, 'D02')).toHaveLength(104);
    expect(truthOf(simulator, 'D03')).toHaveLength(300);
  });

  it('an answer may leave long after it was made', async () => {
    const simulator = await start({ latencyMs: [100, 120] });
    const { page } = await logIn(simulator);
    const slow = page('S1/D02');
    await sleep(50);
    simulator.insert('D02', 1);
    expect((await slow).json.body.rows).toHaveLength(100);
  });
});
