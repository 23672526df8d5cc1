import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkAccount } from '../accounts/check.ts';
import { csvItems } from '../accounts/input/csv.ts';
import type { Chunks, Item, Items } from '../accounts/input/item.ts';
import { jsonArrayItems } from '../accounts/input/json-array.ts';
import { ndjsonItems } from '../accounts/input/ndjson.ts';
import { collect, pieces } from './accounts-pieces.ts';

/** The same whatever the pieces are that the bytes come in. */
async function read(reader: (chunks: Chunks) => Items, text: string | Uint8Array): Promise<Item[]> {
  const whole = await collect(reader(pieces(text, 1_000_000)));
  for (const size of [1, 2, 7]) expect(await collect(reader(pieces(text, size)))).toEqual(whole);
  return whole;
}

describe('NDJSON', () => {
  test('is one value a line; empty lines are counted and passed over', async () => {
    expect(await read(ndjsonItems, '\ufeff{"a":1}\r\n\n{"ا":"é"}\nnope\n \t\n{"b":2}')).toEqual([
      { line: 1, value: { a: 1 } },
      { line: 3, value: { ا: 'é' } },
      { line: 4, problem: 'is not JSON' },
      { line: 6, value: { b: 2 } },
    ]);
  });

  test('a line of more than 1 MB is refused, and the next one is read', async () => {
    const items = await collect(ndjsonItems(pieces(`{"a":"${'x'.repeat(1_100_000)}"}\n{"b":2}\n`, 60_000)));
    expect(items).toEqual([
      { line: 1, problem: 'is longer than 1 MB' },
      { line: 2, value: { b: 2 } },
    ]);
  });
});

describe('NDJSON that is something else', () => {
  test.each([
    ['\n [{"accountId":"A"},', 'give --format json'],
    ['[\n{"accountId":"A"}', 'give --format json'],
    ['status,accountId\n1,A\n', 'give --format csv'],
    ['"accountId","status"\n', 'give --format csv'],
  ])('is told at once: %j', async (text, message) => {
    await expect(collect(ndjsonItems(pieces(text, 100)))).rejects.toThrow(message);
  });

  test('is not suspected where an account is merely damaged', async () => {
    const items = await read(ndjsonItems, 'Layla,A-1\n{"accountId":"A"\n[1]\n');
    expect(items.map((item) => 'problem' in item)).toEqual([true, true, false]);
  });
});

describe('a JSON array', () => {
  test('is one account an element', async () => {
    expect(await read(jsonArrayItems, '\ufeff [ {"a":"]\\"é,"},\n{"b":[1,{}]} , nope,{"c":"\\\\"} ] ')).toEqual([
      { line: 1, value: { a: ']"é,' } },
      { line: 2, value: { b: [1, {}] } },
      { line: 3, problem: 'is not JSON' },
      { line: 4, value: { c: '\\' } },
    ]);
    expect(await read(jsonArrayItems, '[]')).toEqual([]);
  });

  test('that is cut short, or goes on behind its end, is told', async () => {
    expect(await read(jsonArrayItems, '[{"a":1},{"b"')).toEqual([
      { line: 1, value: { a: 1 } },
      { line: 2, problem: expect.stringContaining('cut short') },
    ]);
    expect(await read(jsonArrayItems, '[{"a":1}] x')).toEqual([
      { line: 1, value: { a: 1 } },
      { line: 2, problem: expect.stringContaining('behind the end') },
    ]);
  });

  test.each(['{"accounts":[]}', '', 'x'])('must be one: %j', async (text) => {
    await expect(read(jsonArrayItems, text)).rejects.toThrow('no JSON array');
  });

  test('of any JSON is read as JSON.parse reads it', async () => {
    const plain = fc.array(fc.jsonValue()).filter((list) => !JSON.stringify(list).includes('-0'));
    await fc.assert(
      fc.asyncProperty(plain, fc.integer({ min: 1, max: 9 }), fc.constantFrom(0, 2), async (list, size, indent) => {
        const items = await collect(jsonArrayItems(pieces(JSON.stringify(list, null, indent), size)));
        expect(JSON.stringify(items.map((item) => ('value' in item ? item.value : item)))).toBe(JSON.stringify(list));
      }),
      { numRuns: 200 },
    );
  });
});

describe('CSV', () => {
  test('has the names of fields as header, nested ones with points; an empty cell is an absent field', async () => {
    const text = [
      '\ufeffaccountId,phones.0.number,phones.1.number,phones.1.type,additionalData.branch.code,addresses',
      'A-1,+1,,,"a ""b"", c",',
      '',
      'A-2,,+2,work,,"[{""city"":""Dubai""}]"',
    ].join('\r\n');
    expect(await read(csvItems, text)).toEqual([
      {
        line: 2,
        value: { accountId: 'A-1', phones: [{ number: '+1' }], additionalData: { branch: { code: 'a "b", c' } } },
      },
      {
        line: 4,
        value: { accountId: 'A-2', phones: [{ number: '+2', type: 'work' }], addresses: [{ city: 'Dubai' }] },
      },
    ]);
  });

  test('the line of an account is the one that it begins on', async () => {
    const items = await read(csvItems, 'accountId,merchant\nA-1,"two\nlines"\nA-2,x\nA-3\nA-4,y\n');
    expect(items.map(({ line }) => line)).toEqual([2, 4, 5, 6]);
    expect(items[2]).toEqual({ line: 5, problem: 'has 1 cells where the header has 2' });
  });

  test('lines are counted as an editor counts them, whatever breaks lines inside of quotation marks', async () => {
    const cell = fc.stringMatching(/^(a|b|,|\n|\r\n|\r|""){0,6}$/);
    const rows = fc.array(fc.tuple(cell, fc.constantFrom('\n', '\r\n')), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(rows, async (given) => {
        let text = 'accountId,merchant\r\n';
        const lines = given.map(([quoted, end]) => {
          const line = text.split('\n').length;
          text += `A-1,"${quoted}"${end}`;
          return line;
        });
        expect((await collect(csvItems(pieces(text, 1000)))).map(({ line }) => line)).toEqual(lines);
      }),
    );
    const broken = await read(csvItems, 'accountId,merchant\r\nA-1,"x\r\ny"\r\nA-2,"a"b\r\n');
    expect(broken.map(({ line }) => line)).toEqual([2, 4]);
  });

  test('a cell that is not UTF-8 is refused by the field that it is in', async () => {
    const text = Buffer.from(
      'status,accountId,subAccountId,firstName\n1,A-1,S-1,Jos\xe9\n1,A-2,S-2,Jos\xc3\xa9\n',
      'latin1',
    );
    const checked = (await read(csvItems, text)).map((item) => checkAccount(item.line, 'value' in item && item.value));
    expect(checked[0]).toMatchObject({ line: 2, problems: [{ field: 'firstName', reason: 'is not UTF-8' }] });
    expect(checked[1]).toMatchObject({ json: expect.stringContaining('José') });
  });

  test('where quotation marks do not pair, nothing behind is read', async () => {
    const items = await read(csvItems, 'accountId,merchant\nA-1,x\nA-2,"a"b\nA-3,y\n');
    expect(items).toEqual([
      { line: 2, value: { accountId: 'A-1', merchant: 'x' } },
      { line: 3, problem: expect.stringContaining('nothing behind it is read') },
    ]);
    expect((await read(csvItems, 'accountId,merchant\nA-1,"x\n')).at(-1)).toMatchObject({
      problem: expect.stringContaining('never closed'),
    });
  });

  test.each([
    ['accountId,acountId\n', '"acountId" is no field that ClearGrid knows; did you mean "accountId"?'],
    ['accountId,phones.0.numbr\n', 'did you mean "phones.0.number"?'],
    ['accountId,accountId\n', '"accountId" is there twice'],
    ['accountId;status\n', 'separated by commas'],
    [
      'account_id,Sub Account ID,first_name\n',
      '"first_name" is no field that ClearGrid knows; did you mean "firstName"?',
    ],
    ['\ufffds\0t\0\n', 'must be UTF-8'],
    ['', 'no header'],
  ])('a header %j is refused', async (text, message) => {
    await expect(collect(csvItems(pieces(text, 100)))).rejects.toThrow(message);
  });

  test('a header that is an account is not told', async () => {
    const attempt = collect(csvItems(pieces('1,A-1,Layla,Haddad,+971501234567\n', 100)));
    await expect(attempt).rejects.toThrow('does not hold the names of fields');
    await expect(attempt).rejects.not.toThrow(/Layla|Haddad|971/);
  });
});
