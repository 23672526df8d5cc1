/** Amounts of money, exactly: `digits` tenths of a unit, `decimals` times. */
export interface Amount {
  readonly digits: bigint;
  readonly decimals: number;
}

export const ZERO: Amount = { digits: 0n, decimals: 0 };

/** @param text decimal text, such as `1234.50`; also a number's own. */
export function parseAmount(text: string): Amount {
  const [whole = '0', fraction = ''] = text.split('.');
  return { digits: BigInt(whole + fraction), decimals: fraction.length };
}

export function add(a: Amount, b: Amount): Amount {
  const decimals = Math.max(a.decimals, b.decimals);
  return { digits: scaled(a, decimals) + scaled(b, decimals), decimals };
}

export function subtract(a: Amount, b: Amount): Amount {
  return add(a, { ...b, digits: -b.digits });
}

export function isLess(a: Amount, b: Amount): boolean {
  return subtract(a, b).digits < 0n;
}

export function isEqual(a: Amount, b: Amount): boolean {
  return subtract(a, b).digits === 0n;
}

/** Minor units of a currency with so many decimals, as major units. */
export function fromMinorUnits(text: string, currencyDecimals: number): Amount {
  const { digits, decimals } = parseAmount(text);
  return { digits, decimals: decimals + currencyDecimals };
}

function scaled({ digits, decimals }: Amount, to: number): bigint {
  return digits * 10n ** BigInt(to - decimals);
}
