import { type AccountInEffect, createAccounts } from './accounts.ts';
import { type Answer, errorAnswer, jsonAnswer, reworded } from './answer.ts';
import { createAuth } from './auth.ts';
import { type Churn, createChurn } from './churn.ts';
import { startClock } from './clock.ts';
import { DATASETS, type DatasetInfo } from './datasets.ts';
import { createExports } from './exports.ts';
import { createFaults } from './fault-turns.ts';
import type { FaultFilter, FaultName, FaultSetting } from './faults.ts';

export type { SimulatorOptions } from './options.ts';
export type { TruthRecord } from './store.ts';

import type { SimulatorOptions } from './options.ts';
import type { ApiRequest } from './request.ts';
import { createRequestLog, type RequestCounts } from './requests.ts';
import { startServer } from './server.ts';
import { inTurns } from './steps.ts';
import type { TruthRecord } from './store.ts';
import { createStores } from './stores.ts';
import { ASSUMED } from './unknowns.ts';
import type { Edits } from './writer.ts';

export { FAULT_NAMES, type FaultName, type FaultSetting } from './faults.ts';

/** Values for fields by name; `undefined` leaves a field out, `JSON.rawJSON` gives a value its exact text. */
export type Patch = Readonly<Record<string, unknown>>;

/** A local ClearGrid API, and what only it can tell: its truth, its clock, what was asked of it. */
export interface Simulator {
  /** Scheme, host and port, as `base_url` wants it. */
  readonly url: string;
  readonly lender: string;
  readonly email: string;
  readonly password: string;
  readonly lenderPublicId: string;
  stop(): Promise<void>;
  /** Its clock as ISO text. */
  now(): string;
  /** Moves its clock forward, for instance past the second that a `Date` header rounds down to. */
  advance(ms: number): void;
  /** Every record that the API would return now, in the order of the cursor. Not to be read on after a change. */
  truth(code: string): Iterable<TruthRecord>;
  /** New versions of these records (keys, or how many at random), as of now; gives their keys. */
  change(
    code: string,
    which: number | readonly string[],
    patch?: Patch,
    options?: { readonly spreadMs?: number },
  ): string[];
  insert(code: string, count: number, patch?: Patch): string[];
  /** Records whose cursor value lies `behindMs` before now: committed late, or entered after the event. */
  insertLate(code: string, count: number, options: { readonly behindMs: number; readonly patch?: Patch }): string[];
  /** Removes records as the API does: without a trace. */
  remove(code: string, which: number | readonly string[]): string[];
  /** Changes what the catalog says of a dataset from now on: `{ available: true }` opens a reserved one. */
  list(code: string, changes: Partial<DatasetInfo>): void;
  requests(): RequestCounts;
  setFaults(settings: readonly FaultSetting[]): void;
  /** The next `count` requests that pass the filter meet this fault. */
  failNext(count: number, name: FaultName, filter?: FaultFilter): void;
  /** Ends all access tokens; with `all` the refresh tokens as well. */
  expireTokens(options?: { readonly all?: boolean }): void;
  /** What the Accounts API holds and how often each sub-account was accepted and applied. */
  accounts(): AccountInEffect[];
  /** Resolves once all accounts accepted so far have taken effect. */
  accountsSettled(): Promise<void>;
  /** Changes records while they are being read; gives the function that ends it. */
  startChurn(churn: Churn): () => void;
  /** Called (and waited for) before each page is made; gives the function that ends it. */
  onPageRequest(listener: (request: ApiRequest) => unknown): () => void;
}

/** Starts a ClearGrid API on localhost; every option has a default. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { lender = 'acme', email = 'etl@acme.example', password = 'simulated', seed = 1 } = options;
  const lenderPublicId = options.lenderPublicId ?? '5e0c1f7a-3b52-4c1e-9a70-6d2f8b41c901';
  const clock = startClock(options.clockOffsetMs ?? 0);
  const unknowns = { ...ASSUMED, ...options.unknowns };
  const faults = createFaults(options.faults ?? [], seed);
  const auth = createAuth({
    lender,
    email,
    password,
    lenderPublicId,
    clock,
    unknowns,
    refreshFails: () => faults.holds('refresh-fails') !== null,
  });

  const stores = await inTurns(createStores(options, unknowns, clock), options.signal, options.made);
  let listed: readonly DatasetInfo[] = DATASETS;
  function list(code: string, changes: Partial<DatasetInfo>): void {
    listed = listed.map((info) => (info.code === code ? { ...info, ...changes } : info));
    if (changes.available) stores.open(code);
  }
  for (const [code, changes] of Object.entries(options.catalog ?? {})) list(code, changes);
  const exports = createExports({
    lenderPublicId,
    datasets: () => listed,
    stores: stores.all,
    clock,
    unknowns,
    faults,
    refusal: auth.refusal,
  });
  const accounts = createAccounts({
    ...options.accounts,
    accounts: stores.of('D02'),
    subAccounts: stores.of('D03'),
    clock,
    unknowns,
  });
  const churn = createChurn(stores.all, faults);
  const listeners = new Set<(request: ApiRequest) => unknown>();
  const log = createRequestLog();

  const latency = options.latencyMs ?? 0;
  const server = await startServer({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    clock,
    faults,
    catalogPath: unknowns.catalogPath,
    latencyMs: typeof latency === 'number' ? [latency, latency] : latency,
    dice: { state: seed },
    log,
    async beforePage(request) {
      for (const listener of listeners) await listener(request);
      churn.onPage(request.code);
    },
    beforeFault(fault) {
      if (fault === 'expired-token' || fault === '401-storm') auth.expire(fault === '401-storm');
    },
    respond(request, fault) {
      switch (request.route) {
        case 'login':
          return { answer: auth.login(request.lender, request.body), rows: 0 };
        case 'refresh':
          return { answer: auth.refresh(request.lender, request.body), rows: 0 };
        case 'catalog':
          return { answer: reworded(exports.catalog(request), unknowns), rows: 0 };
        case 'page': {
          const { answer, rows } = exports.page(request, fault);
          return { answer: reworded(answer, unknowns), rows };
        }
        case 'accounts':
          return {
            answer:
              refusedAccounts(exports.refused(request), request) ?? accounts.post(request.body, request.version, fault),
            rows: 0,
          };
        default:
          return { answer: errorAnswer(404, 'Not found'), rows: 0 };
      }
    },
  });

  return {
    url: server.url,
    lender,
    email,
    password,
    lenderPublicId,
    stop: server.stop,
    now: clock.text,
    advance: clock.advance,
    truth: (code) => stores.of(code).truth(),
    change: (code, which, patch, { spreadMs = 0 } = {}) => stores.of(code).change(which, editsOf(patch), spreadMs),
    insert: (code, count, patch) => stores.of(code).insert(count, 0, editsOf(patch)),
    insertLate: (code, count, { behindMs, patch }) => stores.of(code).insert(count, behindMs, editsOf(patch)),
    remove: (code, which) => stores.of(code).remove(which),
    list,
    requests: log.read,
    setFaults: faults.set,
    failNext: faults.failNext,
    expireTokens: ({ all = false } = {}) => auth.expire(all),
    accounts: accounts.list,
    accountsSettled: accounts.settled,
    startChurn: churn.start,
    onPageRequest(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The v1 hosts tell an unauthorized request in a body of their own. */
function refusedAccounts(refusal: Answer | null, { version }: ApiRequest): Answer | null {
  return refusal?.status === 401 && version === 'v1' ? jsonAnswer(401, { error: 'Unauthorized' }) : refusal;
}

function editsOf(patch: Patch | undefined): Edits | undefined {
  if (patch === undefined) return undefined;
  return Object.fromEntries(Object.entries(patch).map(([name, value]) => [name, JSON.stringify(value)]));
}
