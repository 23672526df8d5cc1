import { isNeverText, type Path } from './nodes.ts';
import { type Problem, pathText } from './problems.ts';

export interface Substituted {
  readonly value: unknown;
  /** The paths (as text) whose value holds something from the environment. */
  readonly paths: ReadonlySet<string>;
  /** One for each variable that is not set, or cannot be one. */
  readonly problems: readonly Problem[];
}

/** `${NAME}`; `$${NAME}` stands for the text `${NAME}` itself. */
const VARIABLE = /\$(\$?)\{([^{}]*)\}/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The config with `${NAME}` in any text replaced by the environment's `NAME`, once: what comes from there is taken as it is.
 * Where only a number or a boolean can be meant, a value that is one variable becomes one.
 */
export function substitute(config: unknown, env: Readonly<Record<string, string | undefined>>): Substituted {
  const paths = new Set<string>();
  const problems: Problem[] = [];

  const text = (template: string, path: Path): unknown => {
    const replaced = template.replace(VARIABLE, (whole, escaped: string, name: string) => {
      if (escaped !== '') return whole.slice(1);
      paths.add(pathText(path));
      const found = NAME.test(name) ? env[name] : undefined;
      if (found === undefined) problems.push({ path, message: NAME.test(name) ? notSet(name) : NO_NAME });
      return found ?? whole;
    });
    return replaced !== template && isNeverText(config, path) ? asScalar(replaced) : replaced;
  };

  const walk = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') return text(value, path);
    if (Array.isArray(value)) return value.map((inner, at) => walk(inner, [...path, at]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner, [...path, key])]));
  };

  return { value: walk(config, []), paths, problems };
}

const notSet = (name: string) => `the environment variable ${name} is not set`;

/** What stands there may be part of a password, so it is not repeated. */
const NO_NAME =
  'holds ${...} without the name of an environment variable (letters, digits and _); a ${ that is meant as it stands is written $${';

function asScalar(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
