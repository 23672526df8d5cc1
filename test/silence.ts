import { spawnSync } from 'node:child_process';

const iptables = (...args: string[]) => spawnSync('iptables', ['-w', '5', ...args], { stdio: 'ignore' }).status === 0;

/** Whether packets can be dropped here: there is iptables, and this user may use it. */
export const canSilence = iptables('-n', '-L', 'INPUT');

/**
 * Drops every packet between a server of this machine and some of its clients from now on, as where a machine or the way to it has
 * gone without a word: neither side is told.
 *
 * @returns what lets them through again.
 */
export function silence(server: number, clients: readonly number[]): () => void {
  const rules = clients.flatMap((client) => [
    ['-i', 'lo', '-p', 'tcp', '--sport', String(client), '--dport', String(server), '-j', 'DROP'],
    ['-i', 'lo', '-p', 'tcp', '--sport', String(server), '--dport', String(client), '-j', 'DROP'],
  ]);
  for (const rule of rules) if (!iptables('-I', 'INPUT', ...rule)) throw new Error('iptables takes no rule');
  return () => {
    for (const rule of rules) iptables('-D', 'INPUT', ...rule);
  };
}
