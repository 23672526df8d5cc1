import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectApi } from '../connector/api/connect.ts';
import { requireCheckout } from '../connector/new-stream/new-stream.ts';
import { propose } from '../connector/new-stream/proposal.ts';
import { takeSample } from '../connector/new-stream/sample.ts';
import { streamFile } from '../connector/new-stream/stream-file.ts';
import { openDestination } from '../destinations/open.ts';
import { DATASETS } from '../simulator/datasets.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';

/** `new-stream` in a checkout of its own, and what the project's tools say of what it has written. */

const execute = promisify(execFile);
const PROJECT = fileURLToPath(new URL('../', import.meta.url));
const COPIED = [
  ...['connector', 'destinations', 'schemas', 'accounts', 'simulator', 'docs', 'dbt', 'test'],
  ...['package.json', 'tsconfig.json', 'biome.json', 'vitest.config.ts', 'spec.json', '.gitignore'],
];
const checkout = mkdtempSync(join(tmpdir(), 'cleargrid-checkout-'));
const read = (path: string) => readFileSync(join(checkout, path), 'utf8');
const tool = (name: string, ...args: string[]) =>
  execute(join(PROJECT, 'node_modules/.bin', name), args, { cwd: checkout, env: { ...process.env, CI: '' } });
let simulator: Simulator;

beforeAll(async () => {
  for (const path of COPIED) cpSync(join(PROJECT, path), join(checkout, path), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(checkout, 'node_modules'));
  const opened = { available: true, cursorField: 'updated_at', name: 'Outcome Details' } as const;
  simulator = await startSimulator({ rows: 200, catalog: { D24: opened, D13: { ...opened, name: null } } });
  const { lender, email, password, url } = simulator;
  writeFileSync(join(checkout, 'config.json'), JSON.stringify({ lender, email, password, base_url: url }));
});
afterAll(async () => {
  await simulator.stop();
  rmSync(checkout, { recursive: true });
});

async function newStream(...flags: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = ['connector/bin.js', 'new-stream', '--config', 'config.json', ...flags];
  const failed = (error: { code: number; stdout: string; stderr: string }) => error;
  return execute(process.execPath, args, { cwd: checkout }).then((ended) => ({ code: 0, ...ended }), failed);
}

async function sync(stream: string): Promise<Record<string, unknown>> {
  const args = ['connector/bin.js', 'sync', '--config', 'config.json', '--streams', stream];
  return JSON.parse((await execute(process.execPath, args, { cwd: checkout })).stdout).streams[0];
}

describe('new-stream', () => {
  test('declares a dataset, shows what was seen and asks for what was not', async () => {
    const { code, stdout, stderr } = await newStream('--dataset', 's4/d24');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^promised_amount +minorUnits \? +200 whole numbers, /m);
    const files = [
      'schemas/streams/outcome_details.ts',
      'schemas/registry.ts',
      'test/fixtures/pages/outcome_details.json',
    ];
    for (const file of files) expect(stdout).toContain(`   ${file}\n`);
    expect(read(files[0]!)).toContain("// To settle: too few pages to tell: is it 'direct'");
    const real = [...simulator.truth('D24')].flatMap(({ bytes }) => {
      const record = JSON.parse(Buffer.from(bytes).toString());
      return [record.public_id, record.created_at, record.updated_at, String(record.promised_amount), record.status];
    });
    const told = [stdout, ...[files[0]!, files[2]!].map(read)].join('\n');
    expect(real.filter((value) => new RegExp(`\\b${value}\\b`).test(told))).toEqual([]);
  });

  test("is followed by the project's own steps, and nothing else is to be done", async () => {
    await execute(process.execPath, ['connector/generated/write.ts'], { cwd: checkout });
    expect(read('docs/datasets.md')).toContain('| [outcome_details](#outcome_details) | S4/D24 |');
    expect(read('dbt/models/staging/stg_cleargrid__outcome_details.sql')).toContain(
      "cleargrid.amount('promised_amount')",
    );
    await tool(
      'vitest',
      'run',
      'test/mapper-pages.test.ts',
      'test/config-generated.test.ts',
      'test/boundaries.test.ts',
    );
    expect(JSON.parse(read('test/fixtures/rows/outcome_details.json'))).toHaveLength(2);
    const loaded = await sync('outcome_details');
    expect(loaded).toMatchObject({ stream: 'outcome_details', rows_written: 200, changed_fields: 0 });
  });

  test.each([
    ['a dataset that is declared', ['--dataset', 'S4/D24'], 'D24 is declared already, as outcome_details'],
    ['a name that is taken', ['--dataset', 'S2/D13', '--name', 'borrowers'], 'is the name of another stream'],
    ['a name that is a word of the language', ['--dataset', 'S2/D13', '--name', 'class'], 'means something else'],
    ['a name that is no table', ['--dataset', 'S2/D13', '--name', '../d13'], 'cannot be a table'],
    ['the wrong section', ['--dataset', 'S3/D13'], 'S2/D13'],
    ['a dataset that is not there', ['--dataset', 'S2/D99'], 'not available to this lender (404'],
    ['no dataset', ['--dataset', 'D13'], 'such as S3/D27'],
  ])('refuses %s, and writes nothing', async (_, flags, message) => {
    const before = read('schemas/registry.ts');
    const { code, stderr } = await newStream(...flags);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(read('schemas/registry.ts')).toBe(before);
  });

  test('overwrites no file', async () => {
    const path = join(checkout, 'test/fixtures/pages/credit_notes.json');
    writeFileSync(path, 'mine');
    const { code, stderr } = await newStream('--dataset', 'S2/D13', '--name', 'credit_notes');
    expect({ code, file: readFileSync(path, 'utf8') }).toEqual({ code: 2, file: 'mine' });
    expect(stderr).toContain('is there already');
    expect(existsSync(join(checkout, 'schemas/streams/credit_notes.ts'))).toBe(false);
    rmSync(path);
  });

  test('goes on with the table of a dataset that was loaded before anyone declared it', async () => {
    expect(await sync('d13')).toMatchObject({ rows_written: 200 });
    const { code, stderr } = await newStream('--dataset', 'S2/D13', '--name', 'd13');
    expect(code, stderr).toBe(0);
    expect(await sync('d13')).toMatchObject({ stream: 'd13', rows_written: 0 });
    const config = { type: 'duckdb', path: join(checkout, 'cleargrid.duckdb'), schema: 'main' } as const;
    const destination = await openDestination(config);
    const rows = [];
    for await (const row of destination.query('select promised_amount, _extra from d13')) rows.push(row);
    await destination.close();
    expect(rows.length).toBe(200);
    expect(rows.filter(({ promised_amount, _extra }) => promised_amount === null || _extra !== null)).toEqual([]);
  });

  test('works in a checkout alone', () => {
    expect(() => requireCheckout(tmpdir())).toThrow(/clone the repository/);
    expect(() => requireCheckout(checkout)).not.toThrow();
  });

  test('writes what the formatter, the linter and the compiler take, for every dataset', async () => {
    const { lender, email, password, url: baseUrl } = simulator;
    const signal = new AbortController().signal;
    const address = { environment: 'production', baseUrl, allowInsecureHttp: false } as const;
    const api = await connectApi({ ...address, lender, email, password, concurrency: 2, signal });
    const files: string[] = [];
    for (const { section, code, cursorField, name: title, available } of DATASETS) {
      if (!available) continue;
      const name = `proposed_${code.toLowerCase()}`;
      const sample = await takeSample(api, { section, code, paging: 'via' }, cursorField, signal);
      const text = streamFile(propose({ name, title, section, code, cursorField }, sample), sample.records.length);
      files.push(`schemas/streams/${name}.ts`);
      writeFileSync(join(checkout, files.at(-1)!), text);
    }
    await api.close();
    const written = ['schemas/registry.ts', 'schemas/streams/outcome_details.ts', ...files];
    await expect(tool('biome', 'check', '--error-on-warnings', ...written)).resolves.toBeDefined();
    const compilerOptions = { ...JSON.parse(read('tsconfig.json')).compilerOptions };
    writeFileSync(join(checkout, 'tsconfig.written.json'), JSON.stringify({ compilerOptions, include: ['schemas'] }));
    await expect(tool('tsc', '-p', 'tsconfig.written.json')).resolves.toBeDefined();
  });
});
