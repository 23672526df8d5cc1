import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEnvelope } from '../connector/api/envelope.ts';
import { cursorRange } from '../connector/sync/cursor-values.ts';
import { openPage } from '../connector/sync/page-parts.ts';
import { jsonText } from './fixtures/arbitrary-json.ts';

const at = (second: number) => `2026-03-01T00:00:${String(second).padStart(2, '0')}.000Z`;
const page = (rows: string, after = '', nextCursor = '"next"') =>
  `{"code":200,"message":"success","body":{"rows":[${rows}],"pagination":{"nextCursor":${nextCursor}}${after}},"errors":[]}`;

/** What decoding all of it says; a page that cannot be decoded says nothing. */
function decoded(text: string) {
  try {
    const { records, nextCursor } = readEnvelope(Buffer.from(text));
    return { nextCursor, ...cursorRange(records, 'updated_at'), records };
  } catch {
    return null;
  }
}

/** What is learned without: a page whose records cannot be decoded is no page either. */
function opened(text: string) {
  try {
    const parts = openPage(Buffer.from(text), 'updated_at');
    const records = parts.records();
    return { nextCursor: parts.nextCursor, first: parts.first, last: parts.last, records };
  } catch {
    return null;
  }
}

const record = (second: number, more = '') => `{"public_id":"${second}"${more},"updated_at":"${at(second)}"}`;

describe('a page of the usual shape', () => {
  test('is opened without decoding its records', () => {
    const text = page([1, 2, 3].map((second) => record(second)).join(), ',"meta":{"since":null}');
    const parts = openPage(Buffer.from(text), 'updated_at');
    expect(parts).toMatchObject({
      nextCursor: 'next',
      first: '2026-03-01T00:00:01.000000Z',
      last: '2026-03-01T00:00:03.000000Z',
    });
    expect(text.slice(parts.span!.start, parts.span!.end)).toBe([1, 2, 3].map((second) => record(second)).join());
    expect(opened(text)).toEqual(decoded(text));
  });

  test('leaves out the record that was read last, where it stands first again just as it was', () => {
    const text = (first: string) => Buffer.from(page([first, record(2), record(3)].join()));
    const { tail } = openPage(Buffer.from(page([record(0), record(1)].join())), 'updated_at');
    const again = openPage(text(record(1)), 'updated_at', tail);
    expect(again.records()).toEqual([2, 3].map((second) => JSON.parse(record(second))));
    const { start, end } = again.span!;
    expect(text(record(1)).toString('utf8', start, end)).toBe(`${record(2)},${record(3)}`);
    const changed = openPage(text(record(1, ',"x":1')), 'updated_at', tail);
    expect(changed.records()).toHaveLength(3);
    expect(changed.span!.start).toBeLessThan(start);
  });

  test.for<[string, string]>([
    ['one record', page(record(1))],
    ['no record', page('')],
    [
      'a list in a record that looks like the end',
      page(`${record(1, ',"x":[1],"pagination":{"nextCursor":null}')},${record(2)}`),
    ],
    [
      'an end inside of meta',
      page(`${record(1)},${record(2)}`, ',"meta":{"rows":[],"pagination":{"nextCursor":null}}'),
    ],
    ['two ends', page(`${record(1)},${record(2)}],"pagination":{"nextCursor":null},"x":[${record(3)},${record(4)}`)],
    [
      'records that hold records',
      page(`${record(1, ',"x":[{"a":1},{"b":2}]')},${record(2, ',"x":[{"a":1},{"b":2}]')}`),
    ],
    ['a last record that ends in records', page(`${record(1)},{"updated_at":"${at(2)}","x":[{"a":1},{"b":2}]}`)],
    ['braces in text', page(`${record(1, ',"x":"},{"')},${record(2, ',"x":"},{\\"a\\":1}"')}`)],
    ['a last record without the field', page(`${record(1)},${record(2)},{"public_id":"3"}`)],
    ['a first record with another value', page(`{"updated_at":"never"},${record(2)},${record(3)}`)],
    ['a cursor with an escape', page(`${record(1)},${record(2)}`, '', '"a\\"b"')],
    ['no cursor', page(`${record(1)},${record(2)}`, '', 'null')],
    ['an empty cursor', page(`${record(1)},${record(2)}`, '', '""')],
    ['white space', page(`${record(1)} , ${record(2)}`)],
    ['a comma too many', page(`${record(1)},${record(2)},`)],
    ['a record that is broken in the middle', page(`${record(1)},{"public_id:,${record(2)},${record(3)}`)],
    ['another code', page(`${record(1)},${record(2)}`).replace('200', '500')],
    ['another order', `{"body":{"pagination":{"nextCursor":"next"},"rows":[${record(1)},${record(2)}]}}`],
    ['a cut end', page(`${record(1)},${record(2)}`).slice(0, -1)],
  ])('with %s says what decoding says', ([, text]) => {
    expect(opened(text)).toEqual(decoded(text));
  });

  test('says what decoding says, whatever its records hold', () => {
    const value = jsonText();
    fc.assert(
      fc.property(fc.array(fc.tuple(value, fc.option(fc.nat(59))), { maxLength: 4 }), value, (rows, meta) => {
        const texts = rows.map(([x, second]) => (second === null ? x : record(second, `,"x":${x}`)));
        const text = page(texts.join(), `,"meta":${meta}`);
        expect(opened(text)).toEqual(decoded(text));
      }),
      { numRuns: 500 },
    );
  });

  test('that is cut anywhere, or has a byte too many anywhere, says what decoding says', () => {
    const text = page([1, 2].map((second) => record(second, ',"x":[{"a":"},{"},{}]')).join(), ',"meta":{}');
    for (let cut = 0; cut < text.length; cut++) {
      expect(opened(text.slice(0, cut))).toEqual(decoded(text.slice(0, cut)));
      for (const byte of '{}[],:"1') {
        const more = text.slice(0, cut) + byte + text.slice(cut);
        expect(opened(more)).toEqual(decoded(more));
      }
    }
  });
});
