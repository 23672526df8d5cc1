/** Seeded randomness: the same seed gives the same records, ids and faults on every machine. */

/** A generator's whole state, so that a record can own one without allocating a closure. */
export interface Dice {
  state: number;
}

/** Mixes two 32-bit integers into one. For a fixed `a` different `b` give different results, which keeps ids unique. */
export function mix(a: number, b: number): number {
  let h = a ^ Math.imul(b + 1, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A 32-bit number for a text, for salts and for binding a page cursor to its parameters (FNV-1a). */
export function mixText(text: string): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193);
  return h >>> 0;
}

/** The next number in [0, 1) (mulberry32). */
export function roll(dice: Dice): number {
  dice.state = (dice.state + 0x6d2b79f5) | 0;
  let t = Math.imul(dice.state ^ (dice.state >>> 15), dice.state | 1);
  t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
}

/** A whole number in [0, below). */
export function rollBelow(dice: Dice, below: number): number {
  return Math.floor(roll(dice) * below);
}

export function pick<T>(dice: Dice, choices: readonly T[]): T {
  return choices[rollBelow(dice, choices.length)] as T;
}
