import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { SimulatorOptions } from '../simulator/simulator.ts';

/** What benchmarks share: a simulated API in its own process, measured child processes, medians. */

export interface ServedApi {
  readonly url: string;
  readonly lender: string;
  readonly email: string;
  readonly password: string;
  /** New versions of `count` records. */
  change(code: string, count: number): Promise<void>;
  stop(): Promise<void>;
}

export async function serve(options: SimulatorOptions): Promise<ServedApi> {
  const script = new URL('simulator-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--max-old-space-size=4096', script, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const told = JSON.parse((await lines.next()).value as string) as Omit<ServedApi, 'change' | 'stop'>;
  return {
    ...told,
    change: async (code, count) => {
      child.stdin.write(`change ${code} ${count}\n`);
      await lines.next();
    },
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.stdin.end();
      }),
  };
}

export interface Measured {
  readonly seconds: number;
  /** User and system time of the whole process. */
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
  /** What it printed to standard output. */
  readonly output: string;
}

/** How the image runs the connector (docker/Dockerfile), as far as it matters to memory. */
export const AS_IN_THE_IMAGE: Launch = { flags: ['--max-semi-space-size=4'], env: { MALLOC_ARENA_MAX: '1' } };

export interface Launch {
  /** For Node itself. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a Node program as a process of its own and measures all of it.
 *
 * @param output where its standard output goes: into the result, or to /dev/null.
 * @throws {Error} when it does not exit with 0.
 */
export function measure(
  script: string,
  args: readonly string[] = [],
  { flags = [], env = {} }: Launch = {},
  output: 'kept' | 'dropped' = 'kept',
): Promise<Measured> {
  const usage = new URL('usage.js', import.meta.url).pathname;
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(process.execPath, [...flags, '--import', usage, script, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', output === 'kept' ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    const told = [1, 2, 3].map((descriptor) => {
      const chunks: Buffer[] = [];
      child.stdio[descriptor]?.on('data', (chunk: Buffer) => chunks.push(chunk));
      return () => Buffer.concat(chunks).toString();
    });
    child.once('close', (code) => {
      const seconds = (performance.now() - began) / 1000;
      const [printed, errors, usageText] = told.map((text) => text()) as [string, string, string];
      if (code !== 0) return reject(new Error(`${script} ended with ${code}: ${errors.slice(-2000)}`));
      resolve({ seconds, output: printed, ...JSON.parse(usageText) });
    });
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** A number for people: `123k`, `1.25`. */
export function figure(value: number): string {
  return value >= 10_000 ? `${Math.round(value / 1000)}k` : value >= 100 ? String(Math.round(value)) : value.toFixed(2);
}
