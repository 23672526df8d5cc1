import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, type TestServer } from './postgres-server.ts';

/** Whether this machine has PgBouncer, and somebody whom it may run as. */
export const hasPgBouncer =
  spawnSync('pgbouncer', ['--version']).status === 0 &&
  (process.getuid?.() !== 0 || spawnSync('id', ['-u', 'postgres']).status === 0);

/** Starts PgBouncer before a database of a test server. */
export async function startPgBouncer(server: TestServer, database: string, mode: 'transaction' | 'session') {
  const folder = await mkdtemp(join(tmpdir(), 'cleargrid-pgbouncer-'));
  await chmod(folder, 0o755);
  const port = await freePort();
  await writeFile(join(folder, 'users.txt'), `"${server.user}" "${server.password}"\n`);
  await writeFile(
    join(folder, 'pgbouncer.ini'),
    `[databases]
${database} = host=${server.host} port=${server.port} dbname=${database} user=${server.user} password=${server.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${join(folder, 'users.txt')}
pool_mode = ${mode}
default_pool_size = 10
`,
  );
  const user = process.getuid?.() === 0 ? ['--user', 'postgres'] : [];
  const child: ChildProcess = spawn('pgbouncer', [...user, join(folder, 'pgbouncer.ini')], { stdio: 'ignore' });
  await untilAnswered(port);
  return {
    address: { host: '127.0.0.1', port },
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilAnswered(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const socket = connect(port, '127.0.0.1');
    const answered = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (answered) return;
    await wait(50);
  }
  throw new Error('PgBouncer does not start');
}
