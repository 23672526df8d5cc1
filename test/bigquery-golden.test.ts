import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createCatalog } from '../destinations/bigquery/catalog.ts';
import type { Call, Client } from '../destinations/bigquery/client.ts';
import { deflate, gzipMember } from '../destinations/bigquery/gzip.ts';
import { createJobs } from '../destinations/bigquery/jobs.ts';
import { bigqueryKinds } from '../destinations/bigquery/kinds.ts';
import { loadSchema, pageEncoder } from '../destinations/bigquery/ndjson.ts';
import { borrowerSubAccounts } from '../schemas/streams/borrower_sub_accounts.ts';
import { statements } from './bigquery-statements.ts';
import { deals } from './destination-suite/streams.ts';
import { pageOf } from './destination-suite/visit.ts';

/** What is sent to BigQuery, to the letter: a change shows in the diff of `test/golden/bigquery`. */

const golden = (name: string) => `golden/bigquery/${name.replaceAll(' ', '-')}`;

describe('BigQuery is sent', () => {
  test.each([...statements()])('the statement to %s', async (name, sql) => {
    await expect(`${sql};\n`).toMatchFileSnapshot(golden(`${name}.sql`));
  });

  test('jobs of exactly these configurations', async () => {
    const { calls, jobs } = recorded();
    await jobs.query(
      { sql: 'select @text, @number, @none, @list', parameters: { text: 'a', number: 1, none: null, list: ['b'] } },
      { what: 'test', digest: 'a query', stream: 'Borrower Deals' },
    );
    await jobs.load(
      { table: 'staging', schema: loadSchema(borrowerSubAccounts), chunks: [], lines: 0, replaces: true },
      { what: 'test', digest: 'a load', stream: 'borrower_sub_accounts' },
    );
    await jobs.dryRun({ sql: 'select 1' }, 'test');
    const sent = calls
      .filter(({ method }) => method === 'POST')
      .map(({ path, query, json }) => ({ path, query, json }));
    await expect(`${JSON.stringify(sent, null, 2)}\n`).toMatchFileSnapshot(golden('jobs.json'));
  });

  test('tables of exactly these descriptions', async () => {
    const { calls, client } = recorded();
    const catalog = createCatalog(client, { project: 'a-project', dataset: 'cleargrid' }, 'EU');
    await catalog.createDataset();
    await catalog.createTemporary('staging', loadSchema(borrowerSubAccounts), 24);
    const [dataset, table] = calls.map(({ json }) => json as Record<string, unknown>);
    const hours = (Number(table!.expirationTime) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThan(24.1);
    const told = { dataset, table: { ...table, expirationTime: 'in 24 hours' } };
    await expect(`${JSON.stringify(told, null, 2)}\n`).toMatchFileSnapshot(golden('tables.json'));
  });

  test('rows as these lines', async () => {
    const records = [
      {
        ...{ public_id: 'a', name: 'Zoë "Q"\n', count: 7, ratio: 0.1, amount: 12.5, seconds: 1e-7, isOpen: true },
        ...{ due_date: '31/02/2026', payload: { b: [1, null] }, created_at: '2026-03-01T12:00:00+03:00' },
        ...{ updated_at: '2026-03-02T00:00:00Z', undeclared: 1 },
      },
      '{"public_id":"b","count":9007199254740993,"amount":12345678901234567890.123456789,"payload":"text"}',
      { public_id: null, name: 'no key' },
    ];
    const encode = pageEncoder(deals);
    const page = encode(pageOf(deals, bigqueryKinds, { askedAt: '2026-03-03T00:00:00.000000Z', records }));
    expect(page).toMatchObject({
      records: 3,
      rows: 2,
      rejects: 1,
      changedFields: 0,
      unparsedDates: 1,
      hasUndated: true,
    });
    expect([...page.days]).toEqual(['2026-03-01']);
    const lines = gunzipSync(Buffer.concat(gzipMember([page.part]))).toString();
    await expect(lines).toMatchFileSnapshot(golden('rows.ndjson'));
  });
});

test('an upload is what was compressed, byte for byte', async () => {
  const { calls, jobs } = recorded();
  const chunks = gzipMember([deflate(Buffer.from('{"a":1}\n')), deflate(Buffer.from('{"a":2}\n'))]);
  await jobs.load({ table: 't', schema: [], chunks, lines: 0, replaces: false }, { what: 'test' });
  const media = calls.find((call) => call.media)!.media!;
  expect(gunzipSync(await buffer(media())).toString()).toBe('{"a":1}\n{"a":2}\n');
  expect((await buffer(media())).equals(Buffer.concat(chunks))).toBe(true);
});

/** A BigQuery where every job ends well at once. */
function recorded() {
  const calls: Call[] = [];
  const sent = new Map<string, unknown>();
  const client: Client = {
    uploads: 'https://uploads',
    sleep: async () => {},
    async call<T>(call: Call) {
      calls.push(call);
      const { jobReference, configuration } = (call.json ?? {}) as {
        jobReference?: { jobId?: string };
        configuration?: unknown;
      };
      const id = jobReference?.jobId ?? call.path.split('/').at(-1)!;
      if (configuration !== undefined) sent.set(id, configuration);
      return {
        configuration: sent.get(id),
        status: { state: 'DONE' },
        statistics: { totalBytesProcessed: '0', load: { outputRows: '0' } },
      } as T;
    },
  };
  const jobs = createJobs({
    client,
    place: { project: 'a-project', dataset: 'cleargrid' },
    location: 'EU',
    maximumBytesBilled: 1_000_000_000,
    runId: () => 'Run 1',
    random: () => 0.5,
  });
  return { calls, client, jobs };
}
