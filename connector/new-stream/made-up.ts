import { randomInt, randomUUID } from 'node:crypto';
import { isBrokenText, isJsonObject } from '../../schemas/values.ts';
import { numberText, shapeOf } from './shapes.ts';

/** Longer texts and lists tell nothing more of their shape. */
const LONGEST_TEXT = 60;
const LONGEST_LIST = 2;
/** What a double holds, and writes back, without a doubt. */
const CERTAIN_DIGITS = 15;

/** A name in JSON that names a field, as opposed to one that is data itself. */
const FIELD_NAME = /^(?!.*\d{4})[A-Za-z_][\w-]{0,40}$/;

const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const ARABIC = 'ابتثجحخدذرزسشصضطظعغفقكلمنهوي';

const anyOf = (letters: string) => letters[randomInt(letters.length)]!;
const twoDigits = (number: number) => String(number).padStart(2, '0');

/** A value of the same shape that has nothing of the given one in it: same length, same signs between, same convention of dates. */
export function madeUp(value: unknown): unknown {
  if (typeof value === 'boolean') return randomInt(2) === 1;
  if (typeof value === 'string') return madeUpText(value);
  const number = numberText(value);
  if (number !== null) return JSON.rawJSON(madeUpNumber(number));
  if (Array.isArray(value)) return value.slice(0, LONGEST_LIST).map(madeUp);
  if (isJsonObject(value)) {
    const entries = Object.entries(value).map(([key, item]) => [
      FIELD_NAME.test(key) ? key : madeUpText(key),
      madeUp(item),
    ]);
    return Object.fromEntries(entries);
  }
  return typeof value === 'object' && value !== null && isBrokenText(value) ? madeUpText(value.text) : null;
}

function madeUpText(text: string): string {
  const [day, month, year] = [twoDigits(randomInt(13, 29)), twoDigits(randomInt(1, 13)), String(randomInt(2020, 2026))];
  switch (shapeOf(text)) {
    case 'instant':
      return `${year}-${month}-${day}${text.slice(10).replace(/^T\d\d:\d\d:\d\d(\.\d+)?/, madeUpTime)}`;
    case 'DD/MM/YYYY':
      return `${day}/${month}/${year}`;
    case 'MM/DD/YYYY':
      return `${month}/${day}/${year}`;
    case 'YYYY-MM-DD':
      return `${year}-${month}-${day}`;
    case 'uuid':
      return /[A-F]/.test(text) ? randomUUID().toUpperCase() : randomUUID();
    case 'hex id':
      return text.replace(/[\da-f]/gi, (sign) => (/[A-F]/.test(sign) ? anyOf('ABCDEF') : anyOf(`${DIGITS}abcdef`)));
    case 'email':
      return `${likeWords(text.slice(0, text.indexOf('@')).slice(0, LONGEST_TEXT))}@mail.example`;
    case 'number as text':
      return madeUpNumber(text);
    default:
      if (/^https?:\/\//i.test(text)) return `https://files.example/${likeWords('abcdefgh')}`;
      return likeWords(text.slice(0, LONGEST_TEXT));
  }
}

/** Midnight stays midnight: it is a convention, that of days. */
function madeUpTime(time: string): string {
  if (/^T00:00:00(\.0+)?$/.test(time)) return time;
  const hours = twoDigits(randomInt(24));
  return `T${hours}:${twoDigits(randomInt(60))}:${twoDigits(randomInt(60))}${time.slice(9).replace(/\d/g, () => anyOf(DIGITS))}`;
}

/** Letters for letters of the same kind, digits for digits; signs and spaces stay. */
function likeWords(text: string): string {
  return [...text]
    .map((sign) => {
      if (/\d/.test(sign)) return anyOf(DIGITS);
      if (/[A-Z]/.test(sign)) return anyOf(LOWER).toUpperCase();
      if (/\p{Script=Arabic}/u.test(sign)) return anyOf(ARABIC);
      return /[\p{L}\p{M}]/u.test(sign) ? anyOf(LOWER) : sign;
    })
    .join('');
}

/** As many digits before and behind the point; zero stays zero, and no exponent is kept. */
function madeUpNumber(text: string): string {
  const [plain = ''] = text.split(/e/i);
  const [whole = '0', fraction = ''] = plain.replace('-', '').split('.');
  const sign = plain.startsWith('-') && /[1-9]/.test(plain) ? '-' : '';
  const madeWhole = /^0*$/.test(whole) ? whole : digitsLike(whole, 0);
  const room = fraction.slice(0, Math.max(1, CERTAIN_DIGITS - whole.length));
  if (fraction === '') return sign + madeWhole;
  return `${sign}${madeWhole}.${digitsLike(room, room.length - 1)}`;
}

/** Digits for digits; the one at `never0` is not a zero. */
function digitsLike(digits: string, never0: number): string {
  return [...digits].map((_, at) => (at === never0 ? anyOf('123456789') : anyOf(DIGITS))).join('');
}
