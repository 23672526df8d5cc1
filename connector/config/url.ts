import { isLoopback } from '../api/addresses.ts';

/** What is wrong with a configured base URL, or null. That plain http is allowed is checked elsewhere. */
export function problemWithBaseUrl(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '')
    return 'must be a URL such as https://v3-api.example.com';
  if (url.username !== '' || url.password !== '') return 'must not hold a login: use the keys email and password';
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    return `must be scheme, host and port alone (${url.origin}): the documented paths are added to it`;
  return null;
}

/** Whether a password sent to this URL could be read on its way: plain http to a host that is not this one. */
export function isInsecure(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.protocol === 'http:' && !isLoopback(url.hostname);
}
