import { snakeCase } from '../../schemas/stream.ts';
import { CATALOG_KEYS, DATASET_CODE, SECTION_CODE } from './assumptions.ts';

/** A dataset as the live catalog lists it. */
export interface CatalogEntry {
  readonly code: string;
  /** Null where the catalog does not say. */
  readonly section: string | null;
  /** In snake_case; null where the catalog does not say. */
  readonly cursorField: string | null;
  readonly available: boolean;
  readonly name: string | null;
}

/** The live catalog, or why it cannot be read: then the built-in one serves, with a warning. */
export type CatalogResult =
  | { readonly datasets: readonly CatalogEntry[]; readonly problem: null }
  | { readonly datasets: null; readonly problem: string };

/** Deeper than any catalog; a body that nests deeper is not one. */
const MAX_DEPTH = 12;

/**
 * Finds the datasets in the catalog's pages, whatever their containers: sections with datasets in them, one flat list, or objects
 * keyed by code; keys in any case.
 */
export function readCatalog(pages: readonly unknown[]): CatalogResult {
  const entries = new Map<string, CatalogEntry>();
  let tells = false;
  const visit = (value: unknown, key: string, section: string | null, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return;
    const around = SECTION_CODE.test(key) ? key.toUpperCase() : section;
    if (Array.isArray(value)) {
      for (const item of value) visit(item, '', around, depth + 1);
      return;
    }
    const fields = fieldsOf(value);
    const code = firstText(fields, CATALOG_KEYS.code, DATASET_CODE) ?? (DATASET_CODE.test(key) ? key : null);
    const here = sectionOf(fields) ?? around;
    if (code === null) {
      for (const [inner, item] of Object.entries(value)) visit(item, inner, here, depth + 1);
      return;
    }
    const cursorField = firstText(fields, CATALOG_KEYS.cursorField, /./);
    const flag = firstFlag(fields);
    tells ||= flag !== null || cursorField !== null;
    const entry: CatalogEntry = {
      code: code.toUpperCase(),
      section: here,
      cursorField: cursorField === null ? null : snakeCase(cursorField),
      // Reserved datasets have no cursor field.
      available: flag ?? cursorField !== null,
      name: firstText(fields, CATALOG_KEYS.name, /./),
    };
    if (!entries.has(entry.code)) entries.set(entry.code, entry);
  };
  for (const page of pages) visit(page, '', null, 0);

  if (entries.size === 0) return { datasets: null, problem: 'no datasets were found in it' };
  if (!tells) return { datasets: null, problem: 'it does not say in a way we know which datasets are available' };
  return { datasets: [...entries.values()], problem: null };
}

/** The cursor of the catalog's next page, wherever in the page it is; null at the end. */
export function nextCursorOf(page: unknown, depth = 0): string | null {
  if (typeof page !== 'object' || page === null || depth > MAX_DEPTH) return null;
  const own = firstText(fieldsOf(page), CATALOG_KEYS.nextCursor, /./);
  if (own !== null) return own;
  for (const value of Object.values(page)) {
    const found = nextCursorOf(value, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

type Fields = ReadonlyMap<string, unknown>;

function fieldsOf(value: object): Fields {
  return new Map(Object.entries(value).map(([key, field]) => [key.replace(/[_-]/g, '').toLowerCase(), field]));
}

function firstText(fields: Fields, keys: readonly string[], pattern: RegExp): string | null {
  for (const key of keys) {
    const value = fields.get(key);
    if (typeof value === 'string' && pattern.test(value)) return value;
  }
  return null;
}

function firstFlag(fields: Fields): boolean | null {
  for (const key of CATALOG_KEYS.available) {
    const value = fields.get(key);
    if (typeof value === 'boolean') return value;
    if (value === 'true' || value === 'false') return value === 'true';
  }
  return null;
}

/** A section's code in an entry or in the section itself, as text or as an object with a code of its own. */
function sectionOf(fields: Fields): string | null {
  const own = firstText(fields, CATALOG_KEYS.section, SECTION_CODE);
  if (own !== null) return own.toUpperCase();
  const section = fields.get('section');
  return typeof section === 'object' && section !== null ? sectionOf(fieldsOf(section)) : null;
}
