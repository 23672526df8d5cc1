import { figure, measure, median, type ServedApi, serve } from './harness.ts';

/**
 * How fast records become rows: API in its own process -> client -> mapped rows, thrown away, against `JSON.parse` alone over the
 * same bodies; and with 100 ms a page; 32 windows each. Interleaved rounds, medians, ratios of one run.
 *
 * usage: npm run bench:source [-- ROWS [ROUNDS]]
 */
const rows = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 3);
const WINDOWS = 32;
const script = new URL('source-run.ts', import.meta.url).pathname;

const near = await serve({ rows: { D03: rows }, unknowns: { viaPages: 'full' } });
const far = await serve({ rows: { D03: rows }, unknowns: { viaPages: 'full' }, latencyMs: 100 });
const measured: Record<string, number[]> = {
  'served, not decoded': [],
  'JSON.parse alone': [],
  'to mapped rows': [],
  'the same, 100 ms a page': [],
};
const peaks: number[] = [];

for (let round = 0; round < rounds; round++) {
  measured['served, not decoded']!.push(await rate(near, 'serve', WINDOWS));
  measured['JSON.parse alone']!.push(await rate(near, 'parse', WINDOWS));
  measured['to mapped rows']!.push(await rate(near, 'map', WINDOWS));
  measured['the same, 100 ms a page']!.push(await rate(far, 'map', WINDOWS));
}
await Promise.all([near.stop(), far.stop()]);

const [served, parse, mapped, latent] = Object.values(measured).map(median) as [number, number, number, number];
for (const [name, rates] of Object.entries(measured)) {
  console.log(`${name.padEnd(28)} ${figure(median(rates)).padStart(8)} rows/s   (${rates.map(figure).join(', ')})`);
}
console.log(`served, at the least:                 ${figure(served).padStart(6)} rows/s   (goal 450k)`);
console.log(`to mapped rows / JSON.parse alone:    ${(mapped / parse).toFixed(2)}   (goal 0.25)`);
console.log(`100 ms a page / none:                 ${(latent / mapped).toFixed(2)}   (goal 0.9)`);
console.log(`peak memory to mapped rows:           ${Math.round(median(peaks))} MB`);

async function rate({ url, lender, email, password }: ServedApi, what: string, concurrency: number): Promise<number> {
  const api = JSON.stringify({ url, lender, email, password });
  const { output, peakMegabytes } = await measure(script, [api, what, String(concurrency)]);
  const told = JSON.parse(output) as { rows: number; seconds: number };
  if (told.rows < rows) throw new Error(`${what}: ${told.rows} rows of ${rows}`);
  if (what === 'map') peaks.push(peakMegabytes);
  return told.rows / told.seconds;
}
