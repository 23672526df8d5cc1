import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeJson } from '../schemas/decode.ts';
import { businessDate, integer, json, type Kinds, text, timestamp } from '../schemas/kinds.ts';
import { compileMapper } from '../schemas/mapper.ts';
import { withPrimaryKey } from '../schemas/registry.ts';
import { defineStream, type Stream, tableColumns } from '../schemas/stream.ts';
import { REFERENCE_KINDS } from './fixtures/difficult-values.ts';

const events = defineStream({
  name: 'events',
  description: 'Events.',
  dataset: { section: 'S9', code: 'D98', paging: 'direct' },
  cursor: 'created_at',
  columns: {
    public_id: text,
    note: text,
    toString: text,
    count: integer,
    day: businessDate,
    tree: json,
    created_at: timestamp,
  },
});

function map(record: string, stream: Stream = events, kinds: Partial<Kinds> = {}) {
  const body = decodeJson(Buffer.from(record));
  const mapping = compileMapper(stream, { ...REFERENCE_KINDS, ...kinds }).map([body], '2026-06-01T12:00:00.000000Z');
  const names = tableColumns(stream);
  const row = Object.fromEntries((mapping.rows[0] ?? []).map((value, at) => [names[at]!, value]));
  return { ...mapping, row, reasons: mapping.rejects.map(({ reason }) => reason) };
}

const tooLarge = (field: string) =>
  JSON.stringify([{ field, change: 'NULLED', reason: 'DESTINATION_FIELD_SIZE_LIMITATION' }]);

describe('A row', () => {
  it('has its values in the order of its table, without _deleted_at', () => {
    const { rows } = map('{"created_at":"2026-01-01T00:00:00Z","new":1,"day":"01/02/2026","public_id":"a","count":2}');
    expect(rows).toEqual([
      [
        'a',
        null,
        null,
        2,
        '01/02/2026',
        '2026-02-01',
        null,
        '2026-01-01T00:00:00.000000Z',
        '{"new":1}',
        null,
        '2026-06-01T12:00:00.000000Z',
      ],
    ]);
  });

  it('has nothing in a column that is named like what every object has, unless the record has it', () => {
    expect(map('{"public_id":"a"}').row).toMatchObject({ to_string: null, _extra: null, _changes: null });
    expect(map('{"public_id":"a","toString":"b"}').row).toMatchObject({ to_string: 'b', _extra: null });
  });
});

describe('What a destination cannot hold', () => {
  it('leaves a text column when it has too many bytes, and stays in _extra', () => {
    const text = { text: { type: 'text', maxBytes: 4 } };
    expect(map('{"public_id":"a","note":"abcd"}', events, text).row).toMatchObject({ note: 'abcd' });
    expect(map('{"public_id":"a","note":"éé"}', events, text).row).toMatchObject({ note: 'éé' });
    expect(map('{"public_id":"a","note":"ééa"}', events, text).row).toMatchObject({
      note: null,
      _extra: '{"note":"ééa"}',
      _changes: tooLarge('note'),
    });
    expect(map('{"public_id":"a","note":12345}', events, text).row).toMatchObject({ note: null });
  });

  it('leaves an integer column that is narrower than 64 bits', () => {
    const narrow = { integer: { type: 'int', min: -10n, max: 10n } };
    expect(map('{"public_id":"a","count":-10}', events, narrow).row).toMatchObject({ count: -10 });
    expect(map('{"public_id":"a","count":"11"}', events, narrow).row).toMatchObject({
      count: null,
      _extra: '{"count":"11"}',
    });
    expect(map('{"public_id":"a","count":-11}', events, narrow).row).toMatchObject({
      count: null,
      _changes: tooLarge('count'),
    });
  });

  it('leaves a JSON column when its text has too many bytes', () => {
    const small = { json: { ...REFERENCE_KINDS.json, maxBytes: 16 } };
    expect(map('{"public_id":"a","tree":["abcdefghijkl"]}', events, small).row).toMatchObject({
      tree: '["abcdefghijkl"]',
    });
    expect(map('{"public_id":"a","tree":["éééééé"]}', events, small).row).toMatchObject({ tree: '["éééééé"]' });
  });

  it('makes a reject of a record when not even _extra can hold it', () => {
    const small = { json: { ...REFERENCE_KINDS.json, maxBytes: 18 } };
    expect(map('{"public_id":"a","new":"12345678"}', events, small).row).toMatchObject({
      _extra: '{"new":"12345678"}',
    });
    const { rows, rejects, changedFields } = map('{"public_id":"a","count":"x","new":"123456789"}', events, small);
    expect({ rows, changedFields }).toEqual({ rows: [], changedFields: 0 });
    expect(rejects).toMatchObject([
      {
        record: '{"public_id":"a","count":"x","new":"123456789"}',
        reason: 'what no column holds is too large for _extra',
      },
    ]);
  });

  it('is decided anew for each destination', () => {
    const exact = { json: { ...REFERENCE_KINDS.json, holdsNumber: () => true } };
    const record = '{"public_id":"a","tree":[9007199254740993]}';
    expect(map(record).row).toMatchObject({ tree: null });
    expect(map(record, events, exact).row).toMatchObject({ tree: '[9007199254740993]', _changes: null });
  });
});

describe('fault 12: a key of several columns', () => {
  const keyed = withPrimaryKey(events, ['public_id', 'created_at']);

  it('takes a value that fits its column', () => {
    expect(map('{"public_id":"a","created_at":"2026-01-01T03:00:00+03:00"}', keyed).row).toMatchObject({
      public_id: 'a',
      created_at: '2026-01-01T00:00:00.000000Z',
    });
  });

  it.each([
    ['{"public_id":"a"}', 'created_at is missing'],
    ['{"public_id":"a","created_at":null}', 'created_at is null'],
    ['{"public_id":"a","created_at":"yesterday"}', 'created_at does not fit its column'],
    ['{"public_id":"a","created_at":1769937334000}', 'created_at does not fit its column'],
    ['{"public_id":"","created_at":"yesterday"}', 'public_id is empty'],
  ])('makes a reject of %s', (record, reason) => {
    expect(map(record, keyed).reasons).toEqual([reason]);
  });

  it('takes integers as they are', () => {
    expect(map('{"public_id":"a","count":0}', withPrimaryKey(events, ['count'])).row).toMatchObject({ count: 0 });
    expect(map('{"public_id":"a","count":"x"}', withPrimaryKey(events, ['count'])).reasons).toEqual([
      'count does not fit its column',
    ]);
  });
});

describe('A reject', () => {
  it('is known by the hash of stream, record and reason', () => {
    const [reject] = map('{"a":1}').rejects;
    const parts = JSON.stringify(['events', '{"a":1}', 'public_id is missing']);
    expect(reject?.id).toBe(createHash('sha256').update(parts).digest('hex'));
  });

  it('is another one for another stream, record or reason', () => {
    const ids = [
      map('{"a":1}'),
      map('{"a":2}'),
      map('{"a":1}', { ...events, name: 'others' }),
      map('{"a":1}', withPrimaryKey(events, ['count'])),
    ].map(({ rejects }) => rejects[0]!.id);
    expect(new Set(ids).size).toBe(4);
  });

  it('stops no other record of its page', () => {
    const body = decodeJson(Buffer.from('[null,{"public_id":"a"},{"public_id":""},{"public_id":"b"}]')) as unknown[];
    const { rows, rejects } = compileMapper(events, REFERENCE_KINDS).map(body, 'now');
    expect(rows.map(([key]) => key)).toEqual(['a', 'b']);
    expect(rejects.length).toBe(2);
  });

  it('says nothing of the record in its reason', () => {
    const { reasons } = map('{"public_id":["secret"]}');
    expect(reasons.join()).not.toContain('secret');
  });
});
