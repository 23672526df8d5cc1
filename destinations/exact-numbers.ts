/**
 * What a query gives for a number of any size: a number where that says the same, else its plain text, without the zeros at
 * its end that a column of fixed scale adds.
 *
 * @param digits without exponent, such as `-12.500000000`.
 */
export function exactNumber(digits: string): number | string {
  const plain = digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  const number = Number(plain);
  return String(number) === plain ? number : plain;
}
