/** One thing that the API's documentation leaves open: what is assumed, what else it may be, and how that is written. */
interface Unknown<T> {
  readonly assumed: T;
  readonly about: string;
  /** What may be given, as help shows it. */
  readonly values: string;
  /** A value as written; undefined for what is none. */
  readonly read: (text: string) => T | undefined;
}

function oneOf<const T extends string>(about: string, ...values: readonly [T, ...T[]]): Unknown<T> {
  return { assumed: values[0], about, values: values.join(' | '), read: (text) => values.find((it) => it === text) };
}

function aNumber(about: string, assumed: number): Unknown<number> {
  const read = (text: string) => (/^[1-9]\d{0,11}$/.test(text) ? Number(text) : undefined);
  return { assumed, about, values: `${Number.isFinite(assumed) ? assumed : 'all'}, or a number`, read };
}

function whether(about: string): Unknown<boolean> {
  const read = (text: string) => (text === 'true' ? true : text === 'false' ? false : undefined);
  return { assumed: false, about, values: 'false | true', read };
}

/** What the API's documentation leaves open. The first of the values is what the simulator assumes unless another is picked. */
export const UNKNOWNS = {
  catalogPath: {
    assumed: '/exports',
    about: "the catalog's path after /admin/v3/lenders/{lenderPublicId}",
    values: '/exports, or a path',
    read: (text: string) => (/^\/./.test(text) ? text : undefined),
  } as Unknown<string>,
  catalogShape: oneOf(
    'where its lists stand: body.sections[].datasets[], body.datasets[], body.rows[], body.<section>.<dataset>, or a bare list',
    'sections',
    'datasets',
    'rows',
    'keyed',
    'bare',
  ),
  catalogKeys: oneOf('datasetCode and cursorField, or code and cursor_field', 'long', 'short'),
  catalogPage: aNumber('datasets in one page of the catalog, which a bare list has not', Number.POSITIVE_INFINITY),
  catalogMore: whether("whether it also tells a version, and each dataset's page size and kind of paging"),
  otherSection: oneOf('a dataset under a section that is not its own: 404, or its records', 'missing', 'served'),
  cursor: oneOf('whether a page cursor holds only beside the parameters it came from', 'bound', 'free'),
  lastCursor: oneOf('whether a full last page says that it is the last, or leads to an empty one', 'null', 'live'),
  viaPages: oneOf('pages of via datasets: some short and some empty, or all full', 'ragged', 'full'),
  paginationMore: whether('whether body.pagination also has limit, count and hasMore'),
  meta: oneOf('body.meta: the filter as understood, an empty object, or not there', 'filter', 'empty', 'absent'),
  message: oneOf("a success's message", 'success', 'ok', 'null'),
  errorTexts: oneOf(
    'the message of an error of the exports: words, none, or other words; one text alone is documented',
    'words',
    'none',
    'other',
  ),
  badInstant: oneOf('a since or until that is no instant: 500, no bound, or no records', 'error', 'ignored', 'empty'),
  totalCap: aNumber('from how many records on includeTotal is capped', 100_000),
  totalExact: oneOf('totalExact beside a total that is null', 'false', 'null', 'absent'),
  totalWindow: oneOf('which bounds includeTotal asks for on via datasets, or it is window_required', 'either', 'both'),
  totalTimesOut: whether('whether counting for includeTotal is too slow'),
  ids: oneOf("whether ids rise with the time of creation, as MongoDB's do, or come in no order", 'ordered', 'random'),
  partialRows: oneOf('fields of D01 and D26 beyond the documented ones: made up, or none', 'assumed', 'documented'),
  masks: oneOf('how the national id and the passport in D01 are masked', 'stars', 'letters', 'null'),
  accountStatuses: oneOf(
    'labels of D02 status: made up beside IN_COLLECTION, or that one alone',
    'several',
    'confirmed',
  ),
  sharedDealKeys: whether('whether records of D16 share a key, as its documentation lets one fear'),
  deletes: oneOf('a removed record: gone, or there with is_deleted as a change', 'gone', 'flagged'),
  wrongCredentials: aNumber('the status of a login with wrong credentials', 500),
  authFailure: oneOf(
    'the body of a failed login or refresh: that of the exports, that of v1, a success envelope with errors, or none',
    'exports',
    'v1',
    'envelope',
    'empty',
  ),
  tokenSeconds: aNumber('how long an access token holds, in seconds', 900),
  refreshSeconds: aNumber('how long a refresh token holds, in seconds', 30 * 86_400),
  refreshRotates: whether('whether a refresh also renews the refresh token'),
  accountsRequired: oneOf(
    'fields that an account must have: status and both ids, status alone, or all that no published example leaves out',
    'ids',
    'status',
    'example',
  ),
  accountsAtMost: aNumber('accounts in one batch, or it is refused', Number.POSITIVE_INFINITY),
  accountsUpdate: oneOf(
    'an update: merged into what is known, or all that is known from then on',
    'merges',
    'replaces',
  ),
  accountsAgain: oneOf('a creation of what is there: an update, or ignored', 'updates', 'ignored'),
  badAccountRefuses: oneOf('what one bad account refuses', 'batch', 'itself'),
} as const;

export type UnknownName = keyof typeof UNKNOWNS;

export type Unknowns = { readonly [K in UnknownName]: (typeof UNKNOWNS)[K]['assumed'] };

export const ASSUMED = Object.fromEntries(
  Object.entries(UNKNOWNS).map(([name, { assumed }]) => [name, assumed]),
) as Unknowns;
