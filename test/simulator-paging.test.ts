import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { logIn, type PlainClient, truthOf } from './simulator-client.ts';

let simulator: Simulator;
let client: PlainClient;

beforeAll(async () => {
  simulator = await startSimulator({ rows: { D02: 700, D03: 900, D05: 40, D21: 60 }, history: { sharedInstant: 80 } });
  client = await logIn(simulator);
  // Several segments, with holes in them, and events whose changes do not move them.
  simulator.change('D03', 120, undefined, { spreadMs: 60_000 });
  simulator.remove('D03', 40);
  simulator.insertLate('D03', 10, { behindMs: 30_000 });
  simulator.change('D21', 30);
});
afterAll(() => simulator.stop());

const D02 = 'S1/D02';
const D03 = 'S1/D03';
const text = (records: readonly unknown[]) => records.map((record) => JSON.stringify(record));
const updatedAt = (record: Record<string, unknown>) => String(record.updated_at);

describe('a walk', () => {
  it('gives the truth, each record once and in order, whatever the limit', async () => {
    for (const limit of [1, 2, 7, 100, 999, 1000]) {
      const dataset = limit < 7 ? 'S1/D05' : D03;
      const { records } = await client.walk(dataset, { limit });
      expect(text(records)).toEqual(text(truthOf(simulator, dataset.slice(3))));
    }
  });

  it('gives the same backwards when sorted so', async () => {
    for (const limit of [9, 250]) {
      const { records } = await client.walk(D03, { limit, sort: 'desc' });
      expect(text(records)).toEqual(text(truthOf(simulator, 'D03').reverse()));
    }
  });

  it('tiles: windows that touch give every record once, also where the edge is an instant that many share', async () => {
    const truth = truthOf(simulator, 'D03');
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(truth.length - 1), { maxLength: 4 }),
        fc.integer({ min: 50, max: 1000 }),
        fc.constantFrom('asc', 'desc'),
        async (cuts, limit, sort) => {
          const edges = [...new Set(cuts.map((cut) => updatedAt(truth[cut]!)))].sort();
          const records: Record<string, unknown>[] = [];
          for (let at = 0; at <= edges.length; at++) {
            const walk = await client.walk(D03, { since: edges[at - 1], until: edges[at], limit, sort });
            records.push(...(sort === 'desc' ? walk.records.reverse() : walk.records));
          }
          expect(text(records)).toEqual(text(truth));
        },
      ),
      { numRuns: 15 },
    );
  });

  it('includes `since` and excludes `until`, compared as instants', async () => {
    const at = updatedAt(truthOf(simulator, 'D02')[350]!);
    const zoned = `${new Date(Date.parse(at) + 3 * 3_600_000).toISOString().slice(0, -1)}+03:00`;
    const afterIt = at.replace('Z', '5Z');
    const count = async (since: string) => (await client.walk(D02, { since, limit: 1000 })).records.length;
    expect(await count(at)).toBe(350);
    expect(await count(zoned)).toBe(350);
    expect(await count(afterIt)).toBe(349);
    expect((await client.walk(D02, { until: at, limit: 1000 })).records).toHaveLength(350);
    expect((await client.walk(D02, { since: at, until: at })).records).toHaveLength(0);
  });

  it('does not see what is written at or after `until`, which is now unless given', async () => {
    const ahead = await startSimulator({ rows: { D20: 5 }, clockOffsetMs: 3_600_000 });
    const { page } = await logIn(ahead);
    const seen = ahead.now();
    ahead.advance(5_000);
    ahead.insert('D20', 2);
    expect((await page('S3/D20')).json.body.rows).toHaveLength(7);
    expect((await page('S3/D20', { until: seen })).json.body.rows).toHaveLength(5);
    await ahead.stop();
  });
});

describe('a page', () => {
  it('is full until the last one in a direct dataset, which also ends with a null cursor when it is full', async () => {
    expect((await client.walk(D02, { limit: 200 })).pages).toEqual([200, 200, 200, 100]);
    expect((await client.walk(D02, { limit: 350 })).pages).toEqual([350, 350]);
  });

  it('may be short, or empty with a live cursor, in a via dataset', async () => {
    const { pages } = await client.walk(D03, { limit: 2 });
    expect(pages.slice(0, -1)).toContain(0);
    expect(pages.slice(0, -1)).toContain(1);
  });

  it('is the same each time for the same cursor', async () => {
    const { cursor, query } = await firstPage(D03, 20);
    const twice = await Promise.all([client.page(D03, { ...query, cursor }), client.page(D03, { ...query, cursor })]);
    expect(twice[0].json.body.rows).toEqual(twice[1].json.body.rows);
  });

  it('takes 500 records by default, clamps a limit out of range, and takes an empty cursor for none', async () => {
    const rows = async (query: object) => (await client.page(D02, { ...query })).json.body.rows.length;
    expect(await rows({})).toBe(500);
    expect(await rows({ limit: 5000, cursor: '' })).toBe(700);
    expect(await rows({ limit: 0 })).toBe(1);
    expect(await rows({ limit: -3 })).toBe(1);
    expect(await rows({ limit: 'many' })).toBe(500);
  });

  it('is wrapped in the documented envelope', async () => {
    const { json } = await client.page(D02, { limit: 3 });
    expect(Object.keys(json)).toEqual(['code', 'message', 'body', 'errors']);
    expect(json).toMatchObject({
      code: 200,
      message: 'success',
      errors: [],
      body: { meta: { sort: 'asc', limit: 3 } },
    });
    expect(json.body.pagination.nextCursor).toMatch(/^[\w-]+$/);
    expect(Object.keys(json.body.pagination)).toEqual(['nextCursor']);
  });

  it('tells a total where one is asked for', async () => {
    const total = async (dataset: string, query: object) =>
      (await client.page(dataset, { ...query, includeTotal: 'true', limit: 1 })).json.body.pagination;
    expect(await total(D02, {})).toMatchObject({ total: 700, totalExact: true });
    expect(await total(D03, { since: '2000-01-01' })).toMatchObject({ total: 870, totalExact: true });
    expect(await total(D03, {})).toMatchObject({ total: null, totalNote: 'window_required' });
    const unknowns = { totalCap: 4, totalTimesOut: false };
    for (const [change, expected] of [
      [{}, { total: 4, totalExact: false, totalNote: 'capped' }],
      [{ totalTimesOut: true }, { total: null, totalNote: 'timeout' }],
    ] as const) {
      const other = await startSimulator({ rows: { D02: 5 }, unknowns: { ...unknowns, ...change } });
      const { page } = await logIn(other);
      expect((await page(D02, { includeTotal: 'true' })).json.body.pagination).toMatchObject(expected);
      await other.stop();
    }
  });
});

describe('a cursor', () => {
  it('is a 500 when it is damaged, and when other parameters than its own come with it', async () => {
    const { cursor, query } = await firstPage(D02, 20);
    const bad = [
      { ...query, cursor: 'junk' },
      { ...query, cursor: `${cursor.slice(0, -8)}AAAAAAAA` },
      { ...query, cursor, limit: 21 },
      { ...query, cursor, since: '2020-01-01T00:00:00Z' },
      { ...query, cursor, sort: 'desc' },
    ];
    for (const parameters of bad) expect((await client.page(D02, parameters)).status).toBe(500);
    expect((await client.page(D02, { ...query, cursor })).status).toBe(200);
  });

  it('goes with any parameters where that is assumed instead', async () => {
    const free = await startSimulator({ rows: { D02: 30 }, unknowns: { cursor: 'free' } });
    const { page } = await logIn(free);
    const { nextCursor } = (await page(D02, { limit: 10 })).json.body.pagination;
    expect((await page(D02, { limit: 5, cursor: nextCursor })).json.body.rows).toEqual(
      truthOf(free, 'D02').slice(10, 15),
    );
    await free.stop();
  });

  it('leads from a full last page to an empty one where that is assumed', async () => {
    const live = await startSimulator({ rows: { D02: 30 }, unknowns: { lastCursor: 'live' } });
    expect((await (await logIn(live)).walk(D02, { limit: 10 })).pages).toEqual([10, 10, 10, 0]);
    await live.stop();
  });
});

async function firstPage(dataset: string, limit: number) {
  const query = { limit };
  const { json } = await client.page(dataset, query);
  return { cursor: json.body.pagination.nextCursor as string, query };
}
