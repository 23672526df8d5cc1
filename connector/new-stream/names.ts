import { snakeCase } from '../../schemas/stream.ts';

/** What a field's name tells that its values do not. */

/** Words that amounts of money end in: minor units and other numbers cannot be told apart by their values. */
const MONEY = /(^|_)(amount|balance|principal|interest|fees?|payment|installment|price|cost|charge|debt|paid|owed)$/;

const PERSON =
  /(^|_)(first|last|middle|full|user|agent|borrower|customer|contact|father|mother)_?name$|(^|_)(phones?|mobile|emails?|address(es)?|passport(_number)?|national_id|id_number|iban|birth_?(date|day)|date_of_birth|dob)$/;

export function isNamedLikeMoney(field: string): boolean {
  return MONEY.test(snakeCase(field));
}

export function isNamedLikePerson(field: string): boolean {
  return PERSON.test(snakeCase(field));
}
