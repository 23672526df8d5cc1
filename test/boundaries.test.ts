import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { STREAMS } from '../schemas/registry.ts';

/** What the folders promise of each other, read from the import lines. */

const FOLDERS = ['connector', 'destinations', 'schemas', 'accounts', 'simulator', 'bench', 'test'] as const;
type Folder = (typeof FOLDERS)[number];

/** Whom each folder may import, beside itself; what `REACHED` says, lazily, besides. */
const MAY_IMPORT: Record<Folder, readonly Folder[]> = {
  schemas: [],
  destinations: ['schemas'],
  connector: ['destinations', 'schemas'],
  accounts: ['connector', 'destinations', 'schemas'],
  simulator: [],
  bench: ['connector', 'destinations', 'schemas', 'accounts', 'simulator', 'test'],
  test: ['connector', 'destinations', 'schemas', 'accounts', 'simulator', 'bench'],
};

/** What the modules of single commands reach beyond that, since the way there is not for the others: a command is the top of its own. */
const REACHED: Readonly<Record<string, Folder>> = {
  'connector/commands/demo.ts': 'simulator',
  'connector/commands/simulate.ts': 'simulator',
  'connector/commands/simulate-flags.ts': 'simulator',
  'connector/commands/push.ts': 'accounts',
  'connector/commands/reconcile.ts': 'accounts',
};

/** Where each outside package may be imported. */
const HOME_OF: Record<string, readonly string[]> = {
  undici: ['connector/api/'],
  pg: ['destinations/postgres/'],
  'pg-copy-streams': ['destinations/postgres/'],
  '@google-cloud/bigquery': ['destinations/bigquery/'],
  'google-auth-library': ['destinations/bigquery/'],
  '@duckdb/node-api': ['destinations/duckdb/'],
  '@duckdb/node-bindings': ['destinations/duckdb/'],
  'p-limit': ['connector/sync/'],
  luxon: ['connector/config/'],
  zod: ['connector/config/', 'connector/airbyte/', 'destinations/', 'accounts/'],
  'fastest-levenshtein': ['connector/config/'],
  'jsonc-parser': ['connector/config/'],
  '@opentelemetry/api': ['connector/telemetry/'],
  '@opentelemetry/exporter-metrics-otlp-proto': ['connector/telemetry/'],
  '@opentelemetry/exporter-trace-otlp-proto': ['connector/telemetry/'],
  '@opentelemetry/resources': ['connector/telemetry/'],
  '@opentelemetry/sdk-metrics': ['connector/telemetry/'],
  '@opentelemetry/sdk-trace': ['connector/telemetry/'],
  '@opentelemetry/semantic-conventions': ['connector/telemetry/'],
  'log-update': ['connector/output/'],
  'cli-table3': ['connector/output/'],
  '@observablehq/plot': ['connector/report-page/'],
  domino: ['connector/report-page/'],
  'csv-parse': ['accounts/input/'],
  'i18n-iso-countries': ['accounts/fields.ts'],
  'currency-codes': ['accounts/proof/'],
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly lazy: boolean;
  readonly typeOnly: boolean;
}

const files = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.{ts,js}`)).map(normalize);
const sources = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
const imports = [...sources].flatMap(([file, source]) => importsOf(file, source));
const ours = imports.filter(({ to }) => to.startsWith('.'));
const shipped = (file: string) => !file.startsWith('test/') && !file.startsWith('bench/');

test('the source is read at all', () => {
  expect(files.length).toBeGreaterThan(100);
  expect(ours.length).toBeGreaterThan(200);
});

test('imports point one way', () => {
  const wrong = ours.filter(({ from, to, lazy, typeOnly }) => {
    const target = folderOf(join(dirname(from), to));
    const source = folderOf(from);
    if (target === null || source === null || target === source) return false;
    if (MAY_IMPORT[source].includes(target)) return false;
    return !((lazy || typeOnly) && REACHED[from] === target);
  });
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

test('each outside package has one home', () => {
  const strangers = imports.filter(({ from, to, typeOnly }) => {
    if (!shipped(from) || typeOnly || to.startsWith('.') || to.startsWith('node:')) return false;
    const name = to.startsWith('@') ? to.split('/').slice(0, 2).join('/') : to.split('/')[0]!;
    return !HOME_OF[name]?.some((home) => from.startsWith(home));
  });
  expect(strangers.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

/** Datasets that the API keeps for later. */
const RESERVED = ['D04', 'D06', 'D10', 'D11', 'D13', 'D24'];

test('no dataset is named outside its own file, the registry and the simulator', () => {
  const names = STREAMS.map((stream) => stream.name);
  const codes = [...STREAMS.map((stream) => stream.dataset.code), ...RESERVED];
  // Words of the language, too: these count where they are quoted.
  const ambiguous = new Set(['borrowers', 'conversations']);
  const pattern = (name: string) => new RegExp(ambiguous.has(name) ? `(['"\`])${name}\\1` : `\\b${name}\\b`);
  const told = [...sources].filter(
    ([file]) => /^(connector|destinations|schemas)\//.test(file) && !/^schemas\/(streams\/|registry)/.test(file),
  );
  const wrong = told.flatMap(([file, source]) => {
    const code = withoutComments(source);
    const found = [...names, ...codes].filter((name) => pattern(name).test(code));
    return found.map((name) => `${file} names ${name}`);
  });
  expect(wrong).toEqual([]);
});

test('no file of the product is longer than 300 lines', () => {
  const long = [...sources].filter(([file, source]) => shipped(file) && source.split('\n').length > 300);
  expect(long.map(([file]) => file)).toEqual([]);
});

test('drivers and other heavy packages load only when they are needed', () => {
  const lazyFolders = ['destinations/postgres/', 'destinations/bigquery/', 'destinations/duckdb/'];
  const eager = ours.filter(({ from, to, lazy, typeOnly }) => {
    const target = normalize(join(dirname(from), to));
    const driver = lazyFolders.find((folder) => target.startsWith(folder));
    return shipped(from) && driver !== undefined && !from.startsWith(driver) && !lazy && !typeOnly;
  });
  expect(eager.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

function folderOf(path: string): Folder | null {
  const first = normalize(path).split('/')[0];
  return FOLDERS.find((folder) => folder === first) ?? null;
}

function importsOf(from: string, source: string): Import[] {
  const code = withoutComments(source);
  const statics = [...code.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm)];
  const dynamics = [...code.matchAll(/\bimport\(\s*'([^']+)'/g)];
  return [
    ...statics.map(([, type, to]) => ({ from, to: to!, lazy: false, typeOnly: type !== undefined })),
    ...dynamics.map(([, to]) => ({ from, to: to!, lazy: true, typeOnly: false })),
  ];
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
