import {
  boolean,
  businessDate,
  decimal,
  double,
  integer,
  json,
  minorUnits,
  text,
  timestamp,
} from '../../schemas/kinds.ts';
import { withPrimaryKey } from '../../schemas/registry.ts';
import { defineStream, type Stream } from '../../schemas/stream.ts';

const dataset = { section: 'S1', code: 'D01', paging: 'direct' } as const;

/** Every kind of column; versions by `updated_at`. */
export const deals = defineStream({
  name: 'deals',
  description: "What borrowers and lenders have agreed on; it's a test.",
  dataset,
  cursor: 'updated_at',
  columns: {
    public_id: text,
    name: text.describe("The deal's name").personal(),
    count: integer,
    ratio: decimal,
    amount: minorUnits,
    seconds: double,
    isOpen: boolean,
    due_date: businessDate,
    payload: json,
    created_at: timestamp,
    updated_at: timestamp,
  },
});

/** Paged by the time of creation, and without a version column: the time of reading decides. */
export const events = defineStream({
  name: 'events',
  description: '',
  dataset,
  cursor: 'created_at',
  columns: { public_id: text, name: text, created_at: timestamp },
});

/** Paged by the time of an event, and changed later. */
export const calls = defineStream({
  name: 'calls',
  description: 'Calls, by the time at which they were made.',
  dataset,
  cursor: 'communicated_at',
  columns: { public_id: text, name: text, communicated_at: timestamp, updated_at: timestamp },
});

/** Its key is suspected of standing for several rows. */
export const links = defineStream({
  name: 'links',
  description: 'Links of borrowers and lenders.',
  dataset,
  cursor: 'updated_at',
  columns: { public_id: text, name: text, amount: minorUnits, created_at: timestamp, updated_at: timestamp },
  suspectKey: { by: ['created_at'], suggest: ['public_id', 'created_at'] },
});

/** The same once its user has configured the key that is suggested. */
export const linksByCreation: Stream = withPrimaryKey(links, ['public_id', 'created_at']);

/** The same with a key that is none. */
export const linksByName: Stream = withPrimaryKey(links, ['name']);

export const numbered = defineStream({
  name: 'numbered',
  description: '',
  dataset,
  cursor: 'updated_at',
  primaryKey: ['id'],
  columns: { id: integer, updated_at: timestamp },
});

/** The instant `minutes` after midnight of 2026-03-01, as positions and rows spell it. */
export function at(minutes: number): string {
  return new Date(Date.UTC(2026, 2, 1, 0, minutes)).toISOString().replace('Z', '000Z');
}
