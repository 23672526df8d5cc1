import { describe, expect, test } from 'vitest';
import type { Position, PositionChange } from '../../destinations/position.ts';
import { at, deals, events } from './streams.ts';
import { newPosition, newWindow, prepare, type Visit } from './visit.ts';

const page = (name: string, askedAt = at(20), publicId = 'a') => ({
  askedAt,
  records: [{ public_id: publicId, name, updated_at: at(10), created_at: at(1) }],
});

const begin = (changes: Partial<Position> = {}): PositionChange => ({
  type: 'begin',
  position: newPosition(deals, changes),
});

/** Rules 1 and 17: positions, what they are stored with, and the tables that they belong to. */
export function positionsSuite(visit: Visit): void {
  describe('stores positions so that', () => {
    test('before the first commit there is neither position nor table', async () => {
      const { table } = await visit.open([deals]);
      expect(await table(deals).position()).toEqual({ document: null, table: null, holdsRows: false });
    });

    test('the changes of a commit are applied, in order, with the facts that only the destination knows', async () => {
      const { write, position } = await visit.open([deals]);
      const windows = [newWindow(null, at(30)), newWindow(at(30), at(60))] as const;
      const further = { ...windows[0], cursor: 'next', last: at(10) };
      const changes: PositionChange[] = [
        begin(),
        { type: 'plan', from: null, until: at(60), windows, refresh: null },
        { type: 'window', until: at(30), becomes: [further] },
        { type: 'seen', value: at(10) },
      ];
      await write(deals, [], { changes });
      const first = await position(deals);
      expect(first.table).not.toBeNull();
      const expected = { until: at(60), windows: [further, windows[1]], seen: at(10), table: first.table };
      expect(first).toMatchObject({ parsed: newPosition(deals, { ...expected, rows: false }), holdsRows: false });
      await write(deals, [page('first')], { changes: [{ type: 'window', until: at(30), becomes: [] }] });
      const second = await position(deals);
      expect(second).toMatchObject({
        parsed: { windows: [windows[1]], rows: true, table: first.table },
        holdsRows: true,
      });
      await write(deals, [], { changes: [{ type: 'window', until: at(60), becomes: [] }] });
      expect((await position(deals)).parsed).toMatchObject({ windows: [], until: null, complete: at(60), rows: true });
    });

    test('a window is cut where its rows are stored, with rows on their way', async () => {
      const { write, position } = await visit.open([deals]);
      const plan: PositionChange = {
        type: 'plan',
        from: null,
        until: at(60),
        windows: [newWindow(null, at(60))],
        refresh: null,
      };
      await write(deals, [], { changes: [begin(), plan] });
      const further = { ...newWindow(null, at(60)), cursor: 'next', last: at(10) };
      await write(deals, [page('first')], { changes: [{ type: 'window', until: at(60), becomes: [further] }] });
      const others = [newWindow(at(30), at(40)), newWindow(at(40), at(60))] as const;
      const cut: PositionChange = { type: 'cut', until: at(60), others };
      for (let times = 0; times < 2; times++) await write(deals, [], { changes: [cut] });
      const left = { since: at(10), until: at(30), cursor: null, last: at(10) };
      expect((await position(deals)).parsed.windows).toEqual([left, ...others]);
    });

    test('one that starts over a table whose rows are all there already knows that it holds rows', async () => {
      const { write, position } = await visit.open([deals]);
      await write(deals, [page('first')]);
      await write(deals, [page('first', at(30))], { changes: [begin()] });
      expect((await position(deals)).parsed.rows).toBe(true);
    });

    test('what was seen is told by the greatest value, with rows or alone', async () => {
      const { write, position } = await visit.open([deals]);
      await write(deals, []);
      for (const minute of [10, 30, 20])
        await write(deals, [page('a')], { changes: [{ type: 'seen', value: at(minute) }] });
      expect((await position(deals)).parsed.seen).toBe(at(30));
      await write(deals, [], { changes: [{ type: 'seen', value: at(40) }] });
      expect((await position(deals)).parsed.seen).toBe(at(40));
    });

    test('a stream that ended without rows has its table', async () => {
      const { write } = await visit.open([deals]);
      await write(deals, []);
      expect(await visit.rows('deals')).toEqual([]);
    });

    test('a batch whose position cannot be stored leaves no row behind', async () => {
      const { write, position } = await visit.open([deals]);
      await write(deals, [page('first')]);
      const before = await position(deals);
      const other: PositionChange = { type: 'window', until: at(30), becomes: [newWindow(null, at(30))] };
      await expect(write(deals, [page('second', at(40))], { changes: [other] })).rejects.toThrow(/no window/);
      expect(await position(deals)).toEqual(before);
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'first' });
      expect(await write(deals, [page('third', at(40))])).toMatchObject({ written: 1 });
    });

    test('a first batch whose position cannot be stored leaves no table behind', async () => {
      const { write, position } = await visit.open([deals]);
      const seen: PositionChange = { type: 'seen', value: at(1) };
      await expect(write(deals, [page('first')], { changes: [seen] })).rejects.toThrow(/before it was begun/);
      expect(await position(deals)).toMatchObject({ document: null, table: null, holdsRows: false });
    });

    test('a whole batch may come again after a commit that nobody learned of', async () => {
      const { table, destination, position } = await visit.open([deals]);
      const windows = [newWindow(null, at(30))];
      const plan: PositionChange = { type: 'plan', from: null, until: at(30), windows, refresh: null };
      const batch = (changes: readonly PositionChange[]) => ({
        pages: [prepare(table(deals), deals, destination.kinds, page('first'))],
        changes,
        refresh: null,
      });
      for (const changes of [[begin(), plan], [{ type: 'window', until: at(30), becomes: [] } as const]]) {
        await table(deals).commit(batch(changes));
        const before = await position(deals);
        expect(await table(deals).commit(batch(changes))).toMatchObject({ written: 0, unchanged: 1 });
        expect(await position(deals)).toEqual(before);
      }
      expect(await visit.rows('deals')).toHaveLength(1);
    });

    test('lanes that commit at once overwrite neither rows nor progress of each other', async () => {
      const { table, destination, write, position } = await visit.open([deals]);
      const count = 6;
      const windows = Array.from({ length: count }, (_, lane) => newWindow(at(lane * 10), at(lane * 10 + 10)));
      const plan: PositionChange = { type: 'plan', from: null, until: at(60), windows, refresh: null };
      await write(deals, [], { changes: [begin(), plan] });
      const commits = windows.map((window, lane) => {
        const shared = { public_id: 'shared', name: `lane ${lane}`, updated_at: at(100 + ((lane * 5) % count)) };
        const own = { public_id: `own ${lane}`, updated_at: at(lane) };
        const prepared = prepare(table(deals), deals, destination.kinds, { askedAt: at(200), records: [shared, own] });
        const becomes = lane === 0 ? [{ ...window, cursor: 'next' }] : [];
        const changes: PositionChange[] = [{ type: 'window', until: window.until, becomes }];
        return table(deals).commit({ pages: [prepared], changes, refresh: null });
      });
      const done = await Promise.all(commits);
      expect(done.reduce((sum, { written, unchanged }) => sum + written + unchanged, 0)).toBe(2 * count);
      expect((await position(deals)).parsed.windows).toEqual([{ ...windows[0], cursor: 'next' }]);
      // A first load may keep its rows to itself until it has ended.
      await write(deals, [], { changes: [{ type: 'window', until: at(10), becomes: [] }] });
      expect(await visit.rows('deals')).toHaveLength(count + 1);
      expect(await visit.row(deals, 'shared')).toMatchObject({ name: 'lane 1', updated_at: at(105) });
    });

    test('all can be read, by anyone and at any time, without a lock and without making anything', async () => {
      const nobody = visit.destination();
      expect(await nobody.positions()).toEqual([]);
      expect(await visit.target.isUntouched()).toBe(true);
      const { write, run, position } = await visit.open([deals, events]);
      await write(deals, [page('first')]);
      const { document } = await position(deals);
      const expected = [
        { stream: 'deals', document, runId: run.id, updatedAt: expect.stringMatching(/^\d{4}-.*\.\d{6}Z$/) },
      ];
      expect(await visit.destination().positions()).toEqual(expected);
      await visit.closeAll();
      expect(await visit.destination().positions()).toEqual(expected);
    });

    test('the next run finds the document as it was stored', async () => {
      const first = await visit.open([deals]);
      await first.write(deals, [page('first')]);
      const before = await first.position(deals);
      const next = await visit.open([deals]);
      expect(await next.position(deals)).toEqual(before);
    });

    test('one that is damaged is shown as it is, and only replaced as a whole', async () => {
      const first = await visit.open([deals]);
      await first.write(deals, [page('first')]);
      await visit.closeAll();
      await visit.target.tamper.storeDocument('deals', '{"version":99}');
      const { write, table, position } = await visit.open([deals]);
      expect(JSON.parse((await table(deals).position()).document!)).toEqual({ version: 99 });
      const seen: PositionChange = { type: 'seen', value: at(1) };
      await expect(write(deals, [page('second', at(40))], { changes: [seen] })).rejects.toThrow(/damaged/);
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'first' });
      await write(deals, [page('third', at(50))], { changes: [begin()] });
      expect((await position(deals)).parsed).toMatchObject({ version: 1, rows: true });
    });

    test('a run that another has taken over from writes nothing more', async () => {
      const { write, table, position } = await visit.open([deals]);
      const refresh = { started: at(15), pass: 1, since: null, until: null };
      await write(deals, [page('first')], { changes: [begin({ refresh })], refresh });
      const before = await position(deals);
      await visit.target.tamper.takeOver('deals');
      const late = write(deals, [page('late', at(40))], { refresh });
      await expect(late).rejects.toMatchObject({ kind: 'transient_error' });
      const request = { since: null, until: null, at: at(50), allowMassDelete: true };
      await expect(table(deals).finishRefresh(request)).rejects.toMatchObject({ kind: 'transient_error' });
      expect(await position(deals)).toEqual(before);
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'first', _deleted_at: null });
    });

    test('a run gets a token of its own, and the next one a greater', async () => {
      await (await visit.open([deals])).write(deals, [page('first')]);
      await visit.target.tamper.takeOver('deals');
      const next = await visit.open([deals, events]);
      expect(await next.write(deals, [page('second', at(40))])).toMatchObject({ written: 1 });
      expect(await next.write(events, [page('third', at(40))])).toMatchObject({ written: 1 });
    });
  });

  describe('tells tables apart so that', () => {
    const identity = async () => {
      const { position } = await visit.open([deals]);
      const { table, holdsRows } = await position(deals);
      return { table, holdsRows };
    };
    const load = async () => {
      const { write } = await visit.open([deals]);
      await write(deals, [page('first')], { changes: [begin()] });
      return identity();
    };

    test('a table is the same in every run, also when it was emptied', async () => {
      const before = await load();
      expect(before).toEqual({ table: expect.any(String), holdsRows: true });
      expect(await identity()).toEqual(before);
      await visit.closeAll();
      await visit.target.tamper.emptyTable('deals');
      expect(await identity()).toEqual({ ...before, holdsRows: false });
    });

    test('a table that was dropped is gone, and one made anew is another', async () => {
      const before = await load();
      await visit.closeAll();
      await visit.target.tamper.dropTable('deals');
      expect(await identity()).toEqual({ table: null, holdsRows: false });
      const after = await load();
      expect(after).toEqual({ table: expect.any(String), holdsRows: true });
      expect(after.table).not.toBe(before.table);
    });

    test('a copy under the same name is another, and serves', async () => {
      const before = await load();
      await visit.closeAll();
      await visit.target.tamper.swapTable('deals');
      const after = await identity();
      expect(after).toEqual({ table: expect.any(String), holdsRows: true });
      expect(after.table).not.toBe(before.table);
      expect(await identity()).toEqual(after);
      const { write, position } = await visit.open([deals]);
      await write(deals, [page('second', at(40)), page('new', at(40), 'b')], { changes: [begin()] });
      expect((await position(deals)).parsed.table).toBe(after.table);
      expect((await visit.rows('deals')).map(({ name }) => name)).toEqual(['second', 'new']);
    });

    for (const how of ['dropTable', 'swapTable'] as const) {
      test(`a position is never passed on to another table while a run goes on (${how})`, async () => {
        const { write, position, table } = await visit.open([deals]);
        const refresh = { started: at(15), pass: 1, since: null, until: null };
        await write(deals, [page('first')], { changes: [begin({ refresh })], refresh });
        const { document } = await position(deals);
        await visit.target.tamper[how]('deals');
        const refused = { kind: 'transient_error', message: /dropped or replaced/ };
        const late = write(deals, [page('late', at(40))], { changes: [{ type: 'seen', value: at(10) }], refresh });
        await expect(late).rejects.toMatchObject(refused);
        const request = { since: null, until: null, at: at(50), allowMassDelete: true };
        await expect(table(deals).finishRefresh(request)).rejects.toMatchObject(refused);
        expect((await position(deals)).document).toBe(document);
      });
    }
  });
}
