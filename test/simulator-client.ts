import type { Simulator } from '../simulator/simulator.ts';

/** A plain client of the simulated API: no retries, no checks, so that a test sees what was answered. */
export interface PlainClient {
  readonly token: string;
  /** A page of a dataset, or whatever came instead. */
  page(dataset: string, parameters?: PageQuery): Promise<PlainAnswer>;
  get(path: string, headers?: Record<string, string>): Promise<PlainAnswer>;
  /** Every record of a window, page by page to the end. */
  walk(dataset: string, parameters?: PageQuery): Promise<Walk>;
}

export type PageQuery = Readonly<Record<string, string | number | undefined>>;

export interface PlainAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on whatever was answered
  readonly json: any;
}

export interface Walk {
  readonly records: Record<string, unknown>[];
  /** How many records each page held. */
  readonly pages: number[];
}

export async function ask(url: string, init: RequestInit = {}): Promise<PlainAnswer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = /^[[{]/.test(text);
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}

export const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  ask(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });

export async function logIn(simulator: Simulator): Promise<PlainClient> {
  const { url, lender, email, password, lenderPublicId } = simulator;
  const login = await post(`${url}/admin/auth/${lender}/login`, { email, password });
  const { token } = login.json as { token: string };
  const get = (path: string, headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
    ask(`${url}${path}`, { headers });

  const page = (dataset: string, parameters: PageQuery = {}) => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
    return get(`/admin/v3/lenders/${lenderPublicId}/exports/${dataset}?${query}`);
  };

  async function walk(dataset: string, parameters: PageQuery = {}): Promise<Walk> {
    const records: Record<string, unknown>[] = [];
    const pages: number[] = [];
    let cursor: string | undefined;
    do {
      const { status, json, text } = await page(dataset, { ...parameters, cursor });
      if (status !== 200) throw new Error(`${status} ${text}`);
      records.push(...json.body.rows);
      pages.push(json.body.rows.length);
      cursor = json.body.pagination.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return { records, pages };
  }

  return { token, page, get, walk };
}

/** The simulator's truth as records. */
export const truthOf = (simulator: Simulator, code: string) => [...simulator.truth(code)].map(({ json }) => json);
