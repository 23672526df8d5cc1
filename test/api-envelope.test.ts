import { describe, expect, it } from 'vitest';
import { readEnvelope } from '../connector/api/envelope.ts';
import { onePage } from './api-server.ts';

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const body = (pagination: unknown) => ({ code: 200, body: { rows: [], pagination } });

describe('a page’s envelope', () => {
  it('holds its records and the cursor of the next page', () => {
    expect(readEnvelope(bytes(onePage([{ public_id: 'a' }, 5], 'abc')))).toEqual({
      records: [{ public_id: 'a' }, 5],
      nextCursor: 'abc',
      total: null,
    });
  });

  it.each([
    [{ total: 5, totalExact: true }, 5],
    [{ total: 0 }, 0],
    [{ total: 100_000, totalExact: false, totalNote: 'capped' }, null],
    [{ total: 100_000, totalNote: 'capped' }, null],
    [{ total: null, totalExact: false, totalNote: 'timeout' }, null],
    [{ total: null, totalNote: 'window_required' }, null],
    [{ total: '5' }, null],
    [{ total: -1 }, null],
  ])('tells a total only where it is exact: %j', (told, total) => {
    expect(readEnvelope(bytes(body({ nextCursor: null, ...told }))).total).toBe(total);
  });

  it('fault 8: may hold nothing and still not be the last, as its cursor alone says', () => {
    expect(readEnvelope(bytes(onePage([], 'abc')))).toMatchObject({ records: [], nextCursor: 'abc' });
    expect(readEnvelope(bytes(onePage([], null)))).toMatchObject({ records: [], nextCursor: null });
  });

  it.each([
    ['a list', [], 'no JSON object'],
    ['null', null, 'no JSON object'],
    ['another code', { ...onePage(), code: 500 }, 'code 500'],
    ['no body', { code: 200 }, 'no body'],
    ['no rows', { code: 200, body: { pagination: { nextCursor: null } } }, 'no body.rows'],
    ['rows that are no list', { code: 200, body: { rows: {}, pagination: { nextCursor: null } } }, 'no body.rows'],
    ['no pagination', { code: 200, body: { rows: [] } }, 'no body.pagination'],
    ['no nextCursor', body({}), 'nextCursor is missing'],
    ['an empty nextCursor', body({ nextCursor: '' }), 'nextCursor is empty'],
    ['a number as nextCursor', body({ nextCursor: 0 }), 'neither text nor null'],
  ])('fault 3: with %s is not taken for the end of the data', (_, value, words) => {
    expect(() => readEnvelope(bytes(value))).toThrow(words);
  });

  it('fault 3: that is cut short is no page', () => {
    expect(() => readEnvelope(bytes(onePage()).subarray(0, -1))).toThrow(SyntaxError);
  });
});
