/** Stands where a secret stood. */
export const REDACTED = '****';

export type Redact = (text: string) => string;

/**
 * Replaces each of these texts wherever it stands, also as it looks inside of JSON or of a URL. The longest goes first, since one
 * may be part of another.
 */
export function redactor(texts: readonly string[]): Redact {
  const looks = looksOf(texts);
  return (text) => looks.reduce((left, look) => left.replaceAll(look, REDACTED), text);
}

/** Shorter secrets are found by chance in instants and ids, which then would tell nothing any more. */
const LONG = 8;
/** Shorter ones still are found in every other word: they are hidden where a value stands, and nowhere else. */
const TINY = 4;

/** An instant or a UUID. */
const OURS = /(\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/;

/**
 * Replaces secrets. One of 8 characters or more goes wherever it stands. A shorter one leaves instants and ids alone; one of fewer
 * than 4 goes where it can be meant: in quotes, behind `=`, or as the password in a URL. Who can read a log can guess so short a
 * one faster than find it there.
 */
export function secretRedactor(secrets: readonly string[]): Redact {
  const ofLength = (least: number, below: number) =>
    secrets.filter(({ length }) => least <= length && length < below && length > 0);
  const long = redactor(ofLength(LONG, Number.POSITIVE_INFINITY));
  const short = redactor(ofLength(TINY, LONG));
  const tiny = looksOf(ofLength(0, TINY)).map(escaped);
  const asValue = new RegExp(`(?<=["'“=])(?:${tiny.join('|')})(?=["'”&\\s]|$)|(?<=:)(?:${tiny.join('|')})(?=@)`, 'g');
  const hideTiny: Redact = (text) => (tiny.length === 0 ? text : text.replace(asValue, REDACTED));
  return (text) =>
    long(text)
      .split(OURS)
      .map((part, at) => (at % 2 === 1 ? part : hideTiny(short(part))))
      .join('');
}

function looksOf(texts: readonly string[]): string[] {
  const looks = texts.flatMap((text) => [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text.toWellFormed()),
  ]);
  return [...new Set(looks)].filter((text) => text !== '').sort((a, b) => b.length - a.length);
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Keys of summaries, statuses and log lines whose values are made of our own words and never hold anybody else's. */
const OUR_WORDS = new Set(
  'type kind level status command version run_id stream started_at ended_at complete cursor at'.split(' '),
);

/** Redacts every text inside of a JSON-like value, apart from our own words; keys are ours and stay. */
export function redactDeep(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((inner) => redactDeep(inner, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      typeof inner === 'string' && OUR_WORDS.has(key) ? inner : redactDeep(inner, redact),
    ]),
  );
}
