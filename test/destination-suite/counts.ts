import { describe, expect, test } from 'vitest';
import type { Refresh } from '../../destinations/position.ts';
import { at, calls, deals, linksByCreation, numbered } from './streams.ts';
import { newPosition, type Visit } from './visit.ts';

/** What `verify` asks: how many rows there are in spans of the cursor field, and where rows stand. */
export function countsSuite(visit: Visit): void {
  const deal = (publicId: string, updated_at: string | null) => ({ public_id: publicId, updated_at });
  const everything = { since: null, until: at(10_000) };

  describe('counts rows so that', () => {
    test('a span has its first instant and not its last, to the microsecond', async () => {
      const { write, destination } = await visit.open([deals]);
      const [first, between, last] = [10, 11, 12].map(at) as [string, string, string];
      const justBefore = last.replace('12:00.000000', '11:59.999999');
      const records = [deal('a', first), deal('b', between), deal('c', justBefore), deal('d', last)];
      await write(deals, [{ askedAt: at(20), records }]);
      const spans = [
        { since: first, until: last },
        { since: null, until: first },
        { since: justBefore, until: last },
        { since: last, until: at(13) },
        everything,
      ];
      expect(await destination.count(deals, spans)).toEqual({ rows: [3, 0, 1, 1, 4], undated: 0 });
      expect(await destination.count(deals, [])).toEqual({ rows: [], undated: 0 });
    });

    test('rows without a cursor value are told apart, and the span is one of the cursor field', async () => {
      const { write, destination } = await visit.open([calls]);
      const records = [
        { public_id: 'a', communicated_at: at(10), updated_at: at(50) },
        { public_id: 'b', communicated_at: null, updated_at: at(10) },
        { public_id: 'c', communicated_at: '31/02/2026', updated_at: at(10) },
      ];
      await write(calls, [{ askedAt: at(60), records }]);
      const counted = await destination.count(calls, [{ since: null, until: at(11) }]);
      expect(counted).toEqual({ rows: [1], undated: 2 });
    });

    test('rows marked deleted do not count', async () => {
      const { write, table, destination } = await visit.open([deals]);
      const refresh: Refresh = { started: at(100), pass: 1, since: null, until: null };
      await write(deals, [{ askedAt: at(20), records: [deal('a', at(10)), deal('b', at(10))] }]);
      const changes = [{ type: 'begin', position: newPosition(deals, { refresh }) }] as const;
      await write(deals, [{ askedAt: at(101), records: [deal('a', at(10))] }], { changes, refresh });
      await table(deals).finishRefresh({ since: null, until: null, at: at(200), allowMassDelete: false });
      expect(await destination.count(deals, [everything])).toEqual({ rows: [1], undated: 0 });
      expect(await destination.cursors(deals, [['a'], ['b']])).toEqual([at(10), undefined]);
    });

    test('it needs no lock, and makes nothing', async () => {
      const stranger = visit.destination();
      expect(await stranger.count(deals, [everything])).toBeNull();
      expect(await stranger.cursors(deals, [['a']])).toEqual([undefined]);
      expect(await visit.target.isUntouched()).toBe(true);
      const { write } = await visit.open([deals]);
      await write(deals, [{ askedAt: at(20), records: [deal('a', at(10))] }]);
      await visit.closeAll();
      const later = visit.destination();
      expect(await later.count(deals, [everything])).toEqual({ rows: [1], undated: 0 });
      expect(await later.cursors(deals, [['a']])).toEqual([at(10)]);
    });
  });

  describe('finds rows by their keys so that', () => {
    test('each key has its answer, in the order asked for', async () => {
      const { write, destination } = await visit.open([deals]);
      const micros = '2026-03-01T00:00:00.123456Z';
      const records = [deal("it's", micros), deal('a "b" {c,d} \\', at(11)), deal('undated', null)];
      await write(deals, [{ askedAt: at(20), records }]);
      const keys = [['undated'], ["it's"], ['none'], ['a "b" {c,d} \\'], ["it's"]];
      expect(await destination.cursors(deals, keys)).toEqual([null, micros, undefined, at(11), micros]);
      expect(await destination.cursors(deals, [])).toEqual([]);
    });

    test('a key may have several columns, or be a number', async () => {
      const { write, destination } = await visit.open([linksByCreation, numbered]);
      const link = (created: number) => ({ public_id: 'a', created_at: at(created), updated_at: at(created + 10) });
      await write(linksByCreation, [{ askedAt: at(50), records: [link(1), link(2)] }]);
      const keys = [
        ['a', at(2)],
        ['a', at(3)],
        ['a', at(1)],
      ];
      expect(await destination.cursors(linksByCreation, keys)).toEqual([at(12), undefined, at(11)]);
      const largest = 9_223_372_036_854_775_807n;
      await write(numbered, [{ askedAt: at(50), records: [`{"id":${largest},"updated_at":"${at(7)}"}`] }]);
      expect(await destination.cursors(numbered, [[largest], [5]])).toEqual([at(7), undefined]);
    });
  });
}
