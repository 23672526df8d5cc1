/** A decimal number: `digits` (no zeros at either end; none at all for zero) times ten to the power of `exponent`. */
export interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

/** Longer numbers fit no column anywhere (the largest is Postgres's numeric, 147,455 digits) and are not looked at. */
const LONGEST = 150_000;

/** Takes a number in JSON's grammar apart; null when the text is none, or longer than any column holds. */
export function parseDecimal(text: string): Decimal | null {
  if (text.length > LONGEST) return null;
  const match = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return null;
  const [, sign, whole, fraction = '', power = '0'] = match;
  const all = whole + fraction;
  let first = 0;
  while (all[first] === '0') first += 1;
  let end = all.length;
  while (end > first && all[end - 1] === '0') end -= 1;
  const digits = all.slice(first, end);
  if (digits === '') return { negative: false, digits, exponent: 0 };
  return { negative: sign === '-', digits, exponent: Number(power) - fraction.length + all.length - end };
}

export function isSame(a: Decimal, b: Decimal): boolean {
  return a.negative === b.negative && a.digits === b.digits && a.exponent === b.exponent;
}

/** How many digits stand before the point. */
export function integerDigits({ digits, exponent }: Decimal): number {
  return Math.max(0, digits.length + exponent);
}

/** How many digits stand behind the point. */
export function fractionDigits({ exponent }: Decimal): number {
  return Math.max(0, -exponent);
}

/** The number without an exponent; only for numbers whose digits have been counted. */
export function plainText({ negative, digits, exponent }: Decimal): string {
  const sign = negative ? '-' : '';
  if (digits === '') return '0';
  if (exponent >= 0) return sign + digits + '0'.repeat(exponent);
  const all = digits.padStart(1 - exponent, '0');
  return `${sign}${all.slice(0, exponent)}.${all.slice(exponent)}`;
}
