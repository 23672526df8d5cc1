import { streamNamed } from '../../schemas/registry.ts';
import { didYouMean } from './nearest.ts';
import { valueAt } from './nodes.ts';
import type { Problem } from './problems.ts';
import { problemWithStream } from './streams.ts';
import { isInsecure } from './url.ts';

/**
 * What one key alone does not tell. The config may still be wrong in any other way: each check looks at what is there, so
 * that all problems are found at once.
 */
export function crossChecks(config: unknown): Problem[] {
  return [...insecureHttp(config), ...streamNames(config), ...overrides(config), ...postgresAddress(config)];
}

function insecureHttp(config: unknown): Problem[] {
  const url = valueAt(config, ['base_url']);
  if (typeof url !== 'string' || !isInsecure(url) || valueAt(config, ['allow_insecure_http']) === true) return [];
  const message = 'plain http to another host sends the password unencrypted: use https, or set allow_insecure_http';
  return [{ path: ['base_url'], message }];
}

function streamNames(config: unknown): Problem[] {
  return names(valueAt(config, ['streams'])).flatMap(({ name, at, repeated }) => {
    const message = repeated ? 'is there twice' : problemWithStream(name);
    return message === null ? [] : [{ path: ['streams', at], message }];
  });
}

function overrides(config: unknown): Problem[] {
  const list = valueAt(config, ['stream_overrides']);
  if (!Array.isArray(list)) return [];
  const named = names(list.map((override) => valueAt(override, ['name'])));
  return named.flatMap(({ name, at, repeated }) => {
    const message = repeated ? 'has an override already' : problemWithStream(name);
    const path = ['stream_overrides', at];
    return [
      ...(message === null ? [] : [{ path: [...path, 'name'], message }]),
      ...keyColumns(name, valueAt(list, [at, 'primary_key'])).map((problem) => ({
        ...problem,
        path: [...path, 'primary_key', ...problem.path],
      })),
    ];
  });
}

function keyColumns(name: string, key: unknown): Problem[] {
  const columns = streamNamed(name)?.columns;
  if (columns === undefined) return [];
  return names(key).flatMap(({ name: wanted, at, repeated }) => {
    const problem = (message: string): Problem[] => [{ path: [at], message }];
    if (repeated) return problem('is there twice');
    const column = columns.find((known) => known.name === wanted);
    if (column === undefined) {
      const known = columns.map((each) => each.name);
      return problem(`is no column of ${name}${didYouMean(wanted, known)}`);
    }
    return column.kind === 'json' || column.kind === 'double'
      ? problem(`is ${column.kind}, which cannot be part of a key`)
      : [];
  });
}

function postgresAddress(config: unknown): Problem[] {
  const given = (key: string) => valueAt(config, ['destination', key]) !== undefined;
  if (valueAt(config, ['destination', 'type']) !== 'postgres') return [];
  const parts = ['host', 'database', 'username'];
  const problem = (key: string, message: string): Problem => ({ path: ['destination', key], message });
  if (!given('url'))
    return parts.filter((key) => !given(key)).map((key) => problem(key, 'is missing, and there is no destination.url'));
  return [...parts, 'port', 'password']
    .filter(given)
    .map((key) => problem(key, 'stands beside destination.url: give one or the other'));
}

/** The texts of a list, with whether one stood there before; what is no text is some other check's. */
function names(list: unknown): { name: string; at: number; repeated: boolean }[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((name, at) =>
    typeof name === 'string' ? [{ name, at, repeated: list.indexOf(name) < at }] : [],
  );
}
