import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, connectApi } from '../connector/api/connect.ts';
import { fixturePage } from '../connector/new-stream/fixture.ts';
import { type Proposal, propose } from '../connector/new-stream/proposal.ts';
import { type Sample, takeSample } from '../connector/new-stream/sample.ts';
import { streamFile } from '../connector/new-stream/stream-file.ts';
import type { Source } from '../connector/source.ts';
import { decodeJson } from '../schemas/decode.ts';
import {
  boolean,
  businessDate,
  type ColumnKind,
  decimal,
  double,
  type FieldKind,
  integer,
  json,
  minorUnits,
  text,
  timestamp,
} from '../schemas/kinds.ts';
import { compileMapper } from '../schemas/mapper.ts';
import { STREAMS } from '../schemas/registry.ts';
import { defineStream, type Stream } from '../schemas/stream.ts';
import { DATASETS } from '../simulator/datasets.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { REFERENCE_KINDS } from './fixtures/difficult-values.ts';

/** What the sample of a dataset lets `new-stream` propose, held against what a person has declared for the same one. */

const KINDS: Readonly<Record<ColumnKind, FieldKind>> = {
  ...{ boolean, businessDate, decimal, double, integer, json, minorUnits, text, timestamp },
};

interface Proposed {
  readonly sample: Sample;
  readonly proposal: Proposal;
}

/** Those that the simulator has, too. */
const DECLARED = STREAMS.filter(({ dataset }) =>
  DATASETS.some(({ code, available }) => available && code === dataset.code),
);

const signal = new AbortController().signal;
const servers: Simulator[] = [];
const apis: Api[] = [];
afterAll(async () => {
  for (const api of apis) await api.close();
  for (const server of servers) await server.stop();
});

async function serve(difficult: boolean): Promise<Api> {
  const server = await startSimulator({ rows: 2_500, unknowns: { sharedDealKeys: true }, difficult });
  const { lender, email, password, url: baseUrl } = server;
  const address = { environment: 'production', baseUrl, allowInsecureHttp: false } as const;
  const api = await connectApi({ ...address, lender, email, password, concurrency: 2, signal });
  servers.push(server);
  apis.push(api);
  return api;
}

async function proposed(api: Api, { name, cursor, dataset }: Stream): Promise<Proposed> {
  const { section, code } = dataset;
  const sample = await takeSample(api, { section, code, paging: 'via' }, cursor, signal);
  return { sample, proposal: propose({ name, title: null, section, code, cursorField: cursor }, sample) };
}

/** The proposal as `defineStream` takes it. */
function declared({ name, description, dataset, cursor, columns, key }: Proposal): Stream {
  const fields = columns.flatMap(({ field, kind }) => (kind === null ? [] : [[field, KINDS[kind]]]));
  return defineStream({ name, description, dataset, cursor, columns: Object.fromEntries(fields), primaryKey: [key] });
}

function differences(stream: Stream, { columns, lookBack, suspectKey, key }: Proposal): string[] {
  const words = (kind: string | null, pii: boolean) => `${kind}${pii ? ', personal' : ''}`;
  const ours = new Map(stream.columns.map(({ field, kind, pii }) => [field, words(kind, pii)]));
  const theirs = new Map(columns.map(({ field, kind, pii }) => [field, words(kind, pii)]));
  return [
    ...[...theirs].filter(([field, kind]) => ours.get(field) !== kind).map(([field, kind]) => `${field}: ${kind}`),
    ...[...ours.keys()].filter((field) => !theirs.has(field)).map((field) => `${field}: not seen`),
    ...(lookBack === stream.lookBack ? [] : [`lookBack: ${lookBack}`]),
    ...(JSON.stringify(suspectKey) === JSON.stringify(stream.suspectKey) ? [] : ['suspectKey']),
    ...(stream.primaryKey.join() === key ? [] : [`key: ${key}`]),
  ];
}

/** Where the proposal is another than the declaration, and why that is right. */
const DIFFERENCES: Readonly<Record<string, readonly string[]>> = {
  // The simulator has fields that the documentation names in prose only: nobody has declared them.
  borrowers: [
    'national_id: text, personal',
    'passport_number: text, personal',
    'do_not_contact: boolean',
    'addresses: json, personal',
    'phones: json, personal',
    'emails: json, personal',
    'created_at: timestamp',
  ],
  user_lender_details: ['preferred_channel: text', 'created_at: timestamp'],
  // An address is personal; that it comes masked, values do not tell.
  borrower_account_events: ['ip_address: text, personal'],
};

describe('the proposal for a dataset', () => {
  const all = new Map<Stream, Proposed>();
  beforeAll(async () => {
    const api = await serve(false);
    for (const stream of DECLARED) all.set(stream, await proposed(api, stream));
  }, 120_000);

  test.each(DECLARED)('$name is the declaration, or differs as listed', (stream) => {
    const { proposal, sample } = all.get(stream)!;
    expect(differences(stream, proposal)).toEqual(DIFFERENCES[stream.name] ?? []);
    expect(sample.records.length).toBeGreaterThan(1_000);
    // A short page is a proof; that there was none is none.
    if (stream.dataset.paging === 'direct' || sample.short > 0)
      expect(proposal.dataset.paging).toBe(stream.dataset.paging);
  });

  test('asks whether amounts are minor units, wherever it proposes that', () => {
    const columns = [...all.values()].flatMap(({ proposal }) => proposal.columns);
    const amounts = columns.filter(({ kind }) => kind === 'minorUnits');
    expect(amounts.length).toBeGreaterThan(20);
    for (const { question } of amounts) expect(question).toContain('minor units');
  });

  test.each(DECLARED)('$name gives a page that maps, of which no value is real', (stream) => {
    const { proposal, sample } = all.get(stream)!;
    const page = fixturePage(proposal, sample.records);
    const { rows } = (decodeJson(Buffer.from(page)) as { body: { rows: Record<string, unknown>[] } }).body;
    const mapping = compileMapper(declared(proposal), REFERENCE_KINDS).map(rows, '2026-01-01T00:00:00.000000Z');
    expect(mapping).toMatchObject({ rejects: [], changedFields: 0, unparsedDates: 0 });
    expect(mapping.rows.length).toBe(rows.length);
    for (const { field } of proposal.columns) expect(rows[0]![field]).not.toBeNull();

    for (const { field } of proposal.columns) {
      const real = new Set(sample.records.flatMap((record) => scalars(record[field])));
      expect(rows.flatMap((row) => scalars(row[field])).filter((value) => real.has(value))).toEqual([]);
    }
    const real = new Set(sample.records.flatMap(scalars));
    const told = [streamFile(proposal, sample.records.length), ...proposal.columns.map(({ evidence }) => evidence)];
    const fields = new Set(sample.records.flatMap((record) => Object.keys(record)));
    const words = told.flatMap((said) => said.match(/[^\s"',]{6,}/g) ?? []).filter((word) => !fields.has(word));
    const leaked = words.filter((word) => real.has(word));
    expect(leaked).toEqual([]);
  });
});

/** Texts and numbers that are long enough not to be met by chance; midnights are a convention. */
function scalars(value: unknown): string[] {
  if (typeof value === 'object' && value !== null && !JSON.isRawJSON(value))
    return Object.values(value).flatMap(scalars);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text === undefined || text.length < 6 || text.includes('T00:00:00') || /^\d\d\/\d\d\/\d{4}$/.test(text)
    ? []
    : [text];
}

test('a dataset of difficult values is proposed all the same, and its page fits', async () => {
  const api = await serve(true);
  for (const stream of DECLARED) {
    const { proposal, sample } = await proposed(api, stream);
    const { rows } = JSON.parse(fixturePage(proposal, sample.records)).body;
    const mapping = compileMapper(declared(proposal), REFERENCE_KINDS).map(rows, '2026-01-01T00:00:00.000000Z');
    expect(mapping).toMatchObject({ rejects: [], changedFields: 0, unparsedDates: 0 });
  }
}, 120_000);

test('a sample is taken from places all over a dataset, each an instant as pages are asked for', async () => {
  const asked: (string | null)[] = [];
  const record = { public_id: 'a', updated_at: '2026-01-01T00:00:00.000Z' };
  const body = { rows: [record], pagination: { nextCursor: null }, meta: {} };
  const bytes = Buffer.from(JSON.stringify({ code: 200, body }));
  const source: Source = {
    ...{ lender: 'a lender', hasServerClock: true, now: () => '2026-01-01T00:00:10.000000Z' },
    fetchPage: async (_, { since }) => {
      asked.push(since);
      return { bytes, askedAt: '', release: () => {} };
    },
  };
  const sample = await takeSample(source, { section: 'S3', code: 'D27', paging: 'via' }, 'updated_at', signal);
  expect(asked).toEqual([null, ...[2, 4, 6, 8].map((second) => `2026-01-01T00:00:0${second}.000000Z`)]);
  expect(sample.records).toEqual([record]);
});

describe('what a sample does not tell', () => {
  const asked = { name: 'things', title: null, section: 'S3', code: 'D27', cursorField: 'updated_at' };
  const proposalOf = (...records: Record<string, unknown>[]) =>
    propose(asked, {
      records: records.map((record, at) => ({
        public_id: `a${at}`,
        updated_at: `2026-01-0${at + 1}T00:00:00Z`,
        ...record,
      })),
      ...{ pages: 1, full: 0, short: 0 },
    });
  const column = (...values: unknown[]) => proposalOf(...values.map((value) => ({ value }))).columns.at(-1)!;

  test.each([
    ['no value', [null, ''], null, 'no value was seen'],
    ['months first', ['12/31/2026', '01/02/2026'], 'text', 'month first'],
    ['days that may be months', ['01/02/2026'], 'businessDate', 'does the day come first'],
    ['days without a time', ['2026-01-02'], 'text', 'days without a time'],
    ['objects and texts', [{ a: 1 }, 'b'], 'json', 'is it meant'],
    ['texts among instants', [...Array(8).fill('2026-01-02T00:00:00Z'), 'later'], 'timestamp', 'would be null'],
  ])('%s', (_, values, kind, question) => {
    expect(column(...values)).toMatchObject({ kind, question: expect.stringContaining(question) });
  });

  test.each([
    ['labels and bare numbers', ['LEASE', 7], 'text'],
    ['numbers as text, which may be ids', ['0012', '34'], 'text'],
    ['numbers with few decimals', [1.25, 3], 'decimal'],
    ['numbers with many decimals', [87.40317211234567], 'double'],
    ['numbers beyond 64 bits', [JSON.rawJSON('9223372036854775808000')], 'decimal'],
    ['days first', ['31/12/2026', '01/02/2026'], 'businessDate'],
  ])('%s need no question', (_, values, kind) => {
    expect(column(...values)).toMatchObject({ kind, question: null });
  });

  test('is asked for in the file, where no name of a field can do harm', () => {
    const text = streamFile(
      proposalOf({
        'a\n// b': 1,
        "it's": true,
        __proto__: 2,
        Public_Id: 1,
        publicId: 'c',
        'empty\u2028': null,
        from: 'd',
      }),
      1,
    );
    expect(text).toContain("    'a\\n// b': integer,\n");
    expect(text).toContain(`    "it's": boolean,\n`);
    expect(text).toContain('// To settle: publicId: its name cannot be a column here');
    expect(text).toContain('// To settle: empty\\u2028: no value was seen');
    expect(text.split('\n').every((line) => line.length <= 140)).toBe(true);
  });

  test('is the key: another that was never null and never twice is asked for, and without one nothing is proposed', () => {
    const records = [1, 2, 3].map((at) => ({ deal_id: `d${at}`, updated_at: `2026-01-0${at}T00:00:00Z`, x: 1 }));
    const sample = { pages: 1, full: 0, short: 0 };
    const found = propose(asked, { records, ...sample });
    expect(found).toMatchObject({ key: 'deal_id', questions: { primaryKey: expect.any(String) } });
    const alike = records.map((record) => ({ ...record, deal_id: 'd1' }));
    expect(() => propose(asked, { records: alike, ...sample })).toThrow(/no field .* looks like a key/);
    expect(() => propose({ ...asked, cursorField: 'x' }, { records, ...sample })).toThrow(/no instant/);
  });
});
