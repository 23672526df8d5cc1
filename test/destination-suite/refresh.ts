import { describe, expect, test } from 'vitest';
import type { Refresh } from '../../destinations/position.ts';
import type { Stream } from '../../schemas/stream.ts';
import { at, calls, deals, events } from './streams.ts';
import { newPosition, type OpenRun, type PageOf, type Visit } from './visit.ts';

const refresh: Refresh = { started: at(100), pass: 1, since: null, until: null };
const everything = { since: null, until: null, at: at(300), allowMassDelete: false };

const deal = (publicId: string, updated: number | null, name = '') => ({
  ...{ public_id: publicId, name, updated_at: updated === null ? null : at(updated) },
});

/** Opens a full refresh, as the loop does: with a document of its own. */
async function openRefresh({ write }: OpenRun, stream: Stream, opened = refresh): Promise<void> {
  await write(stream, [], {
    changes: [{ type: 'begin', position: newPosition(stream, { refresh: opened }) }],
    refresh: opened,
  });
}

/** Rules 3 and 15: a full refresh, and what it marks as deleted. */
export function refreshSuite(visit: Visit): void {
  const loaded = async (records: PageOf['records'], stream: Stream = deals) => {
    const run = await visit.open([stream]);
    await run.write(stream, [{ askedAt: at(50), records }]);
    await openRefresh(run, stream);
    return run;
  };
  const marked = async () =>
    (await visit.rows('deals')).filter((row) => row._deleted_at !== null).map((row) => row.public_id);

  describe('refreshes in full so that', () => {
    test('the first row of a key replaces what is stored, whatever its version', async () => {
      const { write } = await loaded([deal('a', 40, 'newer, but wrong'), deal('b', null, 'wrong')]);
      const page = { askedAt: at(101), records: [deal('a', 30, 'right'), deal('b', null, 'right')] };
      expect(await write(deals, [page], { refresh })).toMatchObject({ written: 2, unchanged: 0 });
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'right', updated_at: at(30), _synced_at: at(101) });
      expect(await visit.row(deals, 'b')).toMatchObject({ name: 'right' });
    });

    test('a row that was read before what is stored replaces it all the same', async () => {
      const { write } = await loaded([deal('a', 40, 'stored')]);
      await write(deals, [{ askedAt: at(1), records: [deal('a', 40, 'right')] }], { refresh });
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'right' });
    });

    test('among its own rows newer wins, in whatever order they come', async () => {
      const { write } = await loaded([deal('a', 90), deal('b', 90), deal('c', 90)]);
      await write(deals, [{ askedAt: at(101), records: [deal('a', 30, 'old'), deal('b', 32, 'new')] }], { refresh });
      await write(deals, [{ askedAt: at(102), records: [deal('a', 31, 'new'), deal('b', 31, 'old')] }], { refresh });
      const both = [deal('c', 31, 'old'), deal('c', 32, 'new'), deal('c', null, 'none')];
      expect(await write(deals, [{ askedAt: at(103), records: both }], { refresh })).toMatchObject({
        written: 1,
        unchanged: 2,
      });
      expect((await visit.rows('deals')).map(({ name }) => name)).toEqual(['new', 'new', 'new']);
    });

    test('of its own rows with equal versions the one that was read later stays', async () => {
      const { write } = await loaded([deal('a', 90)]);
      await write(deals, [{ askedAt: at(102), records: [deal('a', 30, 'later')] }], { refresh });
      await write(deals, [{ askedAt: at(101), records: [deal('a', 30, 'earlier')] }], { refresh });
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'later' });
    });

    test('its own rows are measured by the newest that it has brought, also where that was written by nobody', async () => {
      const { write } = await loaded([deal('a', 33, 'third')]);
      for (const [minute, name] of [
        [31, 'first'],
        [33, 'third'],
        [32, 'second'],
      ] as const) {
        await write(deals, [{ askedAt: at(101), records: [deal('a', minute, name)] }], { refresh });
      }
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'third' });
    });

    test('rows that did not change are not written, and count as brought', async () => {
      const { write, table } = await loaded([deal('a', 40), deal('b', 41)]);
      const page = { askedAt: at(101), records: [deal('a', 40), deal('b', 41)] };
      expect(await write(deals, [page], { refresh })).toMatchObject({ written: 0, unchanged: 2 });
      expect(await visit.row(deals, 'a')).toMatchObject({ _synced_at: at(50) });
      await write(deals, [{ askedAt: at(99), records: [deal('a', 40, 'read before')] }], { refresh });
      expect(await visit.row(deals, 'a')).toMatchObject({ name: '' });
      expect(await table(deals).finishRefresh(everything)).toEqual({ deleted: 0 });
    });

    test('a batch that comes again changes nothing', async () => {
      const { write } = await loaded([deal('a', 90)]);
      const page = { askedAt: at(101), records: [deal('a', 30, 'right')] };
      await write(deals, [page], { refresh });
      expect(await write(deals, [page], { refresh })).toMatchObject({ written: 0, unchanged: 1 });
    });

    test('streams without a version column are refreshed by the time of reading', async () => {
      const run = await visit.open([events]);
      const event = (name: string) => ({ public_id: 'a', name, created_at: at(1) });
      await run.write(events, [{ askedAt: at(200), records: [event('stored')] }]);
      await openRefresh(run, events);
      await run.write(events, [{ askedAt: at(102), records: [event('second')] }], { refresh });
      await run.write(events, [{ askedAt: at(101), records: [event('first')] }], { refresh });
      expect(await visit.row(events, 'a')).toMatchObject({ name: 'second' });
    });

    test('a later run goes on with it, and with what it has seen', async () => {
      const first = await loaded([deal('a', 40), deal('b', 40), deal('c', 90, 'newer, but wrong')]);
      await first.write(deals, [{ askedAt: at(101), records: [deal('a', 40)] }], { refresh });
      const { write, table, position } = await visit.open([deals]);
      expect((await position(deals)).parsed.refresh).toEqual(refresh);
      const second = { ...refresh, pass: 2 };
      const changes = [{ type: 'plan', from: null, until: null, windows: [], refresh: second }] as const;
      await write(deals, [{ askedAt: at(110), records: [deal('c', 30, 'right')] }], { changes, refresh: second });
      expect(await visit.row(deals, 'c')).toMatchObject({ name: 'right' });
      expect(await table(deals).finishRefresh(everything)).toEqual({ deleted: 1 });
      expect(await marked()).toEqual(['b']);
    });

    test('a further span of the same pass forgets nothing', async () => {
      const { write, table } = await loaded([deal('a', 40), deal('b', 40)]);
      await write(deals, [{ askedAt: at(101), records: [deal('a', 40)] }], { refresh });
      const changes = [{ type: 'plan', from: null, until: null, windows: [], refresh }] as const;
      await write(deals, [{ askedAt: at(102), records: [deal('b', 40)] }], { changes, refresh });
      expect(await table(deals).finishRefresh(everything)).toEqual({ deleted: 0 });
    });

    test('the keys that it has seen are kept as long as it is open, and no longer', async () => {
      const run = await loaded([deal('a', 40)]);
      const seenKeys = () => visit.rows('_cleargrid_seen_deals');
      await run.write(deals, [{ askedAt: at(101), records: [deal('a', 40)] }], { refresh });
      expect(await seenKeys()).toHaveLength(1);
      await run.table(deals).finishRefresh(everything);
      await expect(seenKeys()).rejects.toMatchObject({ kind: 'config_error' });
      await openRefresh(run, deals, { ...refresh, started: at(150) });
      expect(await seenKeys()).toEqual([]);
      await run.write(deals, [], { changes: [{ type: 'begin', position: newPosition(deals) }] });
      await expect(seenKeys()).rejects.toMatchObject({ kind: 'config_error' });
    });

    test('one that begins anew knows nothing of an abandoned one', async () => {
      const run = await loaded([deal('a', 90), deal('b', 90)]);
      await run.write(deals, [{ askedAt: at(101), records: [deal('a', 30), deal('b', 30)] }], { refresh });
      const anew = { ...refresh, started: at(150) };
      await openRefresh(run, deals, anew);
      await run.write(deals, [{ askedAt: at(90), records: [deal('a', 20, 'right')] }], { refresh: anew });
      expect(await visit.row(deals, 'a')).toMatchObject({ name: 'right' });
      expect(await run.table(deals).finishRefresh(everything)).toEqual({ deleted: 1 });
      expect(await marked()).toEqual(['b']);
    });

    test('the next one starts with nothing seen', async () => {
      const run = await loaded([deal('a', 40), deal('b', 40)]);
      await run.write(deals, [{ askedAt: at(101), records: [deal('a', 40), deal('b', 40)] }], { refresh });
      expect(await run.table(deals).finishRefresh(everything)).toEqual({ deleted: 0 });
      const again = { ...refresh, started: at(150) };
      await openRefresh(run, deals, again);
      await run.write(deals, [{ askedAt: at(151), records: [deal('b', 40)] }], { refresh: again });
      expect(await run.table(deals).finishRefresh(everything)).toEqual({ deleted: 1 });
      expect(await marked()).toEqual(['a']);
    });
  });

  describe('marks deletions so that', () => {
    test('only unseen rows of the refreshed span are marked', async () => {
      const records = [9, 10, 19, 20, null].map((minute) => deal(`at ${minute}`, minute));
      const { table, write, position } = await loaded([...records, deal('seen', 15)]);
      await write(deals, [{ askedAt: at(101), records: [deal('seen', 15), deal('new', 16)] }], { refresh });
      const request = { ...everything, since: at(10), until: at(20) };
      expect(await table(deals).finishRefresh(request)).toEqual({ deleted: 2 });
      expect(await marked()).toEqual(['at 10', 'at 19']);
      expect(await visit.row(deals, 'at 10')).toMatchObject({ _deleted_at: at(300), _synced_at: at(50) });
      expect((await position(deals)).parsed.refresh).toBeNull();
    });

    test('the span is one of the cursor field, not of the version', async () => {
      const run = await visit.open([calls]);
      const call = (publicId: string, made: number) => ({
        ...{ public_id: publicId, communicated_at: at(made), updated_at: at(50) },
      });
      await run.write(calls, [{ askedAt: at(60), records: [call('before', 9), call('within', 10)] }]);
      await openRefresh(run, calls);
      const request = { ...everything, since: at(10), until: at(40) };
      expect(await run.table(calls).finishRefresh(request)).toEqual({ deleted: 1 });
      expect(await visit.row(calls, 'within')).toMatchObject({ _deleted_at: at(300) });
    });

    test('rows that are marked already keep their instant, until they come back', async () => {
      const run = await loaded([deal('a', 40), deal('b', 40)]);
      expect(await run.table(deals).finishRefresh(everything)).toEqual({ deleted: 2 });
      const again = { ...refresh, started: at(350) };
      await openRefresh(run, deals, again);
      await run.write(deals, [{ askedAt: at(351), records: [deal('b', 40)] }], { refresh: again });
      expect(await run.table(deals).finishRefresh({ ...everything, at: at(400) })).toEqual({ deleted: 0 });
      expect(await visit.row(deals, 'a')).toMatchObject({ _deleted_at: at(300) });
      expect(await visit.row(deals, 'b')).toMatchObject({ _deleted_at: null, _synced_at: at(351) });
    });

    test('more than half of a table, from 100 rows on, waits for leave; and nothing need be read again', async () => {
      const records = Array.from({ length: 199 }, (_, index) => deal(`${index}`, 40));
      const { write, table, position } = await loaded(records);
      await write(deals, [{ askedAt: at(101), records: records.slice(0, 99) }], { refresh });
      expect(await table(deals).finishRefresh(everything)).toEqual({ held: 100, rows: 199 });
      expect(await marked()).toEqual([]);
      expect((await position(deals)).parsed.refresh).toEqual(refresh);
      expect(await table(deals).finishRefresh({ ...everything, allowMassDelete: true })).toEqual({ deleted: 100 });
      expect(await marked()).toHaveLength(100);
    });

    test('half of a table is not more than half, and rows marked before do not count', async () => {
      const records = Array.from({ length: 200 }, (_, index) => deal(`${index}`, 40));
      const { write, table } = await loaded(records);
      await write(deals, [{ askedAt: at(101), records: records.slice(0, 100) }], { refresh });
      expect(await table(deals).finishRefresh(everything)).toEqual({ deleted: 100 });
    });

    test('less than 100 rows are marked without leave', async () => {
      const { table } = await loaded(Array.from({ length: 99 }, (_, index) => deal(`${index}`, 40)));
      expect(await table(deals).finishRefresh(everything)).toEqual({ deleted: 99 });
    });

    test('a table that holds more than the half rule counts is measured by its unmarked rows', async () => {
      const records = Array.from({ length: 240 }, (_, index) => deal(`${index}`, 40));
      const run = await loaded(records);
      await run.write(deals, [{ askedAt: at(101), records: records.slice(0, 140) }], { refresh });
      expect(await run.table(deals).finishRefresh(everything)).toEqual({ deleted: 100 });
      const again = { ...refresh, started: at(350) };
      await openRefresh(run, deals, again);
      await run.write(deals, [{ askedAt: at(351), records: records.slice(0, 40) }], { refresh: again });
      expect(await run.table(deals).finishRefresh(everything)).toEqual({ held: 100, rows: 140 });
    });

    test('without an open refresh nothing is marked', async () => {
      const run = await loaded([deal('a', 40)]);
      await run.table(deals).finishRefresh({ ...everything, since: at(300) });
      await expect(run.table(deals).finishRefresh(everything)).rejects.toThrow(/no full refresh is open/);
      expect(await marked()).toEqual([]);
    });

    test('when the keys that it has seen are lost, nothing is guessed', async () => {
      const { write, table } = await loaded([deal('a', 40)]);
      await visit.target.tamper.dropSeenKeys('deals');
      await expect(table(deals).finishRefresh(everything)).rejects.toMatchObject({ kind: 'config_error' });
      const page = { askedAt: at(101), records: [deal('a', 40)] };
      await expect(write(deals, [page], { refresh })).rejects.toMatchObject({ kind: 'config_error' });
      expect(await marked()).toEqual([]);
    });
  });
}
