import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { at, calls, deals, events, linksByCreation, numbered } from './streams.ts';
import type { Visit } from './visit.ts';
import { prepare } from './visit.ts';

const deal = (fields: object = {}) => ({ public_id: 'a', name: 'first', updated_at: at(10), ...fields });

/** Rules 1 to 3: what of a batch is written, and what is there afterwards. */
export function rowsSuite(visit: Visit): void {
  describe('writes rows so that', () => {
    test('a new row is there, with every column', async () => {
      const { write } = await visit.open([deals]);
      const record = {
        ...deal({ count: 7, ratio: 0.5, amount: 375000, seconds: 12.25, isOpen: true, due_date: '15/06/2026' }),
        ...{ payload: { a: [1, null] }, created_at: '2026-02-01T12:15:34+03:00', undeclared: 'kept' },
      };
      expect(await write(deals, [{ askedAt: at(20), records: [record] }])).toEqual({
        written: 1,
        unchanged: 0,
        changedFields: 0,
        unparsedDates: 0,
        rejects: 0,
        repeatedKeys: 0,
      });
      const { payload, _extra, ...row } = await visit.row(deals, 'a');
      expect(row).toEqual({
        ...{ public_id: 'a', name: 'first', count: 7, ratio: 0.5, amount: 375000, seconds: 12.25, is_open: true },
        ...{ due_date: '15/06/2026', due_date_parsed: '2026-06-15' },
        ...{ created_at: '2026-02-01T09:15:34.000000Z', updated_at: at(10) },
        ...{ _changes: null, _synced_at: at(20), _deleted_at: null },
      });
      expect(JSON.parse(payload as string)).toEqual({ a: [1, null] });
      expect(JSON.parse(_extra as string)).toEqual({ undeclared: 'kept' });
    });

    test('a batch that comes again changes nothing', async () => {
      const { write } = await visit.open([deals]);
      const page = { askedAt: at(20), records: [deal(), deal({ public_id: 'b' })] };
      await write(deals, [page]);
      const before = await visit.rows('deals');
      expect(await write(deals, [page])).toMatchObject({ written: 0, unchanged: 2 });
      expect(await visit.rows('deals')).toEqual(before);
    });

    test('a row that is read again and did not change keeps its _synced_at', async () => {
      const { write } = await visit.open([deals]);
      const record = deal({ count: 1, due_date: 'no date', payload: [1], undeclared: true, amount: 'no amount' });
      await write(deals, [{ askedAt: at(20), records: [record] }]);
      const before = await visit.row(deals, 'a');
      expect(await write(deals, [{ askedAt: at(30), records: [record] }])).toMatchObject({ written: 0, unchanged: 1 });
      expect(await visit.row(deals, 'a')).toEqual(before);
    });

    test('a newer version replaces an older one, whatever has changed', async () => {
      const { write } = await visit.open([deals]);
      await write(deals, [{ askedAt: at(20), records: [deal({ count: 1, undeclared: 1 })] }]);
      const newer = deal({ name: null, isOpen: false, updated_at: at(11) });
      expect(await write(deals, [{ askedAt: at(30), records: [newer] }])).toMatchObject({ written: 1, unchanged: 0 });
      expect(await visit.row(deals, 'a')).toMatchObject({
        ...{ name: null, count: null, is_open: false, updated_at: at(11), _extra: null, _synced_at: at(30) },
      });
    });

    test('an older version never replaces a newer one, however late it was read', async () => {
      const { write } = await visit.open([deals]);
      await write(deals, [{ askedAt: at(20), records: [deal({ updated_at: at(12), name: 'newer' })] }]);
      const older = { askedAt: at(30), records: [deal({ updated_at: at(11), name: 'older' })] };
      expect(await write(deals, [older])).toMatchObject({ written: 0, unchanged: 1 });
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'newer', _synced_at: at(20) });
    });

    test('of equal versions the one that was read later stays', async () => {
      const { write } = await visit.open([deals]);
      await write(deals, [{ askedAt: at(30), records: [deal({ name: 'second' })] }]);
      await write(deals, [{ askedAt: at(20), records: [deal({ name: 'first' })] }]);
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'second' });
      expect(await write(deals, [{ askedAt: at(40), records: [deal({ name: 'third' })] }])).toMatchObject({
        written: 1,
      });
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'third', _synced_at: at(40) });
    });

    test('of two that are equal in version and time of reading the one that is there stays', async () => {
      const { write } = await visit.open([deals]);
      await write(deals, [{ askedAt: at(20), records: [deal({ name: 'first' })] }]);
      const other = { askedAt: at(20), records: [deal({ name: 'second' })] };
      expect(await write(deals, [other])).toMatchObject({ written: 0, unchanged: 1 });
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'first' });
    });

    test('a version of null is older than any other', async () => {
      const { write } = await visit.open([deals]);
      await write(deals, [{ askedAt: at(20), records: [deal({ updated_at: null, name: 'none' })] }]);
      await write(deals, [{ askedAt: at(21), records: [deal({ updated_at: null, name: 'none, later' })] }]);
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'none, later' });
      await write(deals, [{ askedAt: at(10), records: [deal({ name: 'some' })] }]);
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'some' });
      await write(deals, [{ askedAt: at(40), records: [deal({ updated_at: null, name: 'none again' })] }]);
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'some' });
    });

    test('without a version column the time of reading decides alone', async () => {
      const { write } = await visit.open([events]);
      const event = (name: string) => ({ public_id: 'a', name, created_at: at(1) });
      await write(events, [{ askedAt: at(20), records: [event('first')] }]);
      await write(events, [{ askedAt: at(30), records: [event('second')] }]);
      await write(events, [{ askedAt: at(25), records: [event('between')] }]);
      expect(await visit.row(events, 'a')).toMatchObject({ name: 'second', _synced_at: at(30) });
    });

    test('versions are told apart to the microsecond', async () => {
      const { write } = await visit.open([deals]);
      const record = (micros: number) => deal({ name: `${micros}`, updated_at: `2026-03-01T00:00:00.${micros}Z` });
      await write(deals, [{ askedAt: at(20), records: [record(123457)] }]);
      await write(deals, [{ askedAt: at(21), records: [record(123456)] }]);
      expect(await visit.row(deals, 'a')).toMatchObject({ name: '123457', updated_at: '2026-03-01T00:00:00.123457Z' });
    });

    test('of one key in a batch the newest is kept, whatever their order', async () => {
      const { write } = await visit.open([deals]);
      const three = [11, 13, 12].map((minute) => deal({ updated_at: at(minute), name: `at ${minute}` }));
      expect(await write(deals, [{ askedAt: at(20), records: three }])).toMatchObject({ written: 1, unchanged: 2 });
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'at 13' });
      const pages = [
        { askedAt: at(32), records: [deal({ updated_at: at(14), name: 'read later' })] },
        { askedAt: at(31), records: [deal({ updated_at: at(14), name: 'read earlier' })] },
        { askedAt: at(40), records: [deal({ updated_at: null, name: 'no version' })] },
      ];
      await write(deals, pages);
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'read later' });
    });

    test('a batch in which nothing of one key differs writes it once', async () => {
      const { write } = await visit.open([deals]);
      const pages = [20, 21].map((minute) => ({ askedAt: at(minute), records: [deal(), deal()] }));
      expect(await write(deals, pages)).toMatchObject({ written: 1, unchanged: 3 });
      expect(await visit.rows('deals')).toHaveLength(1);
    });

    test('a row marked deleted loses to any version, is never the same, and is unmarked', async () => {
      const run = await visit.open([deals]);
      const refresh = { started: at(20), pass: 1, since: null, until: null };
      await run.write(deals, [{ askedAt: at(10), records: [deal({ updated_at: at(9) })] }]);
      const changes = [{ type: 'plan', from: null, until: null, windows: [], refresh }] as const;
      await run.write(deals, [], { changes, refresh });
      await run.table(deals).finishRefresh({ since: null, until: null, at: at(30), allowMassDelete: false });
      expect(await visit.row(deals, 'a')).toMatchObject({ _deleted_at: at(30) });
      const same = { askedAt: at(5), records: [deal({ updated_at: at(9) })] };
      expect(await run.write(deals, [same])).toMatchObject({ written: 1, unchanged: 0 });
      expect(await visit.row(deals, 'a')).toMatchObject({ _deleted_at: null, _synced_at: at(5) });
    });

    test('keys that differ in case or in a blank at the end are different keys', async () => {
      const { write } = await visit.open([deals]);
      const keys = ['Key', 'KEY', 'key', 'key ', ' key', 'kéy', 'ke\u0301y'];
      const records = keys.map((key) => deal({ public_id: key, name: key }));
      expect(await write(deals, [{ askedAt: at(20), records }])).toMatchObject({ written: 7 });
      expect(await write(deals, [{ askedAt: at(21), records }])).toMatchObject({ written: 0, unchanged: 7 });
      for (const key of keys) expect(await visit.row(deals, key)).toMatchObject({ name: key });
    });

    test('a key may have several columns', async () => {
      const { write } = await visit.open([linksByCreation]);
      const link = (created: number, name: string) => ({
        ...{ public_id: 'a', created_at: at(created), updated_at: at(9), name },
      });
      await write(linksByCreation, [{ askedAt: at(20), records: [link(1, 'one'), link(2, 'two')] }]);
      await write(linksByCreation, [{ askedAt: at(21), records: [link(2, 'two again')] }]);
      const names = (await visit.rows('links')).map((row) => row.name).sort();
      expect(names).toEqual(['one', 'two again']);
    });

    test('a key may be a number of any size', async () => {
      const { write } = await visit.open([numbered]);
      const records = ['7', '9007199254740993', '9007199254740995'].map((id) => `{"id":${id},"updated_at":"${at(1)}"}`);
      expect(await write(numbered, [{ askedAt: at(20), records }])).toMatchObject({ written: 3 });
      expect(await write(numbered, [{ askedAt: at(21), records }])).toMatchObject({ written: 0, unchanged: 3 });
      const ids = (await visit.rows('numbered')).map(({ id }) => id);
      expect(ids).toEqual([7, '9007199254740993', '9007199254740995']);
    });

    test('rows of many pages are written at once, each to its own stream', async () => {
      const { write } = await visit.open([deals, calls]);
      const pages = Array.from({ length: 7 }, (_, page) => ({
        askedAt: at(page),
        records: Array.from({ length: 700 }, (_, index) => deal({ public_id: `${page}-${index}`, count: index })),
      }));
      expect(await write(deals, pages)).toMatchObject({ written: 4900, unchanged: 0 });
      await write(calls, [{ askedAt: at(1), records: [deal()] }]);
      expect(await visit.rows('deals')).toHaveLength(4900);
      expect(await visit.row(deals, '6-699')).toMatchObject({ count: 699, _synced_at: at(6) });
      expect(await visit.rows('calls')).toHaveLength(1);
    });

    test('a column of somebody else keeps its values, also in rows that are replaced', async () => {
      const { write } = await visit.open([deals]);
      await write(deals, [{ askedAt: at(20), records: [deal(), deal({ public_id: 'b' })] }]);
      await visit.closeAll();
      await visit.target.tamper.addColumn('deals', 'a note', 'mine');
      const next = await visit.open([deals]);
      const records = [deal({ updated_at: at(30), name: 'second' }), deal({ public_id: 'c' })];
      await next.write(deals, [{ askedAt: at(40), records }]);
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'second', 'a note': 'mine' });
      expect(await visit.row(deals, 'b')).toMatchObject({ 'a note': 'mine' });
      expect(await visit.row(deals, 'c')).toMatchObject({ 'a note': null });
    });

    test('values that do not fit and dates that are none are counted', async () => {
      const { write } = await visit.open([deals]);
      const record = deal({ count: 'many', amount: {}, due_date: '31/02/2026' });
      const done = await write(deals, [{ askedAt: at(20), records: [record, deal({ public_id: 'b', count: 30.5 })] }]);
      expect(done).toMatchObject({ written: 2, changedFields: 3, unparsedDates: 1, rejects: 0 });
      const row = await visit.row(deals, 'a');
      expect(row).toMatchObject({ count: null, amount: null, due_date: '31/02/2026', due_date_parsed: null });
      expect(JSON.parse(row._extra as string)).toEqual({ count: 'many', amount: {} });
      expect(JSON.parse(row._changes as string).map((change: { field: string }) => change.field)).toEqual([
        'count',
        'amount',
      ]);
    });
  });

  describe('prepares a page so that', () => {
    test('its records are counted, and the memory it holds grows with them', async () => {
      const { table, destination } = await visit.open([deals]);
      const prepared = (records: object[]) =>
        prepare(table(deals), deals, destination.kinds, { askedAt: at(1), records });
      expect(prepared([])).toMatchObject({ records: 0 });
      const [small, large] = [
        prepared([deal(), {}]),
        prepared([deal({ name: randomBytes(100_000).toString('base64') }), {}]),
      ];
      expect([small.records, large.records]).toEqual([2, 2]);
      expect(large.bytes - small.bytes).toBeGreaterThan(90_000);
    });

    test('a page that cannot be decoded is refused at once', async () => {
      const { table } = await visit.open([deals]);
      const rows = () => {
        throw new SyntaxError('no JSON');
      };
      expect(() => table(deals).prepare({ bytes: Buffer.from('<html>'), askedAt: at(1), span: null, rows })).toThrow(
        SyntaxError,
      );
    });
  });
}
