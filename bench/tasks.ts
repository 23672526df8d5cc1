import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { STREAMS } from '../schemas/registry.ts';
import { figure, type Measured, measure, median, serve } from './harness.ts';
import { startServer } from './postgres/server.ts';

/**
 * A first load of one dataset into Postgres by the tasks of one job against one task alone, each task a process that asks for `--concurrency`
 * pages at once, with a latency for each page; interleaved, medians, ratios of one run. The cores' use tells whether they were the limit
 * (API, tasks and Postgres share this machine).
 *
 * usage: npm run bench:tasks [-- --dataset D03 --rows 200000 --tasks 4 --concurrency 8 --latency 100 --rounds 3]
 */
const { values: options } = parseArgs({
  options: {
    dataset: { type: 'string', default: 'D03' },
    rows: { type: 'string', default: '400000' },
    tasks: { type: 'string', default: '4' },
    concurrency: { type: 'string', default: '8' },
    latency: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
  },
});
const [rows, most, concurrency, latencyMs, rounds] = [
  options.rows,
  options.tasks,
  options.concurrency,
  options.latency,
  options.rounds,
].map(Number) as [number, number, number, number, number];

const stream = STREAMS.find(({ dataset }) => dataset.code === options.dataset)?.name;
if (stream === undefined) throw new Error(`--dataset: no stream declares ${options.dataset}`);
const executable = new URL('../connector/bin.js', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'cleargrid-bench-tasks-'));
const server = await startServer();
const api = await serve({ rows: { [options.dataset]: rows }, latencyMs, unknowns: { viaPages: 'full' } });

interface Result {
  readonly rate: number;
  readonly cores: number;
}

async function load(count: number): Promise<Result> {
  await server.query('postgres', 'drop schema if exists cleargrid cascade');
  const { url, lender, email, password } = api;
  const config = join(folder, `${count}.json`);
  const { port, user: username, password: secret } = server;
  const destination = { type: 'postgres', host: '127.0.0.1', port, database: 'postgres', ssl: false };
  const own = {
    lender,
    email,
    password,
    base_url: url,
    streams: [stream],
    concurrency: Math.min(64, concurrency * count),
  };
  writeFileSync(config, JSON.stringify({ ...own, destination: { ...destination, username, password: secret } }));
  const before = server.cpuSeconds();
  const began = performance.now();
  const started = Array.from({ length: count }, (_, index) =>
    measure(executable, ['sync', '--config', config, ...(count === 1 ? [] : ['--task', `${index}/${count}`])]),
  );
  const done: Measured[] = await Promise.all(started);
  const seconds = (performance.now() - began) / 1000;
  const [counted] = await server.query('postgres', `select count(*)::text as rows from cleargrid.${stream}`);
  if (Number(counted!.rows) !== rows) throw new Error(`${counted!.rows} rows are there, not ${rows}`);
  const cpu = done.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, server.cpuSeconds() - before);
  return { rate: rows / seconds, cores: cpu / seconds };
}

try {
  const results = new Map<number, Result[]>([1, most].map((count) => [count, []]));
  for (let round = 0; round < rounds; round++) for (const [count, of] of results) of.push(await load(count));
  console.log(
    `${figure(rows)} rows of ${options.dataset}, ${latencyMs} ms a page, ${concurrency} pages at once each, ${cpus().length} cores`,
  );
  const rates = [...results].map(([count, of]) => {
    const rate = median(of.map((one) => one.rate));
    const cores = median(of.map((one) => one.cores));
    console.log(
      `${count} ${count === 1 ? 'task ' : 'tasks'}: ${figure(rate)} rows/s, ${cores.toFixed(1)} cores without the API's`,
    );
    return rate;
  });
  console.log(`ratio: ${(rates[1]! / rates[0]!).toFixed(2)}`);
} finally {
  await api.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
