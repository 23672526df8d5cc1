import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './postgres-server.ts';

/** An emulator to test with. */
export interface Emulator {
  readonly project: string;
  readonly endpoint: string;
  /** Starts it again with nothing in it: it becomes slower with every dataset it ever had. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const PROJECT = 'test-project';
const NO_PYTHON = 3;

/**
 * Starts an emulator for one test file, where `CLEARGRID_TEST_BIGQUERY` is set, and installs it where it is the first; one that runs is
 * used where `CLEARGRID_TEST_BIGQUERY_ENDPOINT` names it.
 *
 * @returns null where neither is set, or there is no Python 3.13.
 */
export async function startEmulator(): Promise<Emulator | null> {
  process.env.METADATA_SERVER_DETECTION = 'none';
  const given = process.env.CLEARGRID_TEST_BIGQUERY_ENDPOINT;
  if (given !== undefined) return { project: PROJECT, endpoint: given, restart: async () => {}, stop: async () => {} };

  if (!process.env.CLEARGRID_TEST_BIGQUERY) return null;

  const port = await freePort();
  const grpc = await freePort();

  async function start(): Promise<Running> {
    const data = await mkdtemp(join(tmpdir(), 'cleargrid-bigquery-data-'));
    const own = { BQ_DATA: data, BQ_PORT: String(port), BQ_GRPC_PORT: String(grpc), BQ_PROJECT: PROJECT };
    try {
      await promisify(execFile)(join(import.meta.dirname, 'bigquery/up.sh'), { env: { ...process.env, ...own } });
      return { data, pid: Number(await readFile(join(data, 'pid'), 'utf8')) };
    } catch (error) {
      await rm(data, { recursive: true, force: true });
      throw error;
    }
  }

  async function end({ data, pid }: Running): Promise<void> {
    process.kill(pid);
    while (isAlive(pid)) await sleep(20);
    await rm(data, { recursive: true, force: true });
  }

  let running: Running;
  try {
    running = await start();
  } catch (error) {
    if ((error as { code?: unknown }).code !== NO_PYTHON) throw error;
    return null;
  }
  return {
    project: PROJECT,
    endpoint: `http://127.0.0.1:${port}`,
    async restart() {
      await end(running);
      running = await start();
    },
    stop: () => end(running),
  };
}

interface Running {
  readonly data: string;
  readonly pid: number;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
