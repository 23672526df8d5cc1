import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The executable as a process of its own, for the tests of the command line. */
export const EXECUTABLE = fileURLToPath(new URL('../connector/bin.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The log, line by line. */
  readonly log: readonly Record<string, unknown>[];
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Flags for Node itself. */
  readonly node?: readonly string[];
}

export interface Running {
  readonly process: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  /** Resolves with the first line on stdout. */
  firstLine(): Promise<string>;
}

export function start(args: readonly string[], { cwd, env, node = [] }: RunOptions = {}): Running {
  const child = spawn(process.execPath, [...node, EXECUTABLE, ...args], {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr, log: linesOf(stderr) }));
  return {
    process: child,
    ended,
    firstLine: async () => {
      while (!stdout.includes('\n')) {
        if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${stderr}`);
        await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
      }
      return stdout.slice(0, stdout.indexOf('\n'));
    },
  };
}

export const run = (args: readonly string[], options?: RunOptions): Promise<Ended> => start(args, options).ended;

function linesOf(stderr: string): Record<string, unknown>[] {
  return stderr.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Record<string, unknown>];
    } catch {
      return [];
    }
  });
}

/** A temporary folder with config files in it. */
export function createFolder() {
  const path = mkdtempSync(join(tmpdir(), 'cleargrid-cli-'));
  return {
    path,
    config: (name: string, config: unknown): string => {
      const file = join(path, name);
      writeFileSync(file, JSON.stringify(config));
      return file;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
