import { connectApi } from '../connector/api/connect.ts';
import { readEnvelope } from '../connector/api/envelope.ts';
import { silentReporter } from '../connector/report.ts';
import { openPage } from '../connector/sync/page-parts.ts';
import { syncStreams } from '../connector/sync/streams.ts';
import { systemTiming } from '../connector/timing.ts';
import { limitYoungGeneration } from '../connector/young-generation.ts';
import type { Destination, Table } from '../destinations/contract.ts';
import { memoryKinds } from '../destinations/memory/kinds.ts';
import { applyChanges, type Position } from '../destinations/position.ts';
import { streamNamed } from '../schemas/registry.ts';

/**
 * One measured run of `bench/source.ts`, in a process of its own; prints rows and the seconds that they took.
 *
 * usage: node bench/source-run.ts API-AS-JSON serve|parse|map CONCURRENCY
 */
const api = JSON.parse(process.argv[2]!) as { url: string; lender: string; email: string; password: string };
const [, , , what, concurrency] = process.argv;
const stream = streamNamed('borrower_sub_accounts')!;
const signal = new AbortController().signal;
limitYoungGeneration();
const client = await connectApi({
  ...api,
  environment: 'production',
  baseUrl: api.url,
  concurrency: Number(concurrency),
  signal,
});

const works: Record<string, () => Promise<{ rows: number; seconds: number }>> = {
  serve: fetchedAlone,
  parse: parseAlone,
  map: mapped,
};
const { rows, seconds } = await works[what!]!();
process.stdout.write(JSON.stringify({ rows, seconds }));
await client.close();

/** Pages fetched and thrown away, their bytes looked at for the cursor alone: what the API serves, at the least. */
async function fetchedAlone() {
  const windows = Number(concurrency);
  const page = async (since: string | null, until: string | null, cursor: string | null) => {
    const { bytes, release } = await client.fetchPage(stream.dataset, { since, until, cursor, limit: 1000 }, signal);
    const { nextCursor, first } = openPage(bytes, stream.cursor);
    const records = countIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), '{"public_id":');
    release();
    return { nextCursor, first, records };
  };
  const beginning = Date.parse((await page(null, null, null)).first!);
  const edge = (at: number) =>
    at === windows ? null : new Date(beginning + ((Date.now() - beginning) * at) / windows).toISOString();
  const edges = Array.from({ length: windows + 1 }, (_, at) => edge(at));
  const began = performance.now();
  const counted = edges.slice(0, -1).map(async (since, at) => {
    let count = 0;
    for (let cursor: string | null = null; ; ) {
      const { nextCursor, records } = await page(since, edges[at + 1]!, cursor);
      count += records;
      cursor = nextCursor;
      if (cursor === null) return count;
    }
  });
  const rows = (await Promise.all(counted)).reduce((sum, count) => sum + count, 0);
  return { rows, seconds: (performance.now() - began) / 1000 };
}

function countIn(bytes: Buffer, text: string): number {
  let count = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) count++;
  return count;
}

/** `JSON.parse` alone, of the same bodies, read into memory beforehand. */
async function parseAlone() {
  const bodies: Buffer[] = [];
  for (let cursor: string | null = null; ; ) {
    const { bytes } = await client.fetchPage(stream.dataset, { since: null, until: null, cursor, limit: 1000 }, signal);
    bodies.push(Buffer.from(bytes));
    cursor = readEnvelope(bytes).nextCursor;
    if (cursor === null) break;
  }
  const began = performance.now();
  let rows = 0;
  for (const body of bodies) rows += JSON.parse(body.toString()).body.rows.length;
  return { rows, seconds: (performance.now() - began) / 1000 };
}

/** The whole loop, with a table that takes mapped rows and throws them away. */
async function mapped() {
  let position: Position | null = null;
  let rows = 0;
  const table: Table = {
    token: '',
    position: async () => ({ document: null, table: null, holdsRows: false }),
    prepare: (page) => {
      const { rows: made } = page.rows();
      rows += made.length;
      return { records: made.length, bytes: page.bytes.length };
    },
    commit: async ({ changes }) => {
      position = applyChanges(position, changes, { table: null, holdsRows: true });
      return { written: 0, unchanged: 0, changedFields: 0, unparsedDates: 0, rejects: 0, repeatedKeys: 0 };
    },
    finishRefresh: async () => ({ deleted: 0 }),
  };
  const destination: Pick<Destination, 'kinds' | 'batching'> = {
    kinds: memoryKinds,
    batching: { lanes: 2, rows: 25_000, bytes: 16e6, seconds: 5, budget: 64e6 },
  };
  const began = performance.now();
  const [summary] = await syncStreams({
    streams: [{ stream, lookBackMs: 900_000 }],
    tables: new Map([[stream.name, table]]),
    destination,
    source: client,
    timing: systemTiming,
    reporter: silentReporter,
    signal,
    concurrency: Number(concurrency),
    streamsAtOnce: 1,
    startDate: null,
    fullRefresh: false,
    allowMassDelete: false,
  });
  if (summary?.status !== 'succeeded') throw new Error(summary?.error?.message);
  return { rows, seconds: (performance.now() - began) / 1000 };
}
