import { z } from 'zod';
import {
  amount,
  country,
  date,
  emailAddress,
  freeForm,
  id,
  language,
  loanType,
  phoneNumber,
  status,
  text,
} from './fields.ts';

/**
 * An account as the Accounts API takes it, in the order of its documentation: one sub-account of one contract, and whose it is.
 * Both versions of the API take the same.
 */

const phone = z.strictObject({ number: phoneNumber, type: text });
const email = z.strictObject({ email: emailAddress, type: text });
const address = z.strictObject({
  externalId: text,
  street: text,
  city: text,
  area: text,
  zip: text,
  country,
  type: text,
});

/** Null is absent, here as in every field. */
const listOf = <T extends z.ZodType>(item: T) =>
  z.preprocess((value) => value ?? undefined, z.array(item, { error: 'must be a list' }).optional());

export const accountSchema = z.strictObject({
  status,
  debtorCompanyId: text,
  firstName: text,
  lastName: text,
  language,
  /** Emirates id or Saudi national id; an example of v1 calls it `emiratesId`, which `check` takes for it. */
  idNumber: text,
  passportNumber: text,
  birthDate: date,
  gender: text,
  nationality: text,
  phones: listOf(phone),
  emails: listOf(email),
  addresses: listOf(address),
  accountId: id,
  subAccountId: id,
  merchant: text,
  dateDue: date,
  principal: amount,
  interest: amount,
  fees: amount,
  /** Cumulative: all that has been paid so far. */
  paidAmount: amount,
  paidDate: date,
  loanType,
  additionalData: freeForm,
});

/** As it is sent. What is absent is undefined, and left out of its JSON. */
export type Account = z.output<typeof accountSchema> & {
  readonly status: 1 | 2 | 3;
  readonly accountId: string;
  readonly subAccountId: string;
};

/** Fields that are lists, and what they are lists of. */
export const LISTED = { phones: phone, emails: email, addresses: address };

/** The names of the fields, by the path of what holds them: '' is the account, `phones` each of its phones. */
export const FIELD_NAMES: Readonly<Record<string, readonly string[]>> = {
  '': [...Object.keys(accountSchema.shape), 'emiratesId'],
  ...Object.fromEntries(Object.entries(LISTED).map(([list, item]) => [list, Object.keys(item.shape)])),
};
