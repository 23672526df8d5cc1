import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { Stream } from '../schemas/stream.ts';
import type { SimulatorOptions } from '../simulator/options.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { createFolder } from './cli-process.ts';
import { allDifferences } from './kill.ts';
import { type ServerOptions, startPostgres, type TestServer } from './postgres-server.ts';
import { configFor } from './postgres-target.ts';

/**
 * What a test of the executable on Postgres works with: one server a file; a database, a folder and a simulated API of its own each test. These
 * are set by the hooks of `usePostgres` and by `serve`, and whoever imports them sees what they are now.
 */
export let server: TestServer;
export let database: string;
export let admin: pg.Client;
export let simulator: Simulator;
export let folder: ReturnType<typeof createFolder>;
/** The config file. */
export let config: string;

let streams: readonly Stream[] = [];

/** Registers the hooks; what a file has of its own comes after. A session that the code under test leaves open fails its test. */
export function usePostgres(options: ServerOptions = {}): void {
  beforeAll(async () => {
    server = await startPostgres(options);
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    folder = createFolder();
    database = await server.createDatabase();
    admin = await server.connect(database);
  });
  afterEach(async () => {
    expect(await server.sessionsLeft(database)).toBe(0);
    await admin.end();
    await simulator.stop();
    folder.remove();
  });
}

/** Starts the API, and writes a config for these streams of it. */
export async function serve(of: readonly Stream[], options: SimulatorOptions, more: object = {}): Promise<void> {
  streams = of;
  simulator = await startSimulator(options);
  const { lender, email, password, url } = simulator;
  config = folder.config('config.json', {
    ...{ lender, email, password, base_url: url, streams: streams.map(({ name }) => name) },
    destination: configFor(server, database, 'cleargrid'),
    ...more,
  });
}

/** How the tables differ from what the API holds. */
export const differences = () =>
  allDifferences(simulator, streams, configFor(server, database, 'cleargrid'), ({ name }) => `cleargrid."${name}"`);
