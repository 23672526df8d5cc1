import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { airbyteKinds } from '../destinations/airbyte/kinds.ts';
import { decodeJson } from '../schemas/decode.ts';
import type { ColumnKind } from '../schemas/kinds.ts';
import { compileMapper } from '../schemas/mapper.ts';
import { STREAMS } from '../schemas/registry.ts';
import { type Stream, tableColumns } from '../schemas/stream.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { airbyte, createSource } from './airbyte-process.ts';
import { createFolder, EXECUTABLE } from './cli-process.ts';
import { PYTHON, python } from './python.ts';

/** Real clients of the protocol, from PyPI, over an API with difficult values. */

let simulator: Simulator;
let source: ReturnType<typeof createSource>;
const folder = createFolder();

beforeAll(async () => {
  simulator = await startSimulator({ rows: 150, difficult: true });
  source = createSource(simulator);
});
afterAll(async () => {
  await simulator.stop();
  source.remove();
  folder.remove();
});

describe.skipIf(PYTHON === null)('airbyte-protocol-models', () => {
  const count = async (input: string) =>
    JSON.parse(await python(PYTHON!, { script: 'airbyte/validate_messages.py', input }));

  test('take every line of spec, check, discover and read, and know every key', async () => {
    const { stdout: lines } = await source.read(await source.catalog());
    const kinds = await count(lines);
    // One for each stream, and more where a slow machine ends a batch by its seconds.
    expect(kinds.STATE).toBeGreaterThanOrEqual(19);
    expect(kinds.RECORD).toBeGreaterThan(19 * 140);
    const spec = await airbyte('spec');
    const check = await airbyte('check', '--config', source.config);
    const discovered = await airbyte('discover', '--config', source.config);
    const failed = await airbyte('read', '--config', source.config, '--catalog', source.missing, '--debug');
    expect(await count([spec, check, discovered, failed].map(({ stdout }) => stdout).join(''))).toEqual({
      SPEC: 1,
      CONNECTION_STATUS: 1,
      CATALOG: 1,
      TRACE: 1,
    });
  });

  test('would say so of a key that the protocol does not have', async () => {
    const line = JSON.stringify({ type: 'LOG', log: { level: 'INFO', message: 'm', more: 1 } });
    await expect(count(line)).rejects.toThrow('log.more');
  });
});

describe.skipIf(PYTHON === null)('PyAirbyte', () => {
  const cache = join(folder.path, 'cache.duckdb');
  const read = async () => {
    const printed = await python(PYTHON!, {
      script: 'airbyte/pyairbyte_read.py',
      args: [EXECUTABLE, source.config, cache],
      cwd: folder.path,
    });
    const result = printed.split('\n').find((line) => line.startsWith('RESULT '))!;
    return JSON.parse(result.slice('RESULT '.length)) as { read: number; counts: Record<string, number> };
  };

  test('checks, discovers and reads offline; its cache equals what the API has, by key and by declared column', async () => {
    const { read: records } = await read();
    expect(records).toBeGreaterThan(19 * 140);
    expect(await differences(cache)).toEqual([]);
  }, 300_000);

  test('takes its own state back: the second read brings what changed, and what is looked back over', async () => {
    const keys = simulator.change('D03', 4);
    simulator.insert('D01', 2);
    simulator.advance(2_000);
    const { read: records, counts } = await read();
    expect(records).toBeGreaterThanOrEqual(keys.length + 2);
    expect(records).toBeLessThan(19 * 60);
    expect(counts.borrowers).toBeGreaterThan(150 - 10);
    expect(await differences(cache)).toEqual([]);
  }, 300_000);
});

/** What differs between PyAirbyte's cache and the API's truth, in words, at most ten. */
async function differences(cache: string): Promise<string[]> {
  const instance = await DuckDBInstance.create(cache, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const problems: string[] = [];
  try {
    for (const stream of STREAMS) {
      const expected = truthOf(stream);
      const reader = await connection.runAndReadAll(`select ${selectionOf(stream)} from "${stream.name}"`);
      for (const row of reader.getRowObjects()) {
        const key = String(row.public_id);
        const truth = expected.get(key);
        const found = Object.fromEntries(
          stream.columns.map(({ name, kind }) => [name, normal(row[name] as string | null, kind)]),
        );
        for (const [name, value] of Object.entries(truth ?? {})) {
          if (value !== BEYOND_DOUBLE && JSON.stringify(value) !== JSON.stringify(found[name])) {
            problems.push(
              `${stream.name} ${key} ${name}: ${JSON.stringify(found[name])} is not ${JSON.stringify(value)}`,
            );
          }
        }
        if (truth === undefined) problems.push(`${stream.name} ${key}: is there twice, or never was`);
        expected.delete(key);
      }
      for (const key of expected.keys()) problems.push(`${stream.name} ${key}: is missing`);
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  return problems.slice(0, 10);
}

/** All as text; instants in microseconds, which all drivers spell alike. */
function selectionOf(stream: Stream): string {
  return stream.columns
    .map(({ name, kind }) => `${kind === 'timestamp' ? `epoch_us("${name}")` : `"${name}"`}::varchar as "${name}"`)
    .join(', ');
}

/** A number of more digits than a double holds: PyAirbyte reads it as one. */
const BEYOND_DOUBLE = Symbol();

function truthOf(stream: Stream): Map<string, Record<string, unknown>> {
  const records = [...simulator.truth(stream.dataset.code)].map(({ bytes }) => decodeJson(bytes));
  const names = tableColumns(stream);
  const { rows } = compileMapper(stream, airbyteKinds).map(records, '2026-01-01T00:00:00.000000Z');
  return new Map(
    rows.map((row) => [
      String(row[names.indexOf('public_id')]),
      Object.fromEntries(
        stream.columns.map(({ name, kind }) => {
          const value = row[names.indexOf(name)] ?? null;
          if (value === null) return [name, null];
          return [name, kind === 'timestamp' ? micros(String(value)) : normal(String(value), kind)];
        }),
      ),
    ]),
  );
}

function micros(instant: string): string {
  return String(BigInt(Date.parse(`${instant.slice(0, 23)}Z`)) * 1000n + BigInt(instant.slice(23, 26)));
}

function normal(text: string | null, kind: ColumnKind): unknown {
  if (text === null) return null;
  // PyAirbyte keeps nine digits behind the point, of doubles too.
  if (kind === 'double') return Number(text).toFixed(9);
  if (kind === 'decimal' || kind === 'minorUnits') {
    const plain = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
    return plain.replace(/[-.]/g, '').length > 15 ? BEYOND_DOUBLE : plain;
  }
  return kind === 'json' ? jsonOf(text) : text;
}

/** A JSON value as PyAirbyte's text column spells it: a string without its quotation marks, all else as JSON. */
function jsonOf(text: string): unknown {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'string' ? value : JSON.stringify(sorted(value));
  } catch {
    return text;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

test('the pins of the tools are exact', () => {
  const lines = readFileSync(new URL('airbyte/requirements.txt', import.meta.url), 'utf8').split('\n');
  for (const line of lines.filter((each) => each !== '' && !each.startsWith('#')))
    expect(line).toMatch(/^[a-z0-9-]+==[\d.]+$/);
});
