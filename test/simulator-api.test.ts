import { afterEach, describe, expect, it } from 'vitest';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/simulator.ts';
import { ask, logIn, post, truthOf } from './simulator-client.ts';

const started: Simulator[] = [];
async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ rows: { D02: 3 }, ...options });
  started.push(simulator);
  return simulator;
}
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.stop();
});

const exportsOf = ({ lenderPublicId }: Simulator) => `/admin/v3/lenders/${lenderPublicId}/exports`;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const errorBody = { success: false, message: expect.any(String), requestId: expect.stringMatching(/^req_/) };

describe('login', () => {
  it('answers flat, with the lender and two tokens, also under the v1 address', async () => {
    const simulator = await start();
    const { url, lender, email, password, lenderPublicId } = simulator;
    for (const prefix of ['/admin/auth', '/api/v1/auth']) {
      const { status, json } = await post(`${url}${prefix}/${lender}/login`, { email, password });
      expect(status).toBe(200);
      expect(json).toEqual({ lenderPublicId, token: expect.any(String), refreshToken: expect.any(String) });
      const claims = JSON.parse(Buffer.from(json.token.split('.')[1], 'base64url').toString());
      expect(claims.lenderId).toBe(lenderPublicId);
    }
  });

  it('refuses wrong credentials with a 500, or with whatever is assumed', async () => {
    for (const status of [500, 401]) {
      const { url, lender, email, password } = await start({ unknowns: { wrongCredentials: status } });
      for (const [name, body] of [
        [lender, { email, password: 'wrong' }],
        [lender, { email: 'someone@else.example', password }],
        ['someone', { email, password }],
        [lender, null],
      ] as const) {
        const answer = await post(`${url}/admin/auth/${name}/login`, body);
        expect(answer.status).toBe(status);
        expect(answer.json).toEqual(errorBody);
      }
    }
  });
});

describe('a token', () => {
  it('expires, and is renewed by the refresh token alone', async () => {
    const simulator = await start({ unknowns: { tokenSeconds: 1 } });
    const { url, lender, email, password } = simulator;
    const { refreshToken, token } = (await post(`${url}/admin/auth/${lender}/login`, { email, password })).json;
    const catalog = (access: string) => ask(`${url}${exportsOf(simulator)}`, { headers: bearer(access) });
    expect((await catalog(token)).status).toBe(200);
    simulator.advance(1001);
    expect((await catalog(token)).status).toBe(401);
    const renewed = await post(`${url}/admin/auth/${lender}/refresh-token`, { refreshToken });
    expect(renewed.json).toEqual({ token: expect.any(String) });
    expect((await catalog(renewed.json.token)).status).toBe(200);
    expect((await post(`${url}/admin/auth/${lender}/refresh-token`, {})).status).toBe(400);
    expect((await post(`${url}/admin/auth/${lender}/refresh-token`, { refreshToken: 'other' })).status).toBe(401);
  });

  it('comes with a new refresh token where rotation is assumed, and the old one ends', async () => {
    const { url, lender, email, password } = await start({ unknowns: { refreshRotates: true } });
    const { refreshToken } = (await post(`${url}/admin/auth/${lender}/login`, { email, password })).json;
    const refresh = () => post(`${url}/admin/auth/${lender}/refresh-token`, { refreshToken });
    expect((await refresh()).json).toEqual({ token: expect.any(String), refreshToken: expect.any(String) });
    expect((await refresh()).status).toBe(401);
  });
});

describe('an error', () => {
  it('has the documented status and the small body, in each row of the table', async () => {
    const simulator = await start();
    const { token, get } = await logIn(simulator);
    const exportsPath = exportsOf(simulator);
    const headers = bearer(token);
    const table: [string, Record<string, string>, number][] = [
      [`${exportsPath}/S1/D02`, {}, 401],
      [`${exportsPath}/S1/D02`, { authorization: `Basic ${token}` }, 401],
      [`${exportsPath}/S1/D02`, bearer('junk'), 401],
      ['/admin/v3/lenders/00000000-0000-4000-a000-000000000000/exports/S1/D02', headers, 403],
      [`${exportsPath}/S9/D02`, headers, 404],
      [`${exportsPath}/S1/D99`, headers, 404],
      [`${exportsPath}/S2/D02`, headers, 404],
      [`${exportsPath}/S1/D02?cursor=junk`, headers, 500],
      [`${exportsPath}/S1/D02?since=yesterday`, headers, 500],
      ['/admin/v3/nothing', headers, 404],
    ];
    for (const code of ['S1/D04', 'S1/D06', 'S2/D10', 'S2/D11', 'S2/D13', 'S4/D24'])
      table.push([`${exportsPath}/${code}`, headers, 404]);
    for (const [path, sent, status] of table) {
      const answer = await get(path, sent);
      expect([path, answer.status]).toEqual([path, status]);
      expect(answer.json).toEqual(errorBody);
    }
    expect((await get(`${exportsPath}/S1/D02`, {})).json.message).toBe('Access denied. No token provided.');
  });

  it('is not made of a bound that is no instant where it is assumed to be ignored or to match nothing', async () => {
    for (const [badInstant, rows] of [
      ['ignored', 3],
      ['empty', 0],
    ] as const) {
      const { page } = await logIn(await start({ unknowns: { badInstant } }));
      expect((await page('S1/D02', { since: 'yesterday' })).json.body.rows).toHaveLength(rows);
    }
  });
});

describe('the catalog', () => {
  it('lists 25 datasets in five sections, 19 of them available', async () => {
    const simulator = await start();
    const { json } = await (await logIn(simulator)).get(exportsOf(simulator));
    const { sections } = json.body;
    expect(sections.map(({ sectionCode }: { sectionCode: string }) => sectionCode)).toEqual([
      'S1',
      'S2',
      'S3',
      'S4',
      'S5',
    ]);
    const datasets = sections.flatMap((section: { datasets: object[] }) => section.datasets);
    expect(datasets).toHaveLength(25);
    expect(datasets.filter(({ available }: { available: boolean }) => available)).toHaveLength(19);
    expect(datasets).toContainEqual({
      datasetCode: 'D21',
      name: 'Communication Logs',
      cursorField: 'communicated_at',
      available: true,
    });
    expect(datasets).toContainEqual({ datasetCode: 'D24', name: null, cursorField: null, available: false });
  });

  it('comes in other shapes, keys, pages and places', async () => {
    const D07 = { available: true, name: 'Borrower Payments' };
    const at = async (unknowns: SimulatorOptions['unknowns'], path = '') => {
      const simulator = await start({ unknowns: { ...unknowns } });
      return (
        await (await logIn(simulator)).get((path || exportsOf(simulator)).replace('{lender}', simulator.lenderPublicId))
      ).json;
    };
    expect((await at({ catalogShape: 'datasets' })).body.datasets).toContainEqual({
      ...D07,
      sectionCode: 'S2',
      datasetCode: 'D07',
      cursorField: 'updated_at',
    });
    expect((await at({ catalogShape: 'rows', catalogKeys: 'short' })).body.rows).toContainEqual({
      ...D07,
      section: 'S2',
      code: 'D07',
      cursor_field: 'updated_at',
    });
    expect((await at({ catalogShape: 'keyed' })).body.S2.D07).toEqual({ ...D07, cursorField: 'updated_at' });
    expect(await at({ catalogShape: 'bare' })).toHaveLength(25);
    expect((await at({ catalogPath: '/exports/catalog' }, '/admin/v3/lenders/{lender}/exports/catalog')).code).toBe(
      200,
    );
    const paged = await at({ catalogShape: 'datasets', catalogPage: 10 });
    expect(paged.body.datasets).toHaveLength(10);
    expect(paged.body.pagination.nextCursor).toBe('10');
  });

  it('may name another cursor field, and open a reserved dataset or close one while it runs', async () => {
    const simulator = await start({
      rows: 4,
      catalog: { D03: { cursorField: 'created_at' }, D24: { available: true, cursorField: 'updated_at' } },
    });
    const { page, get } = await logIn(simulator);
    const text = (await get(exportsOf(simulator))).text;
    expect(text).toContain('"datasetCode":"D03","name":"Borrower Sub Accounts","cursorField":"created_at"');
    expect((await page('S4/D24')).json.body.rows).toEqual(truthOf(simulator, 'D24'));
    expect((await page('S2/D10')).status).toBe(404);
    simulator.list('D10', { available: true, name: 'Refunds', cursorField: 'updated_at' });
    expect((await page('S2/D10')).json.body.rows).toHaveLength(4);
    simulator.list('D10', { available: false });
    expect((await page('S2/D10')).status).toBe(404);
  });
});

describe('the simulator', () => {
  it('tells its own time in the Date header', async () => {
    const simulator = await start({ clockOffsetMs: -7_200_000 });
    const { headers } = await (await logIn(simulator)).page('S1/D02');
    const behind = Date.now() - Date.parse(headers.get('date')!);
    expect(behind).toBeGreaterThan(7_190_000);
    expect(behind).toBeLessThan(7_300_000);
    expect(Math.abs(Date.parse(simulator.now()) - Date.parse(headers.get('date')!))).toBeLessThan(60_000);
  });

  it('counts what it was asked and keeps the last page requests', async () => {
    const simulator = await start();
    const { page } = await logIn(simulator);
    await page('S1/D02', { limit: 2 });
    await page('S1/D04');
    const { total, byRoute, byStatus, byDataset, pages } = simulator.requests();
    expect({ total, byRoute, byStatus }).toEqual({
      total: 3,
      byRoute: { login: 1, page: 2 },
      byStatus: { 200: 2, 404: 1 },
    });
    expect(byDataset).toEqual({ D02: 1, D04: 1 });
    expect(pages[0]).toMatchObject({ code: 'D02', limit: '2', since: null, status: 200, rows: 2, fault: null });
  });

  it('lets a test change records before a page is made, and waits for it', async () => {
    const simulator = await start();
    const { page } = await logIn(simulator);
    const end = simulator.onPageRequest(async ({ code }) => {
      await Promise.resolve();
      if (code === 'D02') simulator.insert('D02', 1);
    });
    expect((await page('S1/D02')).json.body.rows).toHaveLength(4);
    end();
    expect((await page('S1/D02')).json.body.rows).toHaveLength(4);
  });

  it('stops with requests in flight, and twice', async () => {
    const simulator = await start({ latencyMs: 60_000 });
    const pending = post(`${simulator.url}/admin/auth/acme/login`, {}).catch((error: Error) => error);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await simulator.stop();
    await simulator.stop();
    expect(await pending).toBeInstanceOf(Error);
  });
});
