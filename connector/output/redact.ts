/** Stands where a secret stood. */
export const REDACTED = '****';

export type Redact = (text: string) => string;

/**
 * Replaces each of these texts wherever it stands, also as it looks inside of JSON or of a URL. The longest goes first, since one
 * secret may be part of another. A very short secret blots out more than itself; that is its price.
 */
export function redactor(secrets: readonly string[]): Redact {
  const looks = secrets.flatMap((secret) => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
  ]);
  const texts = [...new Set(looks)].filter((text) => text !== '').sort((a, b) => b.length - a.length);
  return (text) => texts.reduce((left, secret) => left.replaceAll(secret, REDACTED), text);
}

/** The same for every text inside of a JSON-like value; keys are ours and stay. */
export function redactDeep(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((inner) => redactDeep(inner, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactDeep(inner, redact)]));
}
