import { configError } from '../../destinations/failure.ts';
import type { Dataset } from '../../schemas/stream.ts';

/** The documented hosts. Login and data share one; only their prefixes differ. */
const HOSTS = {
  production: 'https://v3-api.cleargrid.ai',
  staging: 'https://stage-v3-api.cleargrid.ai',
} as const;

export type Environment = keyof typeof HOSTS;

/** The versions of the API. v1 takes accounts and has hosts of its own; all else is v3. */
export type ApiVersion = 'v3' | 'v1';

/** The documented hosts of v1, of the newest page that tells them; production's login is told by the oldest alone. */
const V1_HOSTS = {
  production: { login: 'https://core-prod.cleargrid.ae', data: 'https://api.cleargrid.ae' },
  staging: { login: 'https://identity-dev.cleargrid.ae', data: 'https://api-dev.cleargrid.ae' },
} as const;

export interface Address {
  readonly environment: Environment;
  /** Scheme, host and port without a path, instead of the environment's host. */
  readonly baseUrl?: string | undefined;
  /** Lets a `baseUrl` that is not on this machine be plain http. */
  readonly allowInsecureHttp?: boolean | undefined;
}

/**
 * The origin (scheme, host, port) that requests go to: logins, and all else.
 *
 * @throws {Failure} `config_error` for a `baseUrl` that is no origin, or is plain http to another machine.
 */
export function apiOrigin(
  { environment, baseUrl, allowInsecureHttp }: Address,
  version: ApiVersion = 'v3',
  use: 'login' | 'data' = 'data',
): string {
  if (baseUrl === undefined) return version === 'v1' ? V1_HOSTS[environment][use] : HOSTS[environment];
  const url = URL.parse(baseUrl);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw configError('base_url is not an http or https address. Give scheme, host and port: https://api.example:8443');
  }
  if (url.username !== '' || url.password !== '') {
    throw configError('base_url holds a user name or password. The login belongs into email and password.');
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw configError(`base_url goes beyond host and port. The API's own paths are added to it: use ${url.origin}`);
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !allowInsecureHttp) {
    throw configError(
      `base_url ${url.origin} is plain http, which would send the password and all rows unencrypted. Use https, or set ` +
        'allow_insecure_http: true if the way there is protected otherwise.',
    );
  }
  return url.origin;
}

/** Whether a URL's host name is this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\./.test(hostname);
}

const LOGIN_PREFIX: Readonly<Record<ApiVersion, string>> = { v3: '/admin/auth', v1: '/api/v1/auth' };
const DATA_PREFIX: Readonly<Record<ApiVersion, string>> = { v3: '/admin/v3', v1: '/api/v1' };

/** `lender` is the subdomain identifier here, not the UUID. */
export const loginPath = (lender: string, version: ApiVersion): string =>
  `${LOGIN_PREFIX[version]}/${encodeURIComponent(lender)}/login`;
export const refreshPath = (lender: string, version: ApiVersion): string =>
  `${LOGIN_PREFIX[version]}/${encodeURIComponent(lender)}/refresh-token`;

/** `lender` is the UUID that the login answers. */
export const accountsPath = (lender: string, version: ApiVersion): string =>
  `${DATA_PREFIX[version]}/lenders/${encodeURIComponent(lender)}/accounts`;

/** `lender` is the UUID that the login answers. */
export function datasetPath(lender: string, { section, code }: Dataset): string {
  return `${DATA_PREFIX.v3}/lenders/${encodeURIComponent(lender)}/exports/${encodeURIComponent(section)}/${encodeURIComponent(code)}`;
}
