import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeJson } from '../schemas/decode.ts';
import { isBrokenText } from '../schemas/values.ts';
import { jsonText, numberText } from './fixtures/arbitrary-json.ts';

const decode = (text: string) => decodeJson(Buffer.from(text));

/** Blanks around every separator, outside of strings. */
function spaced(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|[[\]{},:]/g, (part) => (part.startsWith('"') ? part : `\n ${part}\t\r`));
}

describe('Decoding a body', () => {
  it('gives back every JSON text to the digit', () => {
    fc.assert(
      fc.property(jsonText(), (text) => {
        expect(JSON.stringify(decode(text))).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives back every JSON text whatever blanks are in it', () => {
    fc.assert(
      fc.property(jsonText(), (text) => {
        expect(JSON.stringify(decode(spaced(text)))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps a number that JavaScript writes as it came a number, and any other its text', () => {
    fc.assert(
      fc.property(numberText, (text) => {
        const [value] = decode(`[${text}]`) as unknown[];
        if (String(Number(text)) === text) expect(value).toBe(Number(text));
        else expect(value).toEqual(JSON.rawJSON(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is JSON.parse where nothing is lost by it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!JSON.stringify(value).includes('e'));
        expect(decode(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('keeps members of any name, and no object gets another prototype', () => {
    const value = decode('{"__proto__":{"polluted":1.0},"constructor":1.0}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value).not.toHaveProperty('polluted');
  });

  it('reads past a byte order mark', () => {
    expect(decode('\ufeff{"a":1}')).toEqual({ a: 1 });
  });

  it('reads a part of a larger buffer', () => {
    const whole = Buffer.from('x[1.0]x');
    expect(JSON.stringify(decodeJson(new Uint8Array(whole.buffer, whole.byteOffset + 1, 5)))).toBe('[1.0]');
  });
});

describe('Decoding a body that is no UTF-8', () => {
  it('keeps the bytes of what cannot be read, and all else as it is', () => {
    const body = Buffer.from('{"good":"\xc3\xa9","bad":"a\xff","n":1.0,"list":["\xe2\x82"]}', 'latin1');
    const value = decodeJson(body) as { good: string; bad: object; n: unknown; list: object[] };
    expect(value.good).toBe('é');
    expect(isBrokenText(value.bad)).toBe(true);
    expect(value.bad).toMatchObject({ text: 'a\ufffd', hex: '61ff' });
    expect(value.n).toEqual(JSON.rawJSON('1.0'));
    expect(value.list).toMatchObject([{ text: '\ufffd', hex: 'e282' }]);
  });

  it('keeps members apart whose names differ in unreadable bytes alone', () => {
    const body = Buffer.from('{"a\xff":1,"a\xfe":2,"a\xef\xbf\xbd (61ff)":3}', 'latin1');
    expect(decodeJson(body)).toEqual({ 'a\ufffd (61ff)': 3, 'a\ufffd (61ff)*': 1, 'a\ufffd (61fe)': 2 });
  });

  it('never throws and keeps every byte of a string', () => {
    // Any bytes but what ends or escapes a string, or may not stand in one.
    const inString = fc.integer({ min: 0x20, max: 0xff }).filter((byte) => byte !== 0x22 && byte !== 0x5c);
    fc.assert(
      fc.property(fc.array(inString, { maxLength: 12 }), (codes) => {
        const bytes = Buffer.from(codes);
        const [value] = decodeJson(Buffer.concat([Buffer.from('["'), bytes, Buffer.from('"]')])) as unknown[];
        const hex = typeof value === 'string' ? Buffer.from(value).toString('hex') : (value as { hex: string }).hex;
        expect(hex).toBe(bytes.toString('hex'));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('Decoding what is no JSON', () => {
  it.each([
    '',
    ' ',
    '<html>504 Gateway Time-out</html>',
    '[1,',
    '{"a":"secret',
    '{"secret":01}',
    '[1]]',
    "['secret']",
    '[1.]',
  ])('fails for %j without a word of it', (body) => {
    expect(() => decode(body)).toThrow(SyntaxError);
    expect(() => decode(body)).toThrow(/^the body is not JSON( at position \d+)?$/);
  });

  it('fails for bytes that are no UTF-8 outside of strings', () => {
    expect(() => decodeJson(Buffer.from([0x5b, 0xff, 0x5d]))).toThrow(SyntaxError);
  });
});

describe('A body made to be slow', () => {
  const size = 2_000_000;
  it.each([
    ['lists in lists', '['.repeat(size / 2) + ']'.repeat(size / 2)],
    ['an inexact number in lists in lists', `${'['.repeat(200_000)}1.0${']'.repeat(200_000)}`],
    ['objects in objects', `${'{"a":'.repeat(200_000)}1.0${'}'.repeat(200_000)}`],
    ['points in a string', `["${'.'.repeat(size)}"]`],
    ['digits and points in a string', `["${'1.'.repeat(size / 2)}"]`],
    ['digits', `[${'9'.repeat(size)}]`],
    ['a fraction', `[0.${'1'.repeat(size)}]`],
    ['an exponent', `[1e${'9'.repeat(size)}]`],
    ['exponents in a string', `["${',1e'.repeat(size / 3)}"]`],
    ['backslashes', `["${'\\\\'.repeat(size / 2)}",1.0]`],
    ['escaped quotation marks', `["${'\\"'.repeat(size / 2)}",1.0]`],
    ['blanks', `[${' '.repeat(size)}1.0]`],
  ])('is decoded all the same: %s', (_, body) => {
    expect(() => decode(body)).not.toThrow();
  });
});
