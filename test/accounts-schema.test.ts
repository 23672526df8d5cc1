import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BadAccount, checkAccount, type GoodAccount, isGood } from '../accounts/check.ts';
import { FIELD_NAMES } from '../accounts/schema.ts';
import { decodeJson } from '../schemas/decode.ts';
import { fullAccount } from './accounts-example.ts';

const decoded = (json: string) => decodeJson(Buffer.from(json));
const check = (changes: object) => checkAccount(7, { ...fullAccount, ...changes });

function sent(changes: object): Record<string, unknown> {
  const checked = check(changes);
  if (!isGood(checked)) throw new Error(JSON.stringify(checked));
  return JSON.parse(checked.json);
}

/** `field: reason` of each problem. */
function problems(changes: object): string[] {
  const checked = check(changes);
  return isGood(checked) ? [] : checked.problems.map(({ field, reason }) => `${field}: ${reason}`);
}

describe('an account', () => {
  test('with every documented field is sent as it is, in the order of the documentation', () => {
    const { json, bytes } = check({}) as GoodAccount;
    expect(json).toBe(JSON.stringify(fullAccount));
    expect(bytes).toBe(Buffer.byteLength(JSON.stringify(fullAccount)));
    expect([...Object.keys(fullAccount), 'emiratesId']).toEqual(FIELD_NAMES['']);
  });

  test('has the same content whatever the order of its fields, and another when a value is another', () => {
    const reversed = Object.fromEntries(Object.entries(fullAccount).reverse());
    const { content } = check({}) as GoodAccount;
    expect((checkAccount(1, reversed) as GoodAccount).content).toBe(content);
    expect((check({ paidAmount: '1' }) as GoodAccount).content).not.toBe(content);
  });

  test('needs status, accountId and subAccountId, and nothing else', () => {
    const { accountId, problems: found } = checkAccount(3, {}) as BadAccount;
    expect(accountId).toBeNull();
    expect(found.map(({ field, reason }) => `${field} ${reason}`)).toEqual([
      'status is required',
      'accountId is required',
      'subAccountId is required',
    ]);
    expect(isGood(checkAccount(3, { status: 3, accountId: 'A', subAccountId: 'S' }))).toBe(true);
  });

  test('is told by line and id, with all that is wrong and none of its values', () => {
    const bad = check({ dateDue: '2026-06-15', phones: [{ number: '0501234567' }], secondName: 'Noor' });
    expect(bad).toEqual({
      line: 7,
      accountId: 'A-1',
      problems: [
        { field: 'phones.0.number', reason: expect.stringContaining('E.164') },
        { field: 'dateDue', reason: 'must be written dd/MM/yyyy' },
        { field: 'secondName', reason: expect.stringContaining('additionalData') },
      ],
    });
    expect(JSON.stringify(bad)).not.toMatch(/2026|0501|Noor/);
  });

  test.each([null, 3, 'text', [], [fullAccount]])('must be an object: %j', (given) => {
    expect(checkAccount(1, given)).toMatchObject({
      problems: [{ field: '', reason: expect.stringContaining('object') }],
    });
  });
});

describe('fields', () => {
  test('null is an absent field, and so is an empty date, as in the published example', () => {
    const { passportNumber, paidDate, phones, additionalData, ...rest } = fullAccount;
    expect(sent({ passportNumber: null, paidDate: '', phones: null, additionalData: null })).toEqual(rest);
    expect(sent({ emails: [{ email: 'a@b.example', type: null }] }).emails).toEqual([{ email: 'a@b.example' }]);
  });

  test.each([
    [{ status: 'create' }, { status: 1 }],
    [{ status: 'update' }, { status: 2 }],
    [{ status: 'withdraw' }, { status: 3 }],
    [{ status: '2' }, { status: 2 }],
    [{ loanType: '8' }, { loanType: 8 }],
    [{ accountId: 12 }, { accountId: '12' }],
    [{ idNumber: undefined, emiratesId: '784-1' }, { idNumber: '784-1' }],
    [{ emiratesId: null }, {}],
  ])('%j is sent as %j', (given, expected) => {
    expect(sent(given)).toEqual({ ...JSON.parse(JSON.stringify(fullAccount)), ...expected });
  });

  test.each(['0', '12', '12.50', '0.001', '123456789012345678901234.123456789'])(
    'the amount %s stays its text',
    (amount) => {
      expect(sent({ principal: amount }).principal).toBe(amount);
      const number = decoded(`{"principal":${amount}}`) as object;
      expect(sent(number).principal).toBe(amount);
    },
  );

  test('an amount with an exponent is written out', () => {
    expect(sent(decoded('{"principal":1.25e3,"fees":5E-2}') as object)).toMatchObject({
      principal: '1250',
      fees: '0.05',
    });
  });

  const bad: [object, string][] = [
    [{ status: 4 }, 'status: must be 1 (create), 2 (update) or 3 (withdraw)'],
    [{ status: 'toString' }, 'status: must be 1 (create), 2 (update) or 3 (withdraw)'],
    [{ dateDue: '31/02/2026' }, 'dateDue: is no day of the calendar (day comes first: dd/MM/yyyy)'],
    [{ birthDate: '12/31/1990' }, 'birthDate: is no day of the calendar (day comes first: dd/MM/yyyy)'],
    [{ paidDate: '1/5/2026' }, 'paidDate: must be written dd/MM/yyyy'],
    [{ principal: '5,000' }, 'principal: must be a number such as 1234.50, without separators or currency'],
    [{ principal: '' }, 'principal: must be a number such as 1234.50, without separators or currency'],
    [{ fees: -1 }, 'fees: must not be negative'],
    [{ paidAmount: true }, 'paidAmount: must be text'],
    [{ language: 'fr' }, 'language: must be en or ar'],
    [{ loanType: 9 }, 'loanType: must be one of the codes 1 CREDIT_CARD, 2 LEASE'],
    [{ loanType: 'BNPL' }, 'loanType: must be one of the codes'],
    [{ addresses: [{ country: 'UAE' }] }, 'addresses.0.country: must be an ISO 3166 alpha-3 country code: ARE'],
    [{ addresses: [{ country: 'sa' }] }, 'addresses.0.country: must be an ISO 3166 alpha-3 country code: SAU'],
    [{ addresses: [{ country: 'XYZ' }] }, 'addresses.0.country: must be an ISO 3166 alpha-3 country code, such as ARE'],
    [{ phones: [{ type: 'mobile' }] }, 'phones.0.number: is required'],
    [{ phones: [{ number: '971501234567' }] }, 'phones.0.number: must be an E.164 number'],
    [{ phones: ['+971501234567'] }, 'phones.0: must be an object'],
    [{ phones: { number: '+971501234567' } }, 'phones: must be a list'],
    [{ emails: [{ email: 'nobody' }] }, 'emails.0.email: must be an email address'],
    [
      { emails: [{ mail: 'a@b.example', email: 'a@b.example' }] },
      'emails.0.mail: is no field that ClearGrid knows; did you mean "email"?',
    ],
    [{ accountId: ' A-1' }, 'accountId: begins or ends with a space'],
    [{ accountId: '' }, 'accountId: is required'],
    [{ firstName: { first: 'Layla' } }, 'firstName: must be text'],
    [{ additionalData: ['x'] }, 'additionalData: must be an object'],
    [{ emiratesId: '784' }, 'emiratesId: is the older name of idNumber: give one of them'],
    [{ accountID: 'A-1' }, 'accountID: is no field that ClearGrid knows; did you mean "accountId"?'],
    [{ '+971501234567': 1 }, ': holds a field whose name is none'],
  ];
  test.each(bad)('%j is refused', (changes, problem) => {
    const found = problems(changes);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(problem);
  });

  test('text that is no UTF-8 is refused, wherever it is', () => {
    const broken = Buffer.from('{"firstName":"x\xff","additionalData":{"a":["x\xff"]}}', 'latin1');
    expect(problems(decodeJson(broken) as object)).toEqual([
      'firstName: is not UTF-8',
      'additionalData: holds text that is not UTF-8',
    ]);
  });
});

describe('what is sent', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  const id = fc
    .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 9 })
    .filter((name) => name.trim() === name && name !== '');
  const date = fc
    .date({ min: new Date('1901-01-01'), max: new Date('2199-12-31'), noInvalidDate: true })
    .map((day) => day.toISOString().slice(0, 10).split('-').reverse().join('/'));
  const amount = fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.option(fc.stringMatching(/^\d{1,9}$/), { nil: null }))
    .map(([whole, fraction]) => (fraction === null ? `${whole}` : `${whole}.${fraction}`));
  const withoutBroken = (value: unknown) => JSON.stringify(value) === JSON.stringify(JSON.parse(JSON.stringify(value)));
  const accounts = fc.record(
    {
      status: fc.constantFrom(1, 2, 3),
      firstName: text,
      language: fc.constantFrom('en', 'ar'),
      birthDate: date,
      phones: fc.array(
        fc.record({ number: fc.stringMatching(/^\+[1-9]\d{6,14}$/), type: text }, { requiredKeys: ['number'] }),
        {
          maxLength: 3,
        },
      ),
      addresses: fc.array(
        fc.record({ city: text, country: fc.constantFrom('ARE', 'SAU', 'BHR') }, { requiredKeys: [] }),
        {
          maxLength: 2,
        },
      ),
      accountId: id,
      subAccountId: id,
      dateDue: date,
      principal: amount,
      paidAmount: amount,
      loanType: fc.integer({ min: 1, max: 8 }),
      additionalData: fc.dictionary(id, fc.jsonValue({ maxDepth: 3 })).filter(withoutBroken),
    },
    { requiredKeys: ['status', 'accountId', 'subAccountId'] },
  );

  test('is accepted again, and stays the same: sending it twice is sending it once', () => {
    fc.assert(
      fc.property(accounts, (given) => {
        const first = checkAccount(1, given);
        if (!isGood(first)) throw new Error(JSON.stringify(first));
        expect(JSON.parse(first.json)).toEqual(JSON.parse(JSON.stringify(given)));
        const again = checkAccount(1, decodeJson(Buffer.from(first.json))) as GoodAccount;
        expect(again.content).toBe(first.content);
      }),
      { numRuns: 500 },
    );
  });

  test('amounts given as numbers are sent with the digits they came with', () => {
    fc.assert(
      fc.property(amount, (digits) => {
        const given = decoded(`{"status":1,"accountId":"A","subAccountId":"S","principal":${digits}}`);
        expect(JSON.parse((checkAccount(1, given) as GoodAccount).json).principal).toBe(digits);
      }),
    );
  });
});
