import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** A Docker engine, as `DOCKER_HOST` names it; `test/docker/docker-up.sh` starts one. Tests that need one are skipped by name without. */
export const HAS_DOCKER = spawnSync('docker', ['version'], { stdio: 'ignore' }).status === 0;

export interface DockerRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the docker command to its end. */
export async function docker(...args: string[]): Promise<DockerRun> {
  const child = spawn('docker', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

/** The same, which must succeed. */
export async function dockerOutput(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await docker(...args);
  if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout.trim();
}

/** Where this machine is for a container of the default network: the first address of its subnet. */
export async function hostAddress(): Promise<string> {
  const subnet = await dockerOutput('network', 'inspect', 'bridge', '--format', '{{(index .IPAM.Config 0).Subnet}}');
  return subnet.replace(/\d+\/\d+$/, '1');
}
