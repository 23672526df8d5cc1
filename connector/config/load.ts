import { readFile } from 'node:fs/promises';
import { configError, type Failure } from '../../destinations/failure.ts';
import { crossChecks } from './checks.ts';
import { substitute } from './environment.ts';
import { readJson } from './json.ts';
import { type Problem, pathText, problemLine, problemsOf } from './problems.ts';
import { type Config, configSchema } from './schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the config file, takes `${NAME}` from the environment and checks everything at once.
 *
 * @throws {Failure} `config_error` that names every problem with its path, and no value that could be a secret.
 */
export async function loadConfig(path: string, env: Environment): Promise<Config> {
  const { value, problems } = await readJson(await readText(path), path);
  return parseConfig(value, env, path, problems);
}

/** The same for a config that has been read already, with these problems; `where` is what they are said to be in. */
export function parseConfig(read: unknown, env: Environment, where: string, known: readonly Problem[] = []): Config {
  const { value, paths, problems: unset } = substitute(read, env);
  const parsed = configSchema.safeParse(value);
  const unsetPaths = new Set(unset.map((problem) => pathText(problem.path)));
  const found = parsed.success ? [] : problemsOf(parsed.error.issues, value);
  const others = [...found, ...crossChecks(value)].filter((problem) => !unsetPaths.has(pathText(problem.path)));
  const problems = [...known, ...unset, ...others];
  if (parsed.success && problems.length === 0) return parsed.data;
  throw refusal(
    where,
    problems.map((problem: Problem) => problemLine(problem, value, paths)),
  );
}

function refusal(where: string, lines: readonly string[]): Failure {
  const count = lines.length === 1 ? '1 problem' : `${lines.length} problems`;
  return configError([`${where} has ${count}:`, ...lines.map((line) => `  ${line}`)].join('\n'));
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist; check --config',
  EISDIR: 'is a folder; --config takes a file',
  EACCES: 'may not be read by this user; check its permissions',
};

async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'an unknown error';
    throw configError(`the config file ${path} ${READ_ERRORS[code] ?? `cannot be read (${code})`}`, error);
  }
}
