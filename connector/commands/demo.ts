import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { configError, systemError } from '../../destinations/failure.ts';
import { STREAMS } from '../../schemas/registry.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { Simulator } from '../../simulator/simulator.ts';
import { parseConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { changesText, tablesText } from '../output/demo.ts';
import { logReporter } from '../output/reporters.ts';
import { count, counted, span } from '../output/words.ts';
import type { Reporter } from '../report.ts';
import type { Summary } from '../summary.ts';
import type { RunCommand } from './commands.ts';
import type { CommandContext } from './context.ts';
import { compareRows, readRows } from './demo-rows.ts';
import { EXIT } from './exit-codes.ts';
import { programName, quoted } from './program.ts';
import { syncConnected } from './sync.ts';
import { connected } from './told-run.ts';

const RECORDS_EACH = 2_000;
/** How many records change in each of the streams that are picked for it. */
const CHANGED_EACH = 2;
const NEW = 3;
/** The API's `Date` header has whole seconds: what changes now is before the next run's end only a moment later. */
const A_MOMENT_MS = 2_000;

/**
 * The main job in front of one's eyes: a local API, a first run into a DuckDB file, a few changes, a second run that writes
 * exactly those, and the rows before and after. Ends by itself; exit code 0 only if the second run did just that.
 */
export const run: RunCommand = async ({ path }, context) => {
  const file = newFile(typeof path === 'string' ? path : null);
  const { startSimulator } = await import('../../simulator/simulator.ts');
  const simulator = await startSimulator({ rows: RECORDS_EACH });
  try {
    await show(simulator, file, context);
    return EXIT.done;
  } finally {
    await simulator.stop();
  }
};

async function show(simulator: Simulator, file: string, context: CommandContext): Promise<void> {
  const { print } = context;
  const config = configFor(simulator, file);
  print(`A ClearGrid API is running at ${simulator.url}:`);
  print(`${STREAMS.length} datasets of ${count(RECORDS_EACH)} records each.`);

  print('\n1. The first run loads everything.\n');
  const first = await sync(config, context);
  print(tablesText(first.streams, process.stdout));
  print(`\n   ${counted(written(first), 'row')} in ${took(first)}.`);

  const changing = pickChanging();
  const keys = new Map(changing.map((stream) => [stream, simulator.change(stream.dataset.code, CHANGED_EACH)]));
  const growing = pickGrowing();
  simulator.insert(growing.dataset.code, NEW);
  simulator.advance(A_MOMENT_MS);
  const expected = changing.length * CHANGED_EACH + NEW;
  print('\n2. At ClearGrid, something happens.\n');
  for (const { name } of changing) print(`   ${CHANGED_EACH} rows change in ${name}`);
  print(`   ${NEW} rows are new in ${growing.name}`);

  const before = await readRows(config, keys);
  print('\n3. The second run picks up exactly those.\n');
  const second = await sync(config, context);
  print(
    tablesText(
      second.streams.filter((stream) => stream.rows_written > 0),
      process.stdout,
    ),
  );
  const unchanged = second.streams.reduce((sum, stream) => sum + stream.rows_unchanged, 0);
  print(
    `\n   ${counted(written(second), 'row')} written in ${took(second)}; ${count(unchanged)} looked at again and left as they were.`,
  );
  const after = await readRows(config, keys);

  print('\n4. The changed rows, before and after.\n');
  print(changesText(compareRows(before, after), process.stdout));

  if (written(second) !== expected)
    throw systemError(`the second run wrote ${written(second)} rows where ${expected} had changed; please report this`);
  print(`\nThe rows are in ${file}. To go on:`);
  const program = programName();
  print(`   ${program} simulate     serves such an API, and prints a config for it`);
  print(`   ${program} --help       tells the rest`);
  print(`With DuckDB's own program (duckdb.org), which is not part of this one:`);
  print(`   duckdb ${quoted(file)} "from ${changing[0]!.name} limit 5"`);
}

async function sync(config: Config, { log, signal, terminal }: CommandContext): Promise<Summary> {
  const live = terminal
    ? (await import('../output/progress.ts')).terminalReporter(log, process.stderr, { endings: false })
    : null;
  const quiet: Reporter = { ...logReporter(log), streamStarted: () => {}, progress: () => {}, streamEnded: () => {} };
  let summary: Summary;
  try {
    summary = await connected(config, signal, (opened) =>
      syncConnected(opened, { streams: null, flags: {}, task: null }, live ?? quiet),
    );
  } finally {
    live?.close();
  }
  signal.throwIfAborted();
  const failed = summary.streams.find((stream) => stream.error !== null);
  if (failed !== undefined) throw systemError(`${failed.stream}: ${failed.error!.message}`);
  return summary;
}

/** Streams with amounts whose rows change: what a reader recognises at once. */
function pickChanging(): Stream[] {
  const hasAmounts = (stream: Stream) => stream.columns.some((column) => column.kind === 'minorUnits');
  return STREAMS.filter((stream) => stream.cursor === stream.version && hasAmounts(stream)).slice(0, 2);
}

/** A stream whose rows are only ever added. */
function pickGrowing(): Stream {
  return STREAMS.find((stream) => stream.version === null) ?? STREAMS[0]!;
}

function configFor({ url, lender, email, password }: Simulator, file: string): Config {
  const destination = { type: 'duckdb', path: file };
  return parseConfig({ lender, email, password, base_url: url, destination }, {}, 'the demo');
}

/** A file that does not exist yet: nobody's rows are written over. */
function newFile(path: string | null): string {
  if (path === null) return join(mkdtempSync(join(tmpdir(), 'cleargrid-demo-')), 'cleargrid.duckdb');
  const file = resolve(path);
  if (existsSync(file))
    throw configError(`--path: ${file} exists already, and the demo only writes a new file; name another one`);
  const folder = dirname(file);
  if (!existsSync(folder))
    throw configError(`--path: the folder ${folder} does not exist; make it, or name another one`);
  return file;
}

const written = (summary: Summary) => summary.streams.reduce((sum, stream) => sum + stream.rows_written, 0);
const took = (summary: Summary) => span((Date.parse(summary.ended_at) - Date.parse(summary.started_at)) / 1000);
