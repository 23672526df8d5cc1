import { afterEach, beforeEach, expect } from 'vitest';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../simulator/simulator.ts';
import { createFolder, type Ended, type RunOptions, run } from '../cli-process.ts';
import { type Collector, type ReceivedSpan, startCollector } from './collector.ts';

export const STREAMS = ['borrower_sub_accounts', 'borrower_payments', 'borrowers'];
export const PASSWORD = 'hunter2-hunter2';

type Env = Readonly<Record<string, string>>;

/** An API and a collector for each test, and the command line between them. */
export interface TelemetryWorld {
  readonly folder: ReturnType<typeof createFolder>;
  readonly simulator: Simulator;
  readonly collector: Collector;
  /** The path of the config file. */
  readonly config: string;
  serve(options?: SimulatorOptions, more?: object): Promise<void>;
  collect(collector?: Promise<Collector>): Promise<void>;
  settings(env?: Env): RunOptions;
  sync(env?: Env): Promise<Ended>;
  /** The only span of a name. */
  only(name: string): ReceivedSpan;
  /** The sum of a metric's points, of one stream or of all. */
  measured(metric: string, stream?: string): number;
}

export function telemetryWorld(): TelemetryWorld {
  let folder: ReturnType<typeof createFolder>;
  let simulator: Simulator;
  let collector: Collector;
  let config: string;
  beforeEach(() => {
    folder = createFolder();
  });
  afterEach(async () => {
    await simulator?.stop();
    await collector?.stop();
    folder.remove();
  });

  const settings = (env: Env = {}) => ({
    cwd: folder.path,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env },
  });
  return {
    get folder() {
      return folder;
    },
    get simulator() {
      return simulator;
    },
    get collector() {
      return collector;
    },
    get config() {
      return config;
    },
    async serve(options = {}, more = {}) {
      simulator = await startSimulator({ rows: { D03: 6_000, D07: 1_500, D01: 500 }, password: PASSWORD, ...options });
      const { lender, email, password, url } = simulator;
      config = folder.config('config.json', { lender, email, password, base_url: url, streams: STREAMS, ...more });
    },
    async collect(started = startCollector()) {
      collector = await started;
    },
    settings,
    sync: (env) => run(['sync', '--config', config], settings(env)),
    only(name) {
      const found = collector.spans().filter((span) => span.name === name);
      expect([name, found.length]).toEqual([name, 1]);
      return found[0]!;
    },
    measured: (metric, stream) =>
      collector
        .points()
        .filter(({ attributes }) => stream === undefined || attributes['cleargrid.stream'] === stream)
        .reduce((sum, point) => sum + (point.metric === metric ? point.value : 0), 0),
  };
}
