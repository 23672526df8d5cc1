import { configError } from '../../destinations/failure.ts';
import type { Path } from './nodes.ts';
import type { Problem } from './problems.ts';

export interface ReadJson {
  readonly value: unknown;
  /** One for each key that stands in its object twice: JSON would take the last one without a word. */
  readonly problems: readonly Problem[];
}

/**
 * Reads a config's JSON text.
 *
 * @param where what it is the text of.
 * @throws {Failure} `config_error` with the place where it is no JSON, and nothing of what stands there, which may be a password.
 */
export async function readJson(text: string, where: string): Promise<ReadJson> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw configError(`${where} is not JSON: ${await whereItBreaks(text)}`);
  }
  return { value, problems: await repeatedKeys(text) };
}

async function repeatedKeys(text: string): Promise<Problem[]> {
  const { visit } = await import('jsonc-parser');
  const lines = new Map<string, number>();
  const problems: Problem[] = [];
  visit(text, {
    onObjectProperty(key, _offset, _length, line, _column, pathTo) {
      const path = [...pathTo(), key] as Path;
      const first = lines.get(JSON.stringify(path));
      if (first === undefined) lines.set(JSON.stringify(path), line);
      else problems.push({ path, message: `is there twice, ${onLines(first + 1, line + 1)}: take one out` });
    },
  });
  return problems;
}

const onLines = (first: number, second: number) =>
  first === second ? `both on line ${first}` : `on lines ${first} and ${second}`;

async function whereItBreaks(text: string): Promise<string> {
  if (text.trim() === '') return 'the file is empty';
  const { parseTree, printParseErrorCode } = await import('jsonc-parser');
  const errors: { error: number; offset: number }[] = [];
  parseTree(text, errors as Parameters<typeof parseTree>[1], { disallowComments: true });
  const first = errors[0];
  if (first === undefined) return 'it cannot be parsed';
  const lines = text.slice(0, first.offset).split('\n');
  const what = printParseErrorCode(first.error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return `${what} at line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
}
