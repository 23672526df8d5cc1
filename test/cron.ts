import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Debian's cron, for root alone. Tests that need one are skipped by name where there is none. */
export const HAS_CRON =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['--mount', 'sh', '-c', 'command -v cron && command -v flock']).status === 0;

const PID_FILE = '/run/crond.pid';

/** Only the crontab in the folder is there for it, and no other cron of this machine in its way. */
const ALONE = `
mount --bind "$0/cron.d" /etc/cron.d && mount --bind "$0/none" /var/spool/cron/crontabs &&
mount --bind "$0/empty" /etc/crontab && mount --bind "$0/pid" ${PID_FILE} && exec cron -f`;

/** Starts a cron with this file in its `/etc/cron.d`; gives what ends it. What it has started goes on to its own end. */
export function startCron(folder: string, crontab: string): () => Promise<void> {
  for (const name of ['cron.d', 'none']) mkdirSync(join(folder, name));
  for (const name of ['empty', 'pid']) writeFileSync(join(folder, name), '');
  writeFileSync(join(folder, 'cron.d', 'cleargrid'), crontab, { mode: 0o644 });
  const isFirst = !existsSync(PID_FILE);
  if (isFirst) writeFileSync(PID_FILE, '');
  const cron: ChildProcess = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', ALONE, folder], {
    stdio: 'ignore',
  });
  const ended = once(cron, 'close');
  return async () => {
    cron.kill();
    await ended;
    if (isFirst) rmSync(PID_FILE, { force: true });
  };
}
