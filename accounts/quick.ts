import { type Judge, judgeOf, Wrong } from './fields.ts';
import { type Account, accountSchema, LISTED } from './schema.ts';

/**
 * The way of nearly every account through `accountSchema`, compiled from it: the same fields judge, and zod's own work (half of the time
 * of a check) is left out. A property test holds it to what the schema says.
 */

type Json = Readonly<Record<string, unknown>>;

/** @returns what the schema makes of an account that is good and plain; null where only the schema can tell. */
export function quickAccount(given: Json): Account | null {
  const account = accountReader(given);
  return account instanceof Wrong ? null : (account as Account);
}

const UNTOLD = new Wrong('');

function objectReader(fields: readonly (readonly [string, Judge])[]): Judge {
  const names = new Set(fields.map(([name]) => name));
  return (given) => {
    if (typeof given !== 'object' || given === null || Object.getPrototypeOf(given) !== Object.prototype) return UNTOLD;
    for (const name in given) if (!names.has(name)) return UNTOLD;
    const object: Record<string, unknown> = {};
    for (const [name, judge] of fields) {
      const made = judge((given as Json)[name]);
      if (made instanceof Wrong) return UNTOLD;
      if (made !== undefined) object[name] = made;
    }
    return object;
  };
}

function listReader(item: Judge): Judge {
  return (given) => {
    if (given === undefined || given === null) return undefined;
    if (!Array.isArray(given)) return UNTOLD;
    const items: unknown[] = [];
    for (const each of given) {
      const made = item(each);
      if (made === UNTOLD) return UNTOLD;
      items.push(made);
    }
    return items;
  };
}

const listReaders = new Map(
  Object.entries(LISTED).map(([name, item]) => [
    name,
    listReader(objectReader(Object.entries(item.shape).map(([field, schema]) => [field, judgeOf(schema)!]))),
  ]),
);

const accountReader = objectReader(
  Object.entries(accountSchema.shape).map(([name, schema]) => [name, judgeOf(schema) ?? listReaders.get(name)!]),
);
