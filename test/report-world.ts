import { join } from 'node:path';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { createFolder, run } from './cli-process.ts';

/** A simulated API, a destination, and a day of runs into it: what a report page has to show. */

/** Stands in values of records; a page that shows it shows a value of a row. */
export const MARK = 'MARKED-VALUE';
export const SECRET = 'a-secret-password';

const HOUR = 3_600_000;
const ROWS = 60;

export interface ReportWorld {
  readonly simulator: Simulator;
  readonly config: string;
  readonly folder: string;
  /** A run an hour after the one before. */
  sync(...flags: string[]): Promise<void>;
  report(out?: string): Promise<{ code: number | null; stderr: string; path: string }>;
  end(): Promise<void>;
}

interface WorldOptions {
  /** How many runs there will be, an hour apart: the API's clock begins so much before the machine's. */
  readonly hours: number;
  /** More of the config: a destination in place of a DuckDB file. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export async function reportWorld({ hours, more = {} }: WorldOptions): Promise<ReportWorld> {
  const folder = createFolder();
  const simulator = await startSimulator({ rows: ROWS, clockOffsetMs: -hours * HOUR, password: SECRET });
  const { lender, email, password, url } = simulator;
  const destination = { type: 'duckdb', path: join(folder.path, 'warehouse.duckdb') };
  const config = folder.config('config.json', { lender, email, password, base_url: url, destination, ...more });
  return {
    simulator,
    config,
    folder: folder.path,
    async sync(...flags) {
      // The API's `Date` header has whole seconds: what changed just now is before a run's end only a moment later.
      simulator.advance(2_000);
      await run(['sync', '--config', config, ...flags]);
      simulator.advance(HOUR);
    },
    async report(out = join(folder.path, 'report.html')) {
      const { code, stderr } = await run(['report', '--config', config, '--out', out]);
      return { code, stderr, path: out };
    },
    async end() {
      await simulator.stop();
      folder.remove();
    },
  };
}

/** Rows change and come, some hold what does not fit and some have no key, the API falters, and one stream fails in the end. */
export async function aDayOfRuns(world: ReportWorld, runs: number): Promise<void> {
  const { simulator } = world;
  await world.sync();
  for (let at = 1; at < runs; at++) {
    simulator.change('D02', 5 + ((at * 7) % 23));
    simulator.change('D01', (at * 5) % 11);
    simulator.insert('D21', 4 + ((at * 3) % 9), { message: MARK });
    simulator.insert('D17', 2 + (at % 5));
    simulator.insert('D07', at % 4);
    if (at % 3 === 0) simulator.failNext(2, '503', { route: 'page' });
    if (at === runs - 1) {
      simulator.insert('D08', 3, { public_id: null, status: MARK });
      simulator.insert('D12', 2, { public_id: { [MARK]: MARK } });
      simulator.change('D02', 4, { balance_amount: `${MARK} is no number`, merchant_name: MARK });
      simulator.list('D03', { cursorField: 'created_at' });
    }
    await world.sync();
  }
}
