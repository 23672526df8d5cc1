import { describe, expect, test } from 'vitest';
import { text } from '../../schemas/kinds.ts';
import type { Stream } from '../../schemas/stream.ts';
import { at, calls, deals } from './streams.ts';
import { newPosition, type Visit } from './visit.ts';

/** `deals` as it was declared before most of its fields were known. */
const before: Stream = {
  ...deals,
  columns: deals.columns.filter(({ name }) => ['public_id', 'name', 'updated_at'].includes(name)),
};

const fits = {
  ...{ public_id: 'fits', name: 'a', updated_at: at(10), count: 7, ratio: 0.5, amount: 12.25, seconds: 1.5 },
  ...{ isOpen: true, due_date: '15/06/2026', payload: { deep: [1] }, created_at: '2026-02-01T12:15:34+03:00' },
};
const doesNot = {
  ...{ public_id: 'does not', name: 'a', updated_at: at(10), count: 'many', due_date: '31/02/2026', isOpen: 'maybe' },
  ...{ undeclared: 'kept', created_at: null, seconds: [] },
};
const doesNotTwice = {
  public_id: 'does not, twice',
  updated_at: 'never',
  name: 'NUL \0',
  count: 'many',
  payload: null,
};
const page = { askedAt: at(20), records: [fits, doesNot, doesNotTwice, { public_id: 'plain', updated_at: at(10) }] };

/** Rule 16: tables only widen. */
export function wideningSuite(visit: Visit): void {
  const loaded = async () => {
    const { write } = await visit.open([before]);
    await write(before, [page]);
  };

  describe('widens tables so that', () => {
    test('a new column holds what the mapper would have made of it', async () => {
      const { write } = await visit.open([deals]);
      await write(deals, [page]);
      const expected = await visit.rows('deals');
      await visit.closeAll();
      await visit.target.tamper.dropTable('deals');

      await (await visit.open([before])).write(before, [page], {
        changes: [{ type: 'begin', position: newPosition(before) }],
      });
      expect(await visit.row(deals, 'fits')).not.toHaveProperty('count');
      await visit.open([deals]);
      expect((await visit.rows('deals')).map(sorted)).toEqual(expected.map(sorted));
    });

    test('what a new column holds leaves _extra, and what does not fit is told', async () => {
      await loaded();
      await visit.open([deals]);
      expect(await visit.row(deals, 'fits')).toMatchObject({
        ...{ count: 7, ratio: 0.5, amount: 12.25, seconds: 1.5, is_open: true, due_date_parsed: '2026-06-15' },
        ...{ created_at: '2026-02-01T09:15:34.000000Z', _extra: null, _changes: null, _synced_at: at(20) },
      });
      const row = await visit.row(deals, 'does not');
      expect(row).toMatchObject({ count: null, is_open: null, due_date: '31/02/2026', due_date_parsed: null });
      const extra = { count: 'many', isOpen: 'maybe', seconds: [], undeclared: 'kept' };
      expect(JSON.parse(row._extra as string)).toEqual(extra);
      const changes = JSON.parse(row._changes as string) as { field: string; change: string }[];
      expect(changes.map(({ field, change }) => `${field} ${change}`).sort()).toEqual([
        ...['count NULLED', 'is_open NULLED', 'seconds NULLED'],
      ]);
    });

    test('rows that are read again after it are unchanged', async () => {
      await loaded();
      const { write } = await visit.open([deals]);
      expect(await write(deals, [{ ...page, askedAt: at(30) }])).toMatchObject({ written: 0, unchanged: 4 });
    });

    test('the run is told before, and of nothing where there is nothing to add', async () => {
      await loaded();
      expect((await visit.open([deals])).notes).toEqual([expect.stringMatching(/^deals: adds count, .* to its table/)]);
      expect((await visit.open([deals])).notes).toEqual([]);
    });

    test('the table stays the same, and its position with it', async () => {
      const first = await visit.open([before]);
      await first.write(before, [page]);
      const stored = await first.position(before);
      expect(await (await visit.open([deals])).position(deals)).toEqual(stored);
      expect(await (await visit.open([deals])).position(deals)).toEqual(stored);
    });

    test('rows marked deleted are filled too, and stay marked', async () => {
      const { write, table } = await visit.open([before]);
      await write(before, [page]);
      const refresh = { started: at(30), pass: 1, since: null, until: null };
      const changes = [{ type: 'plan', from: null, until: null, windows: [], refresh }] as const;
      await write(before, [], { changes, refresh });
      await table(before).finishRefresh({ since: null, until: null, at: at(40), allowMassDelete: false });
      await visit.open([deals]);
      expect(await visit.row(deals, 'fits')).toMatchObject({ count: 7, _deleted_at: at(40) });
    });

    test('numbers beyond a double keep their digits', async () => {
      const { write } = await visit.open([before]);
      const record = `{"public_id":"a","updated_at":"${at(1)}","count":9007199254740993,"other":1234567890.12345678901}`;
      await write(before, [{ askedAt: at(20), records: [record] }]);
      await visit.open([deals]);
      const row = await visit.row(deals, 'a');
      expect(row.count).toBe('9007199254740993');
      expect(row._extra).toContain('1234567890.12345678901');
    });

    test('a column that is declared no more stays as it was, and rows are written without it', async () => {
      const { write } = await visit.open([deals]);
      await write(deals, [page]);
      const next = await visit.open([before]);
      const changed = { ...fits, name: 'b', count: 8, updated_at: at(11) };
      expect(await next.write(before, [{ askedAt: at(30), records: [changed] }])).toMatchObject({ written: 1 });
      const row = await visit.row(deals, 'fits');
      expect(row).toMatchObject({ name: 'b', count: 7, _synced_at: at(30) });
      expect(JSON.parse(row._extra as string)).toMatchObject({ count: 8 });
    });

    test('a column of somebody else is left alone', async () => {
      await loaded();
      await visit.closeAll();
      await visit.target.tamper.addColumn('deals', 'a note', 'mine');
      await visit.open([deals]);
      expect(await visit.row(deals, 'fits')).toMatchObject({ 'a note': 'mine', count: 7 });
    });

    test('a column that was narrowed by hand is refused by name, and nothing is locked or changed', async () => {
      await (await visit.open([deals])).write(deals, [page]);
      await visit.closeAll();
      await visit.target.tamper.narrowColumn('deals', 'count');
      const wider = {
        ...deals,
        columns: [...deals.columns, { ...deals.columns[1]!, name: 'more', field: 'more', kind: text.kind }],
      };
      const opened = visit.open([wider]);
      await expect(opened).rejects.toMatchObject({ kind: 'config_error', message: /deals.*count/ });
      expect(await visit.row(deals, 'fits')).not.toHaveProperty('more');
      const again = await visit.openBeside([before]);
      const changed = { ...fits, name: 'b', updated_at: at(11) };
      expect(await again.write(before, [{ askedAt: at(30), records: [changed] }])).toMatchObject({ written: 1 });
    });

    test('a table that cannot serve is told by its stream, and the others may be opened without it', async () => {
      const { run, write } = await visit.open([deals, calls]);
      await write(deals, [page]);
      await visit.closeAll();
      await visit.target.tamper.narrowColumn('deals', 'count');
      const destination = visit.destination();
      const opened = destination.open([calls, deals], { ...run, id: 'next' });
      await expect(opened).rejects.toMatchObject({ name: 'StreamFailure', stream: 'deals', kind: 'config_error' });
      expect([...(await destination.open([calls], { ...run, id: 'next' })).keys()]).toEqual(['calls']);
    });
  });
}

/** JSON texts may be spelled with names in another order, and columns stand where they were added. */
function sorted(row: Readonly<Record<string, unknown>>): object {
  const parse = (name: string) => {
    const value = JSON.parse((row[name] ?? 'null') as string);
    return Array.isArray(value) ? value.sort((a, b) => (a.field < b.field ? -1 : 1)) : value;
  };
  return { ...row, _extra: parse('_extra'), _changes: parse('_changes'), payload: parse('payload') };
}
