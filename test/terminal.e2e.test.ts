import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { createFolder } from './cli-process.ts';
import { hasScript, runOnTerminal } from './terminal.ts';

/** `sync` where a person watches: on a pseudo-terminal. */

let folder: ReturnType<typeof createFolder>;
let simulator: Simulator;
let config: string;

beforeEach(async () => {
  folder = createFolder();
  simulator = await startSimulator({ rows: { D01: 300, D03: 12_000 }, latencyMs: 150, unknowns: { viaPages: 'full' } });
  const { lender, email, password, url } = simulator;
  const streams = ['borrowers', 'borrower_sub_accounts'];
  config = folder.config('config.json', { lender, email, password, base_url: url, streams, concurrency: 2 });
});
afterEach(async () => {
  await simulator.stop();
  folder.remove();
});

const needsScript = hasScript ? '' : ' (skipped: there is no `script` here, which gives a command a terminal)';

test.skipIf(!hasScript)(`shows progress by stream, and then a table${needsScript}`, async () => {
  simulator.failNext(4, '503', { code: 'D01', route: 'page' });
  const { code, screen } = await runOnTerminal(['sync', '--config', config], folder.path);
  const text = stripVTControlCharacters(screen);
  expect(code).toBe(0);
  expect(text).toMatch(/^borrowers +0 rows +\d+ windows? +retry in \d+ s: 503\r?$/m);
  // While it reads: rows, windows and speed of each stream, drawn again and again in the same place.
  const frames = [...text.matchAll(/^borrower_sub_accounts +([\d,]+) rows +\d+ windows? +(\S.*?)\r?$/gm)];
  const rows = frames.map(([, count]) => Number(count!.replaceAll(',', '')));
  expect(new Set(rows).size).toBeGreaterThan(2);
  expect(rows).toEqual(rows.toSorted((a, b) => a - b));
  expect(frames.some(([, , told]) => /^[\d,]+ rows\/s$/.test(told!))).toBe(true);
  expect(screen).toMatch(/\u001b\[(\d*A|2K|J|0J)/);
  // Afterwards: a line that stays for each, and the table, which is the last that stands there.
  expect(text).toMatch(/✓ borrower_sub_accounts: succeeded, 12,000 rows read, 12,000 written/);
  expect(text).toMatch(/\n *borrower_sub_accounts +12,000 +12,000 .*ok\r?\n[\s\S]*Run succeeded: 12,300 rows written/);
  // The line of JSON is on stdout wherever that leads, once, before what people read.
  const lines = text.split(/\r?\n/).filter((line) => line.includes('"run_id"'));
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({ command: 'sync', status: 'succeeded' });
  expect(text.indexOf('"run_id"')).toBeLessThan(text.indexOf('Run succeeded'));
});

test.skipIf(!hasScript)(`sends a terminal that is dumb no control sequences${needsScript}`, async () => {
  const { code, screen } = await runOnTerminal(['sync', '--config', config], folder.path, null, 'dumb');
  expect(code).toBe(0);
  expect(screen).not.toContain('\u001b');
  expect(screen).toMatch(
    /borrower_sub_accounts: started[\s\S]*: succeeded, 12,000 rows read[\s\S]*Run succeeded: 12,300 rows written/,
  );
});

test.skipIf(!hasScript)(
  `gives the terminal back when Ctrl-C ends it, and the next run goes on${needsScript}`,
  async () => {
    const ctrlC = { after: 'rows/s', keys: '\u0003' };
    const { code, screen } = await runOnTerminal(['sync', '--config', config], folder.path, ctrlC);
    expect(code).toBe(130);
    // The cursor is shown again after it was hidden.
    expect(screen.lastIndexOf('\u001b[?25h')).toBeGreaterThanOrEqual(screen.lastIndexOf('\u001b[?25l'));
    expect(stripVTControlCharacters(screen)).toMatch(/stopped/);
    expect(existsSync(join(folder.path, 'cleargrid.duckdb'))).toBe(true);
    const { code: next, screen: second } = await runOnTerminal(['sync', '--config', config], folder.path);
    expect(next).toBe(0);
    expect(stripVTControlCharacters(second)).toMatch(/Run succeeded/);
  },
);
