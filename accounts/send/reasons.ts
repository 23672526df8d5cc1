import { redactor } from '../../connector/output/redact.ts';

const MOST_REASONS = 10;
const LONGEST = 300;

/** Fields whose values are nobody's in particular. */
const HARMLESS = new Set(['status', 'language', 'gender', 'loanType', 'accountId', 'subAccountId', 'type', 'country']);

/** What may be somebody's, whoever wrote it: an address of email, a number of five digits or more. */
const SUSPECT = /[^\s@"'<>]+@[^\s@"'<>]+|\+?\d[\d\s.\-/]{3,}\d/g;

/** The API's reasons against an account (as its JSON) without anything personal: none of the account's values, and nothing that looks like one of anybody's. */
export function cleanReasons(reasons: readonly string[], json: string): string[] {
  const redact = redactor(valuesIn(JSON.parse(json)).filter((value) => value.length > 1));
  return reasons.slice(0, MOST_REASONS).map((reason) => {
    const clean = oneLine(redact(oneLine(reason)).replace(SUSPECT, '****'));
    return clean.length > LONGEST ? `${clean.slice(0, LONGEST)}…` : clean;
  });
}

const oneLine = (text: string) =>
  text
    .toWellFormed()
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();

function valuesIn(value: unknown): string[] {
  if (typeof value === 'string') return [oneLine(value)];
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => (HARMLESS.has(name) ? [] : valuesIn(inner)));
}
