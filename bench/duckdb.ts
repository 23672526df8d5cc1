import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { figure, type Measured, measure, median, serve } from './harness.ts';

/**
 * `sync` as a whole process into a DuckDB file, the API in another process: a first load, a full refresh of unchanged rows, and an
 * increment in which every row has changed; and a first load of a tenth, whose memory is compared.
 *
 * usage: npm run bench:duckdb [-- ROWS [ROUNDS]]
 */
const rows = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 3);
const executable = new URL('../connector/bin.js', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'cleargrid-bench-'));
const runs: Record<string, Measured[]> = {
  'first load': [],
  'full refresh, unchanged': [],
  'all changed': [],
  'first load of a tenth': [],
};
let megabytes = 0;

try {
  for (let round = 0; round < rounds; round++) {
    await benchRound(rows, ['first load', 'full refresh, unchanged', 'all changed'], round);
    await benchRound(rows / 10, ['first load of a tenth'], round);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

for (const [name, measured] of Object.entries(runs)) {
  const count = name.endsWith('tenth') ? rows / 10 : rows;
  const rate = median(measured.map(({ seconds }) => count / seconds));
  const [cpu, peak] = [median(measured.map((run) => run.cpuSeconds)), median(measured.map((run) => run.peakMegabytes))];
  console.log(
    `${name.padEnd(24)} ${figure(rate).padStart(6)} rows/s   CPU ${cpu.toFixed(1)} s   peak ${Math.round(peak)} MB`,
  );
}
const peakOf = (name: string) => median(runs[name]!.map((run) => run.peakMegabytes));
console.log(
  `memory, all rows against a tenth: ${(peakOf('first load') / peakOf('first load of a tenth')).toFixed(2)}   (goal 1.3)`,
);
console.log(`file: ${megabytes} MB after all rows have changed`);

async function benchRound(count: number, steps: readonly string[], round: number): Promise<void> {
  const api = await serve({ rows: { D03: count }, unknowns: { viaPages: 'full' } });
  const path = join(folder, `${count}-${round}.duckdb`);
  const config = join(folder, 'config.json');
  const { url, lender, email, password } = api;
  const streams = ['borrower_sub_accounts'];
  writeFileSync(
    config,
    JSON.stringify({ lender, email, password, base_url: url, streams, destination: { type: 'duckdb', path } }),
  );
  for (const step of steps) {
    if (step === 'all changed') await api.change('D03', count);
    const flags = step.startsWith('full refresh') ? ['--full-refresh'] : [];
    const measured = await measure(executable, ['sync', '--config', config, ...flags]);
    const [told] = JSON.parse(measured.output).streams as [{ rows_written: number; rows_unchanged: number }];
    const handled = step.startsWith('full refresh') ? told.rows_unchanged : told.rows_written;
    if (handled < count) throw new Error(`${step}: ${handled} rows of ${count}`);
    runs[step]!.push(measured);
  }
  if (steps.length > 1) megabytes = Math.round(statSync(path).size / 1e6);
  await api.stop();
}
