import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { airbyteStream } from '../connector/airbyte/catalog.ts';
import { streamNamed } from '../schemas/registry.ts';
import { figure, measure, median, serve } from './harness.ts';

/**
 * How fast `read` prints records, start and login of the process included: API in its own process -> `read` -> /dev/null, against
 * `JSON.parse` alone over the same bodies. Interleaved rounds, medians, ratios of one run.
 *
 * usage: npm run bench:airbyte [-- ROWS [ROUNDS]]
 */
const rows = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 3);
const executable = new URL('../connector/bin.js', import.meta.url).pathname;
const parseScript = new URL('source-run.ts', import.meta.url).pathname;

const { stop, url, lender, email, password } = await serve({ rows: { D03: rows }, unknowns: { viaPages: 'full' } });
const folder = mkdtempSync(join(tmpdir(), 'cleargrid-bench-'));
const file = (name: string, content: unknown) => {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
};
const stream = airbyteStream(streamNamed('borrower_sub_accounts')!);
const read = [
  'read',
  '--config',
  file('config.json', { lender, email, password, base_url: url }),
  '--catalog',
  file('catalog.json', { streams: [{ stream, sync_mode: 'incremental', destination_sync_mode: 'append_dedup' }] }),
];

const parsed: number[] = [];
const printed: number[] = [];
const peaks: number[] = [];
try {
  const counted = await countRecords();
  // Where a window is cut, the rows of one instant come twice.
  if (counted < rows) throw new Error(`read printed ${counted} records of ${rows}`);
  for (let round = 0; round < rounds; round++) {
    const { output } = await measure(parseScript, [JSON.stringify({ url, lender, email, password }), 'parse', '16']);
    const alone = JSON.parse(output) as { rows: number; seconds: number };
    parsed.push(alone.rows / alone.seconds);
    const { seconds, peakMegabytes } = await measure(executable, read, {}, 'dropped');
    printed.push(rows / seconds);
    peaks.push(peakMegabytes);
  }
} finally {
  await stop();
  rmSync(folder, { recursive: true });
}

for (const [name, rates] of Object.entries({ 'JSON.parse alone': parsed, 'read to /dev/null': printed })) {
  console.log(`${name.padEnd(20)} ${figure(median(rates)).padStart(8)} rows/s   (${rates.map(figure).join(', ')})`);
}
console.log(`read / JSON.parse alone:   ${(median(printed) / median(parsed)).toFixed(2)}   (goal 0.2)`);
console.log(`peak memory of read:       ${Math.round(Math.max(...peaks))} MB   (goal 200)`);

async function countRecords(): Promise<number> {
  const child = spawn(process.execPath, [executable, ...read], { stdio: ['ignore', 'pipe', 'inherit'] });
  let records = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{"type":"RECORD"')) records += 1;
  }
  return records;
}
