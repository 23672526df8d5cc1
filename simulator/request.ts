import type { PageParameters } from './page.ts';

export type Route = 'login' | 'refresh' | 'catalog' | 'page' | 'accounts' | 'unknown';

/** A request as the API understands it. */
export interface ApiRequest {
  readonly route: Route;
  readonly version: 'v1' | 'v3';
  readonly method: string;
  /** From the path: the lender's subdomain on auth routes, its UUID elsewhere. */
  readonly lender: string;
  readonly section: string | null;
  /** The dataset's code. */
  readonly code: string | null;
  readonly parameters: PageParameters;
  readonly authorization: string | undefined;
  readonly acceptsGzip: boolean;
  /** The JSON body of a POST; undefined where there is none or it is no JSON. */
  readonly body: unknown;
}

const ROUTES: readonly { pattern: RegExp; method: string; version: 'v1' | 'v3'; route: Route }[] = [
  { pattern: /^\/admin\/auth\/([^/]+)\/login$/, method: 'POST', version: 'v3', route: 'login' },
  { pattern: /^\/admin\/auth\/([^/]+)\/refresh-token$/, method: 'POST', version: 'v3', route: 'refresh' },
  {
    pattern: /^\/admin\/v3\/lenders\/([^/]+)\/exports\/([^/]+)\/([^/]+)$/,
    method: 'GET',
    version: 'v3',
    route: 'page',
  },
  { pattern: /^\/admin\/v3\/lenders\/([^/]+)\/accounts$/, method: 'POST', version: 'v3', route: 'accounts' },
  { pattern: /^\/api\/v1\/auth\/([^/]+)\/login$/, method: 'POST', version: 'v1', route: 'login' },
  { pattern: /^\/api\/v1\/auth\/([^/]+)\/refresh-token$/, method: 'POST', version: 'v1', route: 'refresh' },
  { pattern: /^\/api\/v1\/lenders\/([^/]+)\/accounts$/, method: 'POST', version: 'v1', route: 'accounts' },
];

export interface RawRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** `catalogPath` is what follows the lender in the catalog's address. */
export function readRequest(raw: RawRequest, catalogPath: string): ApiRequest {
  const { pathname, searchParams } = new URL(raw.url, 'http://localhost');
  const catalog = /^\/admin\/v3\/lenders\/([^/]+)(\/.+)$/.exec(pathname);
  const found =
    catalog?.[2] === catalogPath && raw.method === 'GET'
      ? { route: 'catalog' as const, version: 'v3' as const, parts: [catalog[1] as string] }
      : match(raw.method, pathname);
  // An empty parameter counts as absent: the documentation's own loop sends `cursor=` with its first request.
  const parameter = (name: string) => searchParams.get(name) || null;
  return {
    route: found.route,
    version: found.version,
    method: raw.method,
    lender: found.parts[0] ?? '',
    section: found.parts[1] ?? null,
    code: found.parts[2] ?? null,
    parameters: {
      since: parameter('since'),
      until: parameter('until'),
      cursor: parameter('cursor'),
      limit: parameter('limit'),
      sort: parameter('sort'),
      includeTotal: parameter('includeTotal'),
    },
    authorization: raw.headers.authorization as string | undefined,
    acceptsGzip: /\bgzip\b/.test(String(raw.headers['accept-encoding'] ?? '')),
    body: parsed(raw.body),
  };
}

function match(method: string, pathname: string): { route: Route; version: 'v1' | 'v3'; parts: string[] } {
  for (const { pattern, method: expected, version, route } of ROUTES) {
    const groups = pattern.exec(pathname);
    if (groups !== null && method === expected) return { route, version, parts: groups.slice(1) };
  }
  return { route: 'unknown', version: pathname.startsWith('/api/v1/') ? 'v1' : 'v3', parts: [] };
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
