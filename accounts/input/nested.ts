import { didYouMean } from '../../connector/config/nearest.ts';
import { configError } from '../../destinations/failure.ts';
import { decodeJson } from '../../schemas/decode.ts';
import { FIELD_NAMES } from '../schema.ts';

/** Where a cell of a flat row goes in its account: `['phones', 0, 'number']`. */
type Path = readonly (string | number)[];

/** Makes an account of a flat row's cells; null and undefined are absent. */
export type Nest = (cells: readonly unknown[]) => Record<string, unknown>;

const LISTS = ['phones', 'emails', 'addresses'];
const JSON_FIELDS = [...LISTS, 'additionalData'];
const MOST_ELEMENTS = 100;

/**
 * Compiles the names of a flat row's columns (`accountId`, `phones.0.number`, `additionalData.branch`) to what nests its cells. A column
 * named `phones`, `emails`, `addresses` or `additionalData` holds the whole of it, as JSON text where it is text.
 *
 * @param where names the input's columns in messages: `the header`, `the query`.
 * @throws {Failure} `config_error` that names every column that is no field, with the nearest one.
 */
export function compileNesting(names: readonly string[], where: string): Nest {
  const paths = names.map(pathOf);
  const meant = names.filter((name, at) => paths[at] !== null || SPELT.has(plain(name))).length;
  if (meant * 2 < names.length) {
    // The names may be an account's values: they are not told.
    const hint = names.some((name) => /[\0\ufffd]/.test(name))
      ? ' It must be UTF-8.'
      : names.length === 1
        ? ' Columns must be separated by commas.'
        : '';
    throw configError(
      `${where} does not hold the names of fields (accountId, subAccountId, phones.0.number, ...).${hint}`,
    );
  }
  const problems = names.flatMap((name, at) => {
    if (paths[at] === null) return [`"${name}" is no field that ClearGrid knows${nearestTo(name)}`];
    return names.indexOf(name) < at ? [`"${name}" is there twice`] : [];
  });
  if (problems.length > 0) throw configError(`${where}: ${problems.join('; ')}`);

  return (cells) => {
    const account: Record<string, unknown> = {};
    for (let at = 0; at < paths.length; at++) {
      const cell = cells[at];
      if (cell === null || cell === undefined) continue;
      const path = paths[at]!;
      if (path.length === 1) account[path[0]!] = JSON_FIELDS.includes(names[at]!) ? parsed(cell) : cell;
      else place(account, path, cell);
    }
    for (const list of LISTS) {
      if (Array.isArray(account[list])) account[list] = account[list].filter((item) => item !== undefined);
    }
    return account;
  };
}

/** The fields' names as `plain` has them: `first_name`, `AccountID` and `Account Id` are spelt otherwise, and nobody's value. */
const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');
const SPELT: ReadonlySet<string> = new Set(FIELD_NAMES['']!.map(plain));

function place(account: Record<string, unknown>, path: Path, cell: unknown): void {
  let holder: Record<string | number, unknown> = account;
  for (let at = 0; at < path.length - 1; at++) {
    const name = path[at]!;
    holder[name] ??= typeof path[at + 1] === 'number' ? [] : {};
    holder = holder[name] as Record<string | number, unknown>;
  }
  holder[path.at(-1)!] = cell;
}

/** What is not JSON stays as it is, for the check to refuse. */
function parsed(cell: unknown): unknown {
  if (typeof cell !== 'string') return cell;
  try {
    return decodeJson(Buffer.from(cell));
  } catch {
    return cell;
  }
}

/** Null for what is no field. */
function pathOf(name: string): Path | null {
  const [field, ...rest] = name.split('.');
  if (!FIELD_NAMES['']!.includes(field!)) return null;
  if (rest.length === 0) return [field!];
  if (field === 'additionalData')
    return rest.some((part) => part === '' || part === '__proto__') ? null : [field, ...rest];
  const [index, item, ...more] = rest;
  if (!LISTS.includes(field!) || more.length > 0 || !/^\d{1,2}$/.test(index!) || Number(index) >= MOST_ELEMENTS)
    return null;
  return FIELD_NAMES[field!]!.includes(item ?? '') ? [field!, Number(index), item!] : null;
}

function nearestTo(name: string): string {
  const [field, index, item] = name.split('.');
  if (item !== undefined && LISTS.includes(field!)) {
    return didYouMean(
      name,
      FIELD_NAMES[field!]!.map((known) => `${field}.${index}.${known}`),
    );
  }
  return didYouMean(name, FIELD_NAMES['']!) || ' (what is not documented goes under additionalData.)';
}
