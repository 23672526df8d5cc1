import { secretTexts } from './nodes.ts';
import type { Config } from './schema.ts';

/** Parts of a multi-line secret shorter than this are not hidden by themselves: a line such as `}` would hide half the log. */
const SHORTEST_LINE = 12;

/** Every text that must never be shown: the config's secrets, and the secrets inside of them (a URL's password, a JSON key). */
export function secretsOf(config: Config): string[] {
  const texts = secretTexts(config).flatMap((text) => [text, ...insideUrl(text), ...insideJson(text)]);
  return [...new Set(texts)].filter((text) => text !== '');
}

function insideUrl(text: string): string[] {
  const password = URL.parse(text)?.password ?? '';
  return [password, decoded(password)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Of a service account's JSON: its private key, as a whole and by lines, and whatever else says that it is secret. */
function insideJson(text: string): string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return [];
  }
  if (typeof parsed !== 'object' || parsed === null) return [];
  return Object.entries(parsed).flatMap(([key, value]) => {
    if (typeof value !== 'string' || !/(private_key|secret|token)$/.test(key)) return [];
    return [
      value,
      JSON.stringify(value).slice(1, -1),
      ...value.split('\n').filter((line) => line.length >= SHORTEST_LINE),
    ];
  });
}
