import type { z } from 'zod';
import { didYouMean } from './nearest.ts';
import { isPrintable, knownKeys, type Path, valueAt } from './nodes.ts';

/** One thing that is wrong with a config, and where. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** What zod found, in this project's words: one problem for each unknown key and each wrong value. */
export function problemsOf(issues: readonly Issue[], config: unknown): Problem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, config));
}

function problemsOfIssue(issue: Issue, config: unknown): Problem[] {
  const path = issue.path as Path;
  const value = valueAt(config, path);
  const problem = (message: string): Problem[] => [{ path, message }];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `is no known key${didYouMean(key, knownKeys(config, path))}`,
      }));
    case 'invalid_type':
      if (value === undefined) return problem('is missing');
      return problem(`must be ${typeWord(issue.expected)}${typeof value === 'number' ? '' : `, not ${typeOf(value)}`}`);
    case 'invalid_value':
      return problem(oneOf(issue.values.map(String), value));
    case 'too_small':
      if (issue.origin !== 'number' && issue.origin !== 'int') return problem('must not be empty');
      return problem(`must be at least ${issue.minimum}`);
    case 'too_big':
      return problem(`must be at most ${issue.maximum}`);
    case 'invalid_union':
      return problemsOfUnion(issue, config);
    default:
      return problem(issue.message);
  }
}

function problemsOfUnion(issue: Issue & { code: 'invalid_union' }, config: unknown): Problem[] {
  const path = issue.path as Path;
  const value = valueAt(config, path);
  if (issue.discriminator !== undefined) {
    const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
    return [{ path, message: value === undefined ? `is missing: ${oneOf(options, value)}` : oneOf(options, value) }];
  }
  const isAboutType = (inner: Issue) => inner.code === 'invalid_type' && inner.path.length === 0;
  const meant = issue.errors.find((errors) => !errors.some(isAboutType));
  if (meant !== undefined)
    return problemsOf(
      meant.map((inner) => ({ ...inner, path: [...path, ...inner.path] as PropertyKey[] })),
      config,
    );
  const types = issue.errors
    .flat()
    .flatMap((inner) => (inner.code === 'invalid_type' ? [typeWord(inner.expected)] : []));
  return [{ path, message: `must be ${types.join(' or ')}, not ${typeOf(value)}` }];
}

function oneOf(options: readonly string[], value: unknown): string {
  const hint = typeof value === 'string' ? didYouMean(value, options) : '';
  return `must be ${options.map((option) => `"${option}"`).join(' or ')}${hint}`;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  array: 'a list',
};

const typeWord = (type: string) => TYPE_WORDS[type] ?? type;

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'boolean' ? String(value) : typeWord(typeof value);
}

/** `destination.port`, `stream_overrides[0].name`; the whole config is `config`. */
export function pathText(path: Path): string {
  if (path.length === 0) return 'config';
  return path.map((key, at) => (typeof key === 'number' ? `[${key}]` : at === 0 ? key : `.${key}`)).join('');
}

const LONGEST_VALUE = 40;

/**
 * One line a problem. The value stands there only where no secret is expected, nor can have been put by mistake; what holds
 * an `@` may be a login in a URL.
 */
export function problemLine({ path, message }: Problem, config: unknown, fromEnvironment: ReadonlySet<string>): string {
  const text = pathText(path);
  const value = valueAt(config, path);
  const shown =
    (typeof value === 'string' || typeof value === 'number') &&
    String(value).length <= LONGEST_VALUE &&
    value !== '' &&
    !String(value).includes('@') &&
    isPrintable(config, path) &&
    !fromEnvironment.has(text);
  return shown ? `${text}: ${message} (it is ${JSON.stringify(value)})` : `${text}: ${message}`;
}
