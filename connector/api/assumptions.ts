/**
 * What no public page says about the API and this client has to decide: one place to change once a real tenant has been seen.
 * What the documentation does say is in `addresses.ts`, `login.ts` and `exports.ts`.
 */

/** UNKNOWN: where the catalog is. Its page is named after the datasets' own path, so it is taken to be their parent. */
export const catalogPath = (lender: string): string => `/admin/v3/lenders/${encodeURIComponent(lender)}/exports`;

/** UNKNOWN: whether the catalog pages, and how. If it does: as the datasets do, and in no more pages than these. */
export const CATALOG_PAGES = 20;

/**
 * UNKNOWN: the keys of a catalog entry, `available` apart. Compared without case, `_` and `-`, so that `cursorField`,
 * `cursor_field` and `CURSOR-FIELD` are one; the first that is there counts.
 */
export const CATALOG_KEYS = {
  code: ['datasetcode', 'code', 'dataset', 'id', 'key'],
  section: ['sectioncode', 'section', 'code', 'id', 'key'],
  cursorField: ['cursorfield', 'cursor', 'cursorkey', 'cursorcolumn'],
  available: ['available', 'isavailable'],
  name: ['name', 'datasetname', 'title', 'label'],
  nextCursor: ['nextcursor'],
} as const;

/** How dataset and section codes look. Documented: D01 to D26 with gaps, S1 to S5; more digits are let through. */
export const DATASET_CODE = /^D\d{2,3}$/i;
export const SECTION_CODE = /^S\d{1,2}$/i;

/**
 * UNKNOWN: what wrong credentials answer; the login's page documents 200 and 500 only. So a 500 that lasts through the tries of a
 * login is taken for a refusal, and any answer that is no passing fault by its status is one at once.
 */
export const LOGIN_REFUSED_STATUS = 500;
