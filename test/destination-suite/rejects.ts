import { describe, expect, test } from 'vitest';
import { at, deals, events } from './streams.ts';
import type { Visit } from './visit.ts';

/** Rule 6: a record that cannot be a row is kept beside the tables. */
export function rejectsSuite(visit: Visit): void {
  describe('keeps rejects so that', () => {
    const records = [
      { public_id: null, name: 'no key' },
      { public_id: 'a', updated_at: at(1) },
      { public_id: { $oid: 'x' } },
    ];

    test('the batch does not fail, and each is there with what is needed to mend it', async () => {
      const { write, run } = await visit.open([deals]);
      expect(await write(deals, [{ askedAt: at(20), records }])).toMatchObject({
        written: 1,
        unchanged: 0,
        rejects: 2,
      });
      const rejects = await visit.rows('_cleargrid_rejects');
      expect(rejects.map(({ record }) => JSON.parse(record as string))).toEqual(
        expect.arrayContaining([records[0], records[2]]),
      );
      for (const reject of rejects) {
        expect(reject).toMatchObject({ stream: 'deals', run_id: run.id, seen_at: at(20) });
        expect(reject.id).toMatch(/^[0-9a-f]{64}$/);
        expect(reject.reason).toMatch(/^public_id is /);
      }
    });

    test('one that comes again, in the same batch or later, is counted again and there once', async () => {
      const { write } = await visit.open([deals]);
      await write(deals, [{ askedAt: at(20), records: [...records, ...records] }]);
      const before = await visit.rows('_cleargrid_rejects');
      expect(before).toHaveLength(2);
      const next = await visit.open([deals]);
      expect(await next.write(deals, [{ askedAt: at(30), records }])).toMatchObject({ rejects: 2 });
      expect(await visit.rows('_cleargrid_rejects')).toEqual(before);
    });

    test('the same record of two streams is two', async () => {
      const { write } = await visit.open([deals, events]);
      for (const stream of [deals, events]) await write(stream, [{ askedAt: at(20), records: [{ public_id: '' }] }]);
      const streams = (await visit.rows('_cleargrid_rejects')).map(({ stream }) => stream).sort();
      expect(streams).toEqual(['deals', 'events']);
    });

    test('they are counted by stream and reason, those of some runs apart, without a lock', async () => {
      expect(await visit.destination().runs.rejects(['r'])).toEqual([]);
      expect(await visit.target.isUntouched()).toBe(true);
      const { write, run } = await visit.open([deals, events]);
      await write(deals, [{ askedAt: at(20), records }]);
      await write(events, [{ askedAt: at(25), records: [{ public_id: '' }] }]);
      const next = await visit.open([deals]);
      const more = [...records, { public_id: null, name: 'another' }, { public_id: null, name: 'a third' }];
      await next.write(deals, [{ askedAt: at(30), records: more }]);
      const counted = await visit.destination().runs.rejects([next.run.id]);
      const byReason = counted.toSorted((a, b) => (a.stream + a.reason < b.stream + b.reason ? -1 : 1));
      expect(byReason).toEqual([
        { stream: 'deals', reason: 'public_id is an object', records: 1, fresh: 0, seenAt: at(20) },
        { stream: 'deals', reason: 'public_id is null', records: 3, fresh: 2, seenAt: at(30) },
        { stream: 'events', reason: 'public_id is empty', records: 1, fresh: 0, seenAt: at(25) },
      ]);
      const fresh = async (...runIds: string[]) =>
        (await visit.destination().runs.rejects(runIds)).reduce((sum, one) => sum + one.fresh, 0);
      expect([await fresh(run.id), await fresh(run.id, next.run.id, 'r')]).toEqual([3, 5]);
    });

    test('they are written with the rows and the position, or not at all', async () => {
      const { write } = await visit.open([deals]);
      await write(deals, []);
      const elsewhere = { since: null, until: at(50), cursor: 'next', last: null };
      const changes = [{ type: 'window', until: at(50), becomes: [elsewhere] }] as const;
      await expect(write(deals, [{ askedAt: at(20), records }], { changes })).rejects.toThrow(/no window/);
      expect(await visit.rows('_cleargrid_rejects')).toEqual([]);
      expect(await visit.rows('deals')).toEqual([]);
    });
  });
}
