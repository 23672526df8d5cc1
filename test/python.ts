import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/**
 * The Python whose packages are those of `test/airbyte/requirements.txt` (and, for the tests of Airflow and of dbt, of
 * `test/airflow/requirements.txt` and `test/dbt/requirements.txt`): `.ci/python.sh` makes such environments. Tests that need
 * one are skipped by name where there is none.
 */
export const PYTHON = process.env.CLEARGRID_TEST_PYTHON ?? null;
export const AIRFLOW_PYTHON = process.env.CLEARGRID_TEST_AIRFLOW_PYTHON ?? null;
export const DBT_PYTHON = process.env.CLEARGRID_TEST_DBT_PYTHON ?? null;

export interface PythonRun {
  readonly script: string;
  readonly args?: readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs a script of this folder to its end. @throws {Error} with what it said, when it fails. */
export async function python(
  interpreter: string,
  { script, args = [], input = '', env, cwd }: PythonRun,
): Promise<string> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(interpreter, [path, ...args], {
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
  });
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (code !== 0) throw new Error(`${script} ended with ${code}\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`);
  return stdout;
}
