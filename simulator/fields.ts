import { isoText } from './clock.ts';
import { type Dice, mix, pick, roll, rollBelow } from './random.ts';
import type { Unknowns } from './unknowns.ts';

/** One version of one record, before it is written out: what its fields are made from. */
export interface Draft {
  /** Seed and dataset in one number. */
  readonly salt: number;
  /** Seed alone, for ids that two datasets share. */
  readonly seed: number;
  /** The record's `_id`: its rank in order of insertion. */
  readonly id: number;
  /** The id that its key is made from: another record's where two share a key. */
  readonly keyId: number;
  /** 0 for a record as first written, one more for each change. */
  readonly version: number;
  /** Whether its id tells nothing of when it was created. */
  readonly hasRandomId: boolean;
  readonly created: number;
  readonly updated: number;
  /** The cursor field's value; equal to `updated` or `created`, or the instant of the event itself. */
  readonly cursor: number;
  /** Drawn from for what a change leaves alone. */
  readonly stable: Dice;
  /** Drawn from for what differs between versions. */
  readonly live: Dice;
  /** Money in minor units: what is owed in all, how much of it is paid, and what the rest consists of. */
  readonly total: number;
  readonly paid: number;
  readonly principal: number;
  readonly interest: number;
  readonly fee: number;
}

/** What a field holds by its documentation; it decides which difficult values may stand in for it. */
export type FieldKind = 'id' | 'text' | 'amount' | 'number' | 'businessDate' | 'instant' | 'boolean' | 'object';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** The value as JSON text. */
  readonly make: (draft: Draft) => string;
  /** Whether no page documents it. */
  readonly assumed?: true;
  /** What it is where something else is assumed. */
  readonly otherwise?: (unknowns: Unknowns) => Field | null;
}

const DAY = 86_400_000;

export const assumed = (...fields: readonly Field[]): Field[] => fields.map((field) => ({ ...field, assumed: true }));

const quoted = (values: readonly string[]) => values.map((value) => JSON.stringify(value));

/** A value that stays what it is. */
export function choice(name: string, values: readonly string[]): Field {
  const texts = quoted(values);
  return { name, kind: 'text', make: (draft) => pick(draft.stable, texts) };
}

/** A value that changes with the versions of a record. */
export function state(name: string, values: readonly string[]): Field {
  const texts = quoted(values);
  return { name, kind: 'text', make: (draft) => pick(draft.live, texts) };
}

/** As `choice`, but null in `share` of the records. */
export function maybe(name: string, values: readonly string[], share: number): Field {
  const texts = quoted(values);
  return { name, kind: 'text', make: (draft) => (roll(draft.stable) < share ? 'null' : pick(draft.stable, texts)) };
}

/** A label looked up from a code; `share` of the records carry a code that has no label, which arrives as the bare integer. */
export function label(name: string, values: readonly string[], share: number, dice: 'stable' | 'live'): Field {
  const texts = quoted(values);
  return {
    name,
    kind: 'text',
    make: (draft) => (roll(draft[dice]) < share ? String(20 + rollBelow(draft[dice], 9)) : pick(draft[dice], texts)),
  };
}

/** A text made from the draft; it must need no escapes. */
export function made(name: string, make: (draft: Draft) => string): Field {
  return { name, kind: 'text', make: (draft) => `"${make(draft)}"` };
}

export function amount(name: string, make: (draft: Draft) => number): Field {
  return { name, kind: 'amount', make: (draft) => String(make(draft)) };
}

export function number(name: string, make: (draft: Draft) => number | null): Field {
  return { name, kind: 'number', make: (draft) => String(make(draft)) };
}

/** True in `share` of the versions. */
export function flag(name: string, share: number): Field {
  return { name, kind: 'boolean', make: (draft) => (roll(draft.live) < share ? 'true' : 'false') };
}

export function instant(name: string, make: (draft: Draft) => number | null): Field {
  return {
    name,
    kind: 'instant',
    make: (draft) => {
      const ms = make(draft);
      return ms === null ? 'null' : `"${isoText(ms)}"`;
    },
  };
}

/** Midnight of a day up to `days` after the record's creation, null in `share` of the versions. */
export function dayAhead(name: string, days: number, share: number): Field {
  return instant(name, (draft) =>
    roll(draft.live) < share ? null : Math.floor(draft.created / DAY + rollBelow(draft.live, days)) * DAY,
  );
}

/** DD/MM/YYYY, as stored: `days` on average after the record's creation. */
export function businessDate(name: string, days: number): Field {
  return {
    name,
    kind: 'businessDate',
    make: (draft) => `"${dateText(draft.created + rollBelow(draft.stable, 2 * days + 1) * DAY)}"`,
  };
}

export function object(name: string, make: (draft: Draft) => string): Field {
  return { name, kind: 'object', make };
}

const dates = new Map<number, string>();

export function dateText(ms: number): string {
  const day = Math.floor(ms / DAY);
  let text = dates.get(day);
  if (text === undefined) {
    const [year, month, date] = isoText(day * DAY)
      .slice(0, 10)
      .split('-');
    text = `${date}/${month}/${year}`;
    dates.set(day, text);
  }
  return text;
}

export const createdAt = instant('created_at', (draft) => draft.created);
export const updatedAt = instant('updated_at', (draft) => draft.updated);

const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Four bytes as eight digits. */
function hex(value: number): string {
  const [a, b, c, d] = [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  return `${BYTES[a]}${BYTES[b]}${BYTES[c]}${BYTES[d]}`;
}

/** A Mongo id: seconds of creation, five bytes of the process, a counter of three bytes. */
export function mongoId(draft: Draft): string {
  const process = hex(mix(draft.salt, 7)) + hex(mix(draft.salt, 8)).slice(0, 2);
  const time = draft.hasRandomId ? mix(draft.salt ^ 6, draft.id) : Math.floor(draft.created / 1000);
  return hex(time) + process + hex(draft.id & 0xffffff).slice(2);
}

export function uuid(salt: number, id: number): string {
  const [a, b, c, d] = [hex(mix(salt, id)), hex(mix(salt ^ 1, id)), hex(mix(salt ^ 2, id)), hex(mix(salt ^ 3, id))];
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${c.slice(4)}${d}`;
}

export const mongoKey: Field = { name: 'public_id', kind: 'id', make: (draft) => `"${mongoId(draft)}"` };
export const uuidKey: Field = { name: 'public_id', kind: 'id', make: (draft) => `"${uuid(draft.salt, draft.id)}"` };
/** The borrower-lender link, which D16 and D26 share. */
export const linkKey: Field = { name: 'public_id', kind: 'id', make: (draft) => `"${uuid(draft.seed, draft.keyId)}"` };
export const eventKey: Field = {
  name: 'public_id',
  kind: 'id',
  make: (draft) => `"evt_${hex(mix(draft.salt, draft.id))}${hex(mix(draft.salt ^ 5, draft.id)).slice(4)}"`,
};
