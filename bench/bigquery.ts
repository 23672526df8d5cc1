import { gunzipSync } from 'node:zlib';
import { type Api, connectApi } from '../connector/api/connect.ts';
import { readEnvelope } from '../connector/api/envelope.ts';
import { silentReporter } from '../connector/report.ts';
import { openPage } from '../connector/sync/page-parts.ts';
import { syncStreams } from '../connector/sync/streams.ts';
import { systemTiming } from '../connector/timing.ts';
import { bigqueryDestination } from '../destinations/bigquery/destination.ts';
import { gzipMember } from '../destinations/bigquery/gzip.ts';
import { bigqueryKinds } from '../destinations/bigquery/kinds.ts';
import { pageEncoder } from '../destinations/bigquery/ndjson.ts';
import type { Page, Table } from '../destinations/contract.ts';
import { applyChanges, type Position } from '../destinations/position.ts';
import { decodeJson } from '../schemas/decode.ts';
import { compileMapper } from '../schemas/mapper.ts';
import { streamNamed } from '../schemas/registry.ts';
import { figure, median, serve } from './harness.ts';

/**
 * Pages to what BigQuery loads, on one core: newline-delimited JSON with its parsed dates, compressed, against `JSON.parse` alone and
 * parse + stringify over the same bodies. Interleaved, medians of the rounds. Then what a first load and an increment take.
 *
 * usage: npm run bench:bigquery [-- ROWS [ROUNDS]]
 */
const rows = Number(process.argv[2] ?? 200_000);
const rounds = Number(process.argv[3] ?? 5);
const stream = streamNamed('borrower_sub_accounts')!;
const mapper = compileMapper(stream, bigqueryKinds);
const askedAt = '2026-03-01T00:00:00.000000Z';
const signal = new AbortController().signal;
const served = await serve({ rows: { D03: rows }, unknowns: { viaPages: 'full' } });
const api = await connectApi({ ...served, environment: 'production', baseUrl: served.url, concurrency: 16, signal });
const pages = (await readBodies(api)).map(asPage);

const encode = pageEncoder(stream);
const plain = pageEncoder(stream, (lines) => ({ bytes: lines as Buffer, crc: 0, size: lines.length }));
const ways: Record<string, (page: Page) => unknown> = {
  'JSON.parse alone': ({ bytes }) => JSON.parse(text(bytes)),
  'parse + stringify': ({ bytes }) =>
    JSON.parse(text(bytes))
      .body.rows.map((record: unknown) => JSON.stringify(record))
      .join('\n'),
  'to NDJSON': plain,
  'to gzip NDJSON': encode,
};
/** So many pages go one way, and then the next: a machine that has other work is as busy for one as for the other. */
const PAGES_A_TURN = 10;
const rates = Object.fromEntries(Object.keys(ways).map((name) => [name, [] as number[]]));
for (let round = 0; round < rounds; round++) {
  const spent = new Map<string, number>();
  for (let first = 0; first < pages.length; first += PAGES_A_TURN) {
    for (const [name, way] of Object.entries(ways)) {
      // What this thread has worked, so that what else the machine does is not in it.
      const before = process.threadCpuUsage();
      for (const page of pages.slice(first, first + PAGES_A_TURN)) way(page);
      const { user, system } = process.threadCpuUsage(before);
      spent.set(name, (spent.get(name) ?? 0) + user + system);
    }
  }
  for (const [name, microseconds] of spent) rates[name]!.push(rows / (microseconds / 1e6));
}

for (const [name, each] of Object.entries(rates)) {
  console.log(`${name.padEnd(20)} ${figure(median(each)).padStart(6)} rows/s   (${each.map(figure).join(', ')})`);
}
const against = (name: string) =>
  median(rates[name]!.map((rate, round) => rate / rates['JSON.parse alone']![round]!)).toFixed(2);
console.log(`to NDJSON / JSON.parse alone:        ${against('to NDJSON')}   (reach 1.2)`);
console.log(`to gzip NDJSON / JSON.parse alone:   ${against('to gzip NDJSON')}   (reach 0.35)`);

const member = Buffer.concat(gzipMember(pages.map((page) => encode(page).part)));
console.log(
  `upload: ${(member.length / rows).toFixed(1)} bytes a row, ${(gunzipSync(member).length / rows).toFixed(1)} before compression`,
);

const { commits, loads, requests } = await firstLoad(api);
console.log(
  `a first load of ${figure(rows)} rows: ${requests} requests, ${loads} loads, ${loads + commits} jobs ` +
    `(${figure((loads + commits) * (1_000_000 / rows))} per 1M rows)`,
);
await api.close();
await served.stop();

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

/** A page as the loop makes it. */
function asPage(body: Buffer): Page {
  return {
    bytes: body,
    askedAt,
    span: openPage(body, stream.cursor).span,
    rows: () => mapper.map((decodeJson(body) as { body: { rows: unknown[] } }).body.rows, askedAt),
  };
}

/** Bodies of the simulated API, read into memory. */
async function readBodies(api: Api): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for (let cursor: string | null = null; ; ) {
    const { bytes } = await api.fetchPage(stream.dataset, { since: null, until: null, cursor, limit: 1000 }, signal);
    found.push(Buffer.from(bytes));
    cursor = readEnvelope(bytes).nextCursor;
    if (cursor === null) return found;
  }
}

/** A first load by the loop itself, into a table that only counts what it is given. */
async function firstLoad(source: Api) {
  const counts = { commits: 0, loads: 0 };
  let position: Position | null = null;
  const table: Table = {
    token: '',
    position: async () => ({ document: null, table: null, holdsRows: false }),
    prepare: encode,
    commit: async ({ changes, pages }) => {
      counts.commits++;
      if (pages.some(({ records }) => records > 0)) counts.loads++;
      position = applyChanges(position, changes, { table: null, holdsRows: true });
      return { written: 0, unchanged: 0, changedFields: 0, unparsedDates: 0, rejects: 0, repeatedKeys: 0 };
    },
    finishRefresh: async () => ({ deleted: 0 }),
  };
  const { batching } = bigqueryDestination({ type: 'bigquery', project_id: 'none', dataset: 'none', location: 'US' });
  const [summary] = await syncStreams({
    streams: [{ stream, lookBackMs: 900_000 }],
    tables: new Map([[stream.name, table]]),
    destination: { kinds: bigqueryKinds, batching },
    source,
    timing: systemTiming,
    reporter: silentReporter,
    signal,
    concurrency: 16,
    streamsAtOnce: 1,
    startDate: null,
    fullRefresh: false,
    allowMassDelete: false,
  });
  if (summary?.status !== 'succeeded') throw new Error(summary?.error?.message ?? 'the first load failed');
  return { ...counts, requests: summary.requests };
}
