import type { ApiRequest, Route } from './request.ts';

export interface FaultInfo {
  readonly about: string;
  /** `drawn`: befalls single requests. `standing`: holds as long as it is set. */
  readonly kind: 'drawn' | 'standing';
  readonly routes: readonly Route[];
  /** Whether a client that keeps the rules gets all rows in the end; those that do are part of `all`. */
  readonly survivable: boolean;
  /** How often it is drawn at most; for those that cost a client a minute each. */
  readonly budget?: number;
}

const EVERYWHERE: readonly Route[] = ['login', 'refresh', 'catalog', 'page', 'accounts'];

function drawn(about: string, routes: readonly Route[] = ['page'], budget?: number): FaultInfo {
  return { about, kind: 'drawn', routes, survivable: true, ...(budget !== undefined && { budget }) };
}

function standing(about: string, survivable: boolean): FaultInfo {
  return { about, kind: 'standing', routes: [], survivable };
}

export const FAULTS = {
  'reset-before-headers': drawn('the connection is reset before any answer', EVERYWHERE),
  'reset-mid-body': drawn('the connection is reset in the middle of the body', ['page', 'catalog']),
  'short-body': drawn('the connection ends before Content-Length is reached', ['page', 'catalog']),
  'truncated-json': drawn('200 with JSON that breaks off'),
  'html-200': drawn('200 with an HTML page', ['page', 'catalog']),
  'empty-200': drawn('200 with an empty body', ['page', 'catalog']),
  '429-seconds': drawn('429 with Retry-After in seconds', EVERYWHERE),
  '429-date': drawn("429 with Retry-After as a date of the API's clock", EVERYWHERE),
  '429-bare': drawn('429 without Retry-After', EVERYWHERE),
  '500': drawn('500 that passes', EVERYWHERE),
  '502': drawn('502 in HTML', EVERYWHERE),
  '503': drawn('503 in JSON', EVERYWHERE),
  '504': drawn('504 in JSON', EVERYWHERE),
  '504-html': drawn('504 in HTML, from a proxy', EVERYWHERE),
  '504-wide': standing('504 for windows of more than `rows` records, until they are narrowed', true),
  'expired-token': drawn('the access token expires'),
  '401-storm': drawn('all access and refresh tokens end at once'),
  'refresh-fails': standing('refresh-token answers 401', true),
  '401-for-good': standing('401 that no token cures: the lender is inactive', false),
  'no-database': standing('500 for good: the lender has no database', false),
  silence: drawn('headers, then nothing', ['page'], 2),
  'slow-drip': drawn('one byte every `dripMs`', ['page'], 2),
  'repeated-page': drawn('a page comes a second time'),
  'looping-cursor': drawn('nextCursor is the cursor that was sent'),
  'rejected-cursor': drawn('500 for one cursor, five times over', ['page'], 5),
  'short-pages': standing('short pages with a live cursor, in all datasets', true),
  'empty-pages': standing('empty pages with a live cursor, in all datasets', true),
  'changing-rows': standing('records change while they are being read', true),
  'late-inserts': standing('records arrive a minute behind the clock while others are being read', true),
  'wrong-totals': standing('totals count one record too many', true),
  'huge-body': drawn('a body of more than 64 MB', ['page'], 2),
  gzip: standing('bodies are compressed where the client accepts it', true),
  'lost-answer': drawn('accounts are accepted, then the connection is reset', ['accounts']),
  'dropped-accounts': drawn('accounts are accepted and never applied', ['accounts']),
  '400-nameless': drawn('400 for a batch, naming no account', ['accounts']),
} as const satisfies Record<string, FaultInfo>;

export type FaultName = keyof typeof FAULTS;

/** Every fault by name with a line about it; `all` stands for those that a client can survive. */
export const FAULT_NAMES: Readonly<Record<FaultName | 'all', string>> = {
  ...(Object.fromEntries(Object.entries(FAULTS).map(([name, { about }]) => [name, about])) as Record<
    FaultName,
    string
  >),
  all: 'every fault that can be survived',
};

export interface FaultPlan {
  readonly name: FaultName | 'all';
  /** Share of the requests that drawn faults befall; by default one in ten. */
  readonly rate?: number;
  /** `504-wide`: how many records are too many; default 1,000, or a quarter of the dataset where that is more. */
  readonly rows?: number;
  /** `slow-drip`: milliseconds between bytes; default 10,000. */
  readonly dripMs?: number;
}

export type FaultSetting = FaultName | 'all' | FaultPlan;

/** Which requests a planned fault waits for; all of what is given must hold. */
export interface FaultFilter {
  readonly route?: Route;
  readonly code?: string;
  readonly match?: (request: ApiRequest) => boolean;
}
