import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quickAccount } from '../accounts/quick.ts';
import { accountSchema, LISTED } from '../accounts/schema.ts';
import { decodeJson } from '../schemas/decode.ts';
import { account, fullAccount } from './accounts-example.ts';

type Json = Record<string, unknown>;

/** What the schema makes of it, as it would be sent; null where it refuses. */
function bySchema(given: Json): string | null {
  const parsed = accountSchema.safeParse(given);
  return parsed.success ? JSON.stringify(parsed.data) : null;
}

function quickly(given: Json): string | null {
  const made = quickAccount(given);
  return made === null ? null : JSON.stringify(made);
}

const plain = { ...account(1), accountId: 7, status: 'update', principal: 12.5, birthDate: '', phones: null };

describe('the quick way', () => {
  test.each([fullAccount, account(1), plain])('takes what is good and plain: %#', (given) => {
    expect(quickly(given)).not.toBeNull();
    expect(quickly(given)).toBe(bySchema(given));
  });

  test.each([
    { ...account(1), accountID: 'A-1' },
    { ...account(1), dateDue: '31/02/2026' },
    { ...account(1), phones: [{ number: '0501234567' }] },
    { ...account(1), phones: [[]] },
    { ...account(1), addresses: [[]] },
    { ...account(1), phones: { number: '+971501234567' } },
    { ...account(1), emails: [null] },
    { status: 1, accountId: 'A-1' },
    JSON.parse('{"status":1,"accountId":"A","subAccountId":"S","__proto__":{"status":9}}') as Json,
  ])('leaves all else to the schema: %#', (given) => {
    expect(quickly(given)).toBeNull();
  });

  const bytes = (text: string) => Buffer.from(text, 'latin1');
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
      '',
      ' A',
      '1',
      '31/12/2026',
      '31/02/2026',
      '5,000',
      '+971501234567',
      'ARE',
      'en',
      'a@b.example',
      '\ud800',
    ),
    fc
      .constantFrom('1.10', '12345678901234567890', '1e3', '-0', '"\xff"', '["\xff"]')
      .map((text) => decodeJson(bytes(text))),
    fc.constantFrom(undefined, null, 0, 4, true, [], {}, [null], [{}], [[]]),
  );
  const name = fc.constantFrom(...Object.keys(accountSchema.shape), 'another', '__proto__', 'constructor', 'toString');
  const inside = fc.tuple(
    fc.constantFrom(...Object.entries(LISTED).map(([list, item]) => [list, Object.keys(item.shape)] as const)),
    fc.nat(),
    value,
  );
  const changes = fc.array(
    fc.oneof(
      fc.tuple(name, value).map(([field, given]) => ({ [field]: given })),
      inside.map(([[list, fields], at, given]) => ({ [list]: [{ [fields[at % fields.length]!]: given }] })),
    ),
    { maxLength: 4 },
  );

  test('never says anything else than the schema', () => {
    let quick = 0;
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(fullAccount as Json, account(1), plain), changes, (base, changed) => {
        const given: Json = Object.assign({}, base, ...changed);
        const made = quickly(given);
        const judged = bySchema(given);
        if (made === null) refused += 1;
        else expect(made).toBe(judged);
        if (made !== null) quick += 1;
      }),
      { numRuns: 5_000 },
    );
    expect([quick > 500, refused > 500]).toEqual([true, true]);
  });
});
