/** An account with every documented field, as it is sent. */
export const fullAccount = {
  status: 1,
  debtorCompanyId: 'C-1',
  firstName: 'Layla',
  lastName: 'Haddad',
  language: 'en',
  idNumber: '784199012345678',
  passportNumber: 'P1234567',
  birthDate: '28/02/1990',
  gender: 'female',
  nationality: 'Lebanese',
  phones: [{ number: '+971501234567', type: 'mobile' }],
  emails: [{ email: 'layla@example.com', type: 'personal' }],
  addresses: [
    { externalId: 'X-1', street: '1 Palm St', city: 'Dubai', area: 'Marina', zip: '0', country: 'ARE', type: 'home' },
  ],
  accountId: 'A-1',
  subAccountId: 'S-1',
  merchant: 'Example Electronics',
  dateDue: '15/06/2026',
  principal: '5000',
  interest: '120.50',
  fees: '30',
  paidAmount: '0',
  paidDate: '01/05/2026',
  loanType: 4,
  additionalData: { branch: 'DXB-3', scores: [1, 2.5] },
} as const;

type Fields = Readonly<Record<string, unknown>>;

/** A plain account, one of many. */
export function account(number: number, changes: Fields = {}): Record<string, unknown> {
  return {
    status: 1,
    debtorCompanyId: `C-${number}`,
    firstName: 'Layla',
    lastName: `Haddad-${number}`,
    language: 'en',
    idNumber: `78419901234${String(number).padStart(4, '0')}`,
    phones: [{ number: `+97150${String(1_000_000 + number)}`, type: 'mobile' }],
    emails: [{ email: `layla.${number}@example.com`, type: 'personal' }],
    accountId: `A-${number}`,
    subAccountId: `S-${number}`,
    merchant: 'Example Electronics',
    dateDue: '15/06/2026',
    principal: '5000',
    interest: '120.50',
    fees: '30',
    paidAmount: '0',
    loanType: 4,
    ...changes,
  };
}

export const ndjson = (accounts: readonly unknown[]): string =>
  accounts.map((each) => `${JSON.stringify(each)}\n`).join('');
