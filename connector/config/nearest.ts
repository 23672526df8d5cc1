import { closest, distance } from 'fastest-levenshtein';

/** The part of a name that may be mistyped. */
const FARTHEST = 0.4;

/** The known name that `name` was probably meant to be, or null when none is near. */
export function nearest(name: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const plain = name.toLowerCase();
  const found = closest(plain, known);
  const near = Math.ceil(Math.max(plain.length, found.length) * FARTHEST);
  return distance(plain, found) <= near ? found : null;
}

/** `; did you mean "x"?`, or nothing when no known name is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const found = nearest(name, known);
  return found === null ? '' : `; did you mean "${found}"?`;
}
