import { describe, expect, test } from 'vitest';
import { at, deals, links, linksByCreation, linksByName } from './streams.ts';
import { newPosition, type Visit } from './visit.ts';

const link = (created: number | null, updated: number, name: string, more: object = {}) => ({
  ...{ public_id: 'a', name, created_at: created === null ? null : at(created), updated_at: at(updated) },
  ...more,
});

/** Rule 14: a key that stands for several rows is noticed, and may be changed. */
export function repeatedKeysSuite(visit: Visit): void {
  const rejected = async () =>
    (await visit.rows('_cleargrid_rejects')).map(({ record }) => JSON.parse(record as string).name).sort();

  describe('notices a key that stands for several rows so that', () => {
    test('the newer stays, and the other is in the rejects, whichever came first', async () => {
      const { write } = await visit.open([links]);
      await write(links, [{ askedAt: at(20), records: [link(1, 10, 'one')] }]);
      const older = { askedAt: at(21), records: [link(2, 9, 'older')] };
      expect(await write(links, [older])).toEqual({
        ...{ written: 0, unchanged: 0, changedFields: 0, unparsedDates: 0, rejects: 1, repeatedKeys: 1 },
      });
      expect(await visit.row(links, 'a')).toMatchObject({ name: 'one' });
      const newer = { askedAt: at(22), records: [link(3, 11, 'newer')] };
      expect(await write(links, [newer])).toMatchObject({ written: 1, unchanged: 0, rejects: 1, repeatedKeys: 1 });
      expect(await visit.row(links, 'a')).toMatchObject({ name: 'newer' });
      expect(await rejected()).toEqual(['older', 'one']);
    });

    test('within one batch too', async () => {
      const { write } = await visit.open([links]);
      const records = [link(1, 10, 'one'), link(2, 12, 'two'), link(3, 11, 'three')];
      expect(await write(links, [{ askedAt: at(20), records }])).toMatchObject({
        written: 1,
        unchanged: 0,
        repeatedKeys: 2,
      });
      expect(await visit.row(links, 'a')).toMatchObject({ name: 'two' });
      expect(await rejected()).toEqual(['one', 'three']);
    });

    test('versions of one row are no rejects', async () => {
      const { write } = await visit.open([links]);
      const records = [link(1, 10, 'first'), link(1, 12, 'third')];
      expect(await write(links, [{ askedAt: at(20), records }])).toMatchObject({
        written: 1,
        unchanged: 1,
        repeatedKeys: 0,
      });
      const second = { askedAt: at(21), records: [link(1, 11, 'second')] };
      expect(await write(links, [second])).toMatchObject({ written: 0, unchanged: 1, rejects: 0 });
      expect(await rejected()).toEqual([]);
    });

    test('no time of creation is another than any', async () => {
      const { write } = await visit.open([links]);
      await write(links, [{ askedAt: at(20), records: [link(null, 10, 'none')] }]);
      expect(await write(links, [{ askedAt: at(21), records: [link(null, 11, 'none, newer')] }])).toMatchObject({
        rejects: 0,
      });
      expect(await write(links, [{ askedAt: at(22), records: [link(1, 12, 'one')] }])).toMatchObject({
        repeatedKeys: 1,
      });
    });

    test('a row is the same reject whether it lost on arrival or was displaced, and however often', async () => {
      const { write } = await visit.open([links]);
      const more = JSON.stringify(link(1, 10, 'one', { amount: 12.5, undeclared: [1] }));
      const one = more.replace('[1]', '[1],"large":9007199254740993');
      await write(links, [{ askedAt: at(20), records: [one] }]);
      const two = { askedAt: at(21), records: [link(2, 11, 'two')] };
      await write(links, [two]);
      const before = await visit.rows('_cleargrid_rejects');
      expect(before).toHaveLength(1);
      expect(before[0]).toMatchObject({ stream: 'links', reason: expect.stringContaining('public_id') });
      expect(before[0]!.record).toContain('9007199254740993');
      expect(JSON.parse(before[0]!.record as string)).toMatchObject({
        ...{ public_id: 'a', name: 'one', created_at: at(1), amount: 12.5, undeclared: [1] },
      });
      await write(links, [two, { askedAt: at(30), records: [one] }]);
      expect(await visit.rows('_cleargrid_rejects')).toEqual(before);
    });

    test('the record of a reject tells each field once, and as it came', async () => {
      const { write } = await visit.open([links]);
      const broken = link(2, 9, 'NUL \0', { amount: 'no amount' });
      await write(links, [{ askedAt: at(20), records: [link(1, 10, 'one'), broken] }]);
      const [reject] = await visit.rows('_cleargrid_rejects');
      const record = reject!.record as string;
      expect(record.match(/"name"/g)).toHaveLength(1);
      expect(JSON.parse(record)).toMatchObject({ name: JSON.stringify('NUL \0'), amount: 'no amount', public_id: 'a' });
    });

    test('a row marked deleted shares its key with nobody', async () => {
      const { write, table } = await visit.open([links]);
      const refresh = { started: at(30), pass: 1, since: null, until: null };
      await write(links, [{ askedAt: at(20), records: [link(1, 10, 'deleted')] }]);
      const changes = [{ type: 'begin', position: newPosition(links, { refresh }) }] as const;
      await write(links, [], { changes, refresh });
      await table(links).finishRefresh({ since: null, until: null, at: at(40), allowMassDelete: false });
      const other = { askedAt: at(50), records: [link(2, 9, 'other')] };
      expect(await write(links, [other])).toMatchObject({ written: 1, rejects: 0 });
    });

    test('other streams do not pay for it', async () => {
      const { write } = await visit.open([deals]);
      await write(deals, [{ askedAt: at(20), records: [link(1, 10, 'one'), link(2, 11, 'two')] }]);
      expect(await write(deals, [{ askedAt: at(21), records: [link(3, 12, 'three')] }])).toMatchObject({ rejects: 0 });
    });

    test('a key that its user chose, and that is not one, is noticed too', async () => {
      const { write } = await visit.open([linksByName]);
      const named = (id: string | null, updated: number) => ({ ...link(1, updated, 'same name'), public_id: id });
      await write(linksByName, [{ askedAt: at(20), records: [named('a', 10), named('a', 11), named('b', 9)] }]);
      const page = { askedAt: at(21), records: [named(null, 8), named('c', 12)] };
      expect(await write(linksByName, [page])).toMatchObject({ written: 1, repeatedKeys: 2 });
      const records = (await visit.rows('_cleargrid_rejects')).map(({ record }) => JSON.parse(record as string));
      expect(records.map(({ public_id: id }) => id ?? null).sort()).toEqual(['a', 'b', null]);
    });

    test('also where its rows have no public_id, and differ in when they were created alone', async () => {
      const { write } = await visit.open([linksByName]);
      const created = (second: number | null) => ({ ...link(second, 10, 'same name'), public_id: null });
      await write(linksByName, [{ askedAt: at(20), records: [created(1), created(2)] }]);
      expect(await write(linksByName, [{ askedAt: at(21), records: [created(null)] }])).toMatchObject({
        repeatedKeys: 1,
      });
      expect(await visit.rows('_cleargrid_rejects')).toHaveLength(2);
    });

    test('a full refresh measures by its own rows alone', async () => {
      const { write } = await visit.open([links]);
      await write(links, [{ askedAt: at(20), records: [link(1, 90, 'before')] }]);
      const refresh = { started: at(100), pass: 1, since: null, until: null };
      const changes = [{ type: 'begin', position: newPosition(links, { refresh }) }] as const;
      await write(links, [], { changes, refresh });
      const first = { askedAt: at(101), records: [link(2, 10, 'two')] };
      expect(await write(links, [first], { refresh })).toMatchObject({ written: 1, repeatedKeys: 0 });
      const second = { askedAt: at(102), records: [link(3, 11, 'three')] };
      expect(await write(links, [second], { refresh })).toMatchObject({ written: 1, repeatedKeys: 1 });
      expect(await write(links, [first], { refresh })).toMatchObject({ written: 0, unchanged: 0, repeatedKeys: 1 });
      expect(await rejected()).toEqual(['two']);
    });
  });

  describe('changes a key so that', () => {
    const refresh = { started: at(100), pass: 1, since: null, until: null };
    const begin = (stream: typeof linksByCreation) => ({
      ...{ changes: [{ type: 'begin', position: newPosition(stream, { refresh }) }] as const, refresh },
    });

    test('without a full refresh it is refused, and nothing is locked or changed', async () => {
      const { write } = await visit.open([links]);
      await write(links, [{ askedAt: at(20), records: [link(1, 10, 'one')] }]);
      const opened = visit.open([linksByCreation, deals]);
      await expect(opened).rejects.toMatchObject({ kind: 'config_error', message: /--full-refresh/ });
      const again = await visit.openBeside([links]);
      expect(await again.write(links, [{ askedAt: at(21), records: [link(1, 11, 'one')] }])).toMatchObject({
        written: 1,
      });
    });

    test('a longer key keeps all rows, and a later run goes on with it', async () => {
      await (await visit.open([links])).write(links, [{ askedAt: at(20), records: [link(1, 10, 'one')] }]);
      const { write, position } = await visit.open([linksByCreation], { fullRefresh: [linksByCreation] });
      const { table } = await position(linksByCreation);
      await write(linksByCreation, [], begin(linksByCreation));
      const records = [link(1, 10, 'one'), link(2, 11, 'two')];
      const page = { askedAt: at(101), records };
      expect(await write(linksByCreation, [page], { refresh })).toMatchObject({ written: 1, unchanged: 1, rejects: 0 });
      const next = await visit.open([linksByCreation]);
      expect((await next.position(linksByCreation)).table).toBe(table);
      expect(await next.write(linksByCreation, [page], { refresh })).toMatchObject({ written: 0, unchanged: 2 });
      const finished = await next.table(linksByCreation).finishRefresh({
        ...{ since: null, until: null, at: at(300), allowMassDelete: false },
      });
      expect(finished).toEqual({ deleted: 0 });
      await expect(visit.open([links])).rejects.toMatchObject({ kind: 'config_error' });
    });

    test('a shorter key keeps the newest row, and the others are in the rejects', async () => {
      const before = await visit.open([linksByCreation]);
      const records = [link(1, 10, 'one'), link(2, 12, 'two'), link(3, 11, 'three')];
      await before.write(linksByCreation, [{ askedAt: at(20), records }]);
      const { write } = await visit.open([links], { fullRefresh: [links] });
      expect(await write(links, [], begin(links))).toMatchObject({ rejects: 2, repeatedKeys: 2 });
      expect(await visit.row(links, 'a')).toMatchObject({ name: 'two' });
      expect(await rejected()).toEqual(['one', 'three']);
    });
  });
}
