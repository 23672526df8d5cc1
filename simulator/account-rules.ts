import type { Unknowns } from './unknowns.ts';

/** An account as it was posted: the fields are checked, not typed. */
export type PostedAccount = Readonly<Record<string, unknown>>;

export const CREATE = 1;
export const UPDATE = 2;
export const WITHDRAW = 3;

const IDS = ['accountId', 'subAccountId'];

/** Beyond `status` no field is documented as required: what is, by assumption. */
const REQUIRED: Readonly<Record<Unknowns['accountsRequired'], readonly string[]>> = {
  ids: IDS,
  status: [],
  example: [
    ...IDS,
    ...['debtorCompanyId', 'firstName', 'lastName', 'language', 'idNumber', 'phones', 'emails', 'merchant', 'dateDue'],
    ...['principal', 'interest', 'fees', 'paidAmount', 'loanType'],
  ],
};

/** What is wrong with one account, in words; empty where nothing is. */
export function faultsOf(account: PostedAccount, required: Unknowns['accountsRequired']): string[] {
  const reasons: string[] = [];
  const check = (holds: boolean, reason: string) => {
    if (!holds) reasons.push(reason);
  };
  check([CREATE, UPDATE, WITHDRAW].includes(account.status as number), 'Invalid status');
  for (const name of REQUIRED[required])
    check(IDS.includes(name) ? isName(account[name]) : Object.hasOwn(account, name), `${name} is required`);
  for (const name of ['birthDate', 'dateDue', 'paidDate']) {
    const value = account[name];
    check(value === undefined || value === '' || value === null || isDate(value), 'Invalid date format');
  }
  for (const name of ['principal', 'interest', 'fees', 'paidAmount']) {
    const value = account[name];
    check(value === undefined || /^\d+(\.\d+)?$/.test(String(value)), `Invalid amount: ${name}`);
  }
  const { loanType, language } = account;
  check(
    loanType === undefined || (Number.isInteger(loanType) && Number(loanType) >= 1 && Number(loanType) <= 8),
    'Invalid loan type',
  );
  check(language === undefined || language === 'en' || language === 'ar', 'Invalid language');
  return reasons;
}

const isName = (value: unknown) => typeof value === 'string' && value !== '';

/** dd/MM/yyyy and a day that exists; any other form is refused. */
function isDate(value: unknown): boolean {
  const parts = /^(\d\d)\/(\d\d)\/(\d{4})$/.exec(String(value));
  if (parts === null) return false;
  const [, day, month, year] = parts;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day);
}

const DECIMALS: Readonly<Record<string, number>> = { BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3, JPY: 0 };

/** Major units as decimal text to minor units, exactly; digits beyond the currency's are cut off. Absent is nothing. */
export function minorUnits(value: unknown, currency: string): number {
  const [whole = '0', fraction = ''] = String(value ?? '0').split('.');
  const decimals = DECIMALS[currency] ?? 2;
  return Number(BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, '0')));
}
