import { afterEach, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { ASSUMED, type Unknowns } from '../simulator/unknowns.ts';
import { account } from './accounts-example.ts';
import { ask, logIn, post, truthOf } from './simulator-client.ts';
import { otherAnswers } from './simulator-unknowns.ts';

/** What the documentation leaves open, in the simulator itself. What the catalog's shapes, the cursors and the totals do is tested with those. */

const started: Simulator[] = [];
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.stop();
});

async function assuming(unknowns: Partial<Unknowns>, rows = 12) {
  const simulator = await startSimulator({
    rows: { D01: rows, D02: rows, D03: rows, D26: rows },
    unknowns,
    accounts: { delayMs: 0 },
  });
  started.push(simulator);
  return { simulator, client: await logIn(simulator) };
}

const namesOf = (simulator: Simulator, code: string) => Object.keys(truthOf(simulator, code)[0] as object);

test('every one has another answer than the assumed', () => {
  expect(new Set(otherAnswers().map(({ name }) => name))).toEqual(new Set(Object.keys(ASSUMED)));
  for (const { name, unknowns } of otherAnswers()) expect(unknowns[name]).not.toEqual(ASSUMED[name]);
});

describe('a dataset under a section that is not its own', () => {
  test.each([
    ['missing', 404],
    ['served', 200],
  ] as const)('is %s: %i', async (otherSection, status) => {
    const { client } = await assuming({ otherSection });
    expect((await client.page('S2/D03')).status).toBe(status);
    expect((await client.page('S9/D03')).status).toBe(404);
  });
});

test('the catalog may tell a version, and more of each dataset', async () => {
  const { simulator, client } = await assuming({ catalogMore: true });
  const { body } = (await client.get(`/admin/v3/lenders/${simulator.lenderPublicId}/exports`)).json;
  expect(body.version).toBe('1.2');
  expect(body.sections[0].datasets[2]).toMatchObject({ datasetCode: 'D03', pageSize: 1000, pagination: 'via' });
});

test('body.pagination may have more keys', async () => {
  const { client } = await assuming({ paginationMore: true, viaPages: 'full' });
  const { nextCursor, ...more } = (await client.page('S1/D03', { limit: 5 })).json.body.pagination;
  expect(more).toEqual({ limit: 5, count: 5, hasMore: true });
  const last = (await client.page('S1/D03', { limit: 20 })).json.body.pagination;
  expect(last).toEqual({ nextCursor: null, limit: 20, count: 12, hasMore: false });
});

test('a message may be another, or null', async () => {
  for (const [message, told] of [
    ['ok', 'ok'],
    ['null', null],
  ] as const) {
    const { client } = await assuming({ message });
    expect((await client.page('S1/D03')).json.message).toBe(told);
  }
});

test('totalExact beside a total that is null may be null or absent', async () => {
  for (const [totalExact, told] of [
    ['false', { totalExact: false }],
    ['null', { totalExact: null }],
    ['absent', {}],
  ] as const) {
    for (const [more, totalNote] of [
      [{}, 'window_required'],
      [{ totalTimesOut: true, viaPages: 'full' }, 'timeout'],
    ] as const) {
      const { client } = await assuming({ totalExact, ...more });
      const since = totalNote === 'timeout' ? '2000-01-01' : undefined;
      const { nextCursor, ...total } = (await client.page('S1/D03', { includeTotal: 'true', since })).json.body
        .pagination;
      expect(total).toEqual({ total: null, ...told, totalNote });
    }
  }
});

test('D01 and D26 may have their documented fields alone', async () => {
  const { simulator } = await assuming({ partialRows: 'documented' });
  expect(namesOf(simulator, 'D01')).toEqual([
    ...['public_id', 'first_name', 'last_name', 'country', 'preferred_language', 'created_at', 'updated_at'],
  ]);
  expect(namesOf(simulator, 'D26')).toEqual([
    ...['public_id', 'customer_reference_id', 'first_name', 'last_name', 'created_at', 'updated_at'],
  ]);
  const { simulator: other } = await assuming({});
  expect(namesOf(other, 'D01')).toContain('national_id');
});

test('a removed record may stay, flagged, as a change', async () => {
  const { simulator } = await assuming({ deletes: 'flagged' });
  const before = simulator.now();
  const removed = simulator.remove('D03', 3);
  const flagged = truthOf(simulator, 'D03').filter((record) => record.is_deleted === true);
  expect(flagged.map(({ public_id }) => public_id).sort()).toEqual([...removed].sort());
  for (const { updated_at } of flagged)
    expect(Date.parse(String(updated_at))).toBeGreaterThanOrEqual(Date.parse(before));
});

describe('a failed login and a failed refresh', () => {
  test.each([
    ['exports', { success: false, message: expect.any(String), requestId: expect.any(String) }],
    ['v1', { error: expect.any(String) }],
    ['envelope', { code: 500, message: expect.any(String), body: null, errors: [{ message: expect.any(String) }] }],
    ['empty', undefined],
  ] as const)('may answer with the body of %s', async (authFailure, body) => {
    const { simulator } = await assuming({ authFailure });
    const { url, lender } = simulator;
    const login = await post(`${url}/admin/auth/${lender}/login`, { email: 'x', password: 'y' });
    expect([login.status, login.json]).toEqual([500, body]);
    for (const [sent, status] of [
      [{}, 400],
      [{ refreshToken: 'other' }, 401],
    ] as const) {
      const refresh = await post(`${url}/admin/auth/${lender}/refresh-token`, sent);
      expect([refresh.status, refresh.json]).toEqual([
        status,
        body && 'code' in body ? { ...body, code: status } : body,
      ]);
    }
  });
});

test('an error may come with other words, or without', async () => {
  for (const [errorTexts, message] of [
    ['none', null],
    ['other', 'Error 404'],
  ] as const) {
    const { simulator, client } = await assuming({ errorTexts });
    expect((await client.page('S9/D03')).json).toEqual({ success: false, message, requestId: expect.any(String) });
    const path = `/admin/v3/lenders/${simulator.lenderPublicId}/exports/S1/D03`;
    expect((await client.get(path, {})).json.message).toBe('Access denied. No token provided.');
  }
});

test('ids may be masked in another way, and D02 have its confirmed status alone', async () => {
  for (const [masks, form] of [
    ['stars', /^\*{5}\d{4}$/],
    ['letters', /^X{5}\d{4}$/],
  ] as const) {
    const { simulator } = await assuming({ masks });
    for (const { national_id, passport_number } of truthOf(simulator, 'D01'))
      expect([national_id, passport_number]).toEqual([expect.stringMatching(form), expect.stringMatching(form)]);
  }
  expect(truthOf((await assuming({ masks: 'null' })).simulator, 'D01')[0]).toMatchObject({ national_id: null });
  const { simulator } = await assuming({ accountStatuses: 'confirmed' }, 300);
  const labels = truthOf(simulator, 'D02').map(({ status }) => status);
  expect(new Set(labels.filter((label) => typeof label === 'string'))).toEqual(new Set(['IN_COLLECTION']));
});

test('a refresh token holds as long as is assumed', async () => {
  const { simulator } = await assuming({ refreshSeconds: 60 });
  const { url, lender, email, password } = simulator;
  const { refreshToken } = (await post(`${url}/admin/auth/${lender}/login`, { email, password })).json;
  const refresh = async () => (await post(`${url}/admin/auth/${lender}/refresh-token`, { refreshToken })).status;
  simulator.advance(59_000);
  expect(await refresh()).toBe(200);
  simulator.advance(1_001);
  expect(await refresh()).toBe(401);
});

test('an access token holds as long as is assumed', async () => {
  const { simulator, client } = await assuming({ tokenSeconds: 60 });
  simulator.advance(59_000);
  expect((await client.page('S1/D03')).status).toBe(200);
  simulator.advance(1_001);
  expect((await client.page('S1/D03')).status).toBe(401);
});

describe('of accounts', () => {
  async function send({ simulator, client }: Awaited<ReturnType<typeof assuming>>, accounts: readonly object[]) {
    const answer = await ask(`${simulator.url}/admin/v3/lenders/${simulator.lenderPublicId}/accounts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${client.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ accounts }),
    });
    await simulator.accountsSettled();
    return answer;
  }
  const bare = { status: 1, accountId: 'A', subAccountId: 'B' };

  test('other fields may be required', async () => {
    for (const [accountsRequired, fields, status] of [
      ['ids', bare, 200],
      ['ids', { status: 1, accountId: 'A' }, 400],
      ['status', { status: 1 }, 200],
      ['status', {}, 400],
      ['example', bare, 400],
      ['example', account(1), 200],
    ] as const) {
      const world = await assuming({ accountsRequired });
      expect([accountsRequired, fields, (await send(world, [fields])).status]).toEqual([
        accountsRequired,
        fields,
        status,
      ]);
    }
  });

  test('so many may be too many for one batch', async () => {
    const world = await assuming({ accountsAtMost: 2 });
    expect((await send(world, [account(1), account(2)])).status).toBe(200);
    expect((await send(world, [account(1), account(2), account(3)])).status).toBe(400);
  });

  test('an update may replace what is known, and a creation of what is there be ignored', async () => {
    const update = { ...bare, status: 2, paidAmount: '5' };
    for (const [unknowns, sent, holds] of [
      [{}, update, { firstName: 'Omar', paidAmount: '5' }],
      [{ accountsUpdate: 'replaces' }, update, { firstName: undefined, paidAmount: '5' }],
      [{}, { ...update, status: 1 }, { firstName: 'Omar', paidAmount: '5' }],
      [{ accountsAgain: 'ignored' }, { ...update, status: 1 }, { firstName: 'Omar', paidAmount: undefined }],
    ] as const) {
      const world = await assuming(unknowns);
      await send(world, [{ ...bare, firstName: 'Omar' }]);
      await send(world, [sent]);
      const { firstName, paidAmount } = Object(world.simulator.accounts()[0]?.fields) as Record<string, unknown>;
      expect({ firstName, paidAmount }).toEqual(holds);
    }
  });
});
