import { describe, expect, test } from 'vitest';
import { LockedFailure } from '../../destinations/failure.ts';
import type { PositionChange } from '../../destinations/position.ts';
import { PartLost } from '../../destinations/tasks.ts';
import { at, deals, events } from './streams.ts';
import { newPosition, newWindow, type OpenRun, type Visit } from './visit.ts';

const page = (key: string, askedAt = at(20)) => ({
  askedAt,
  records: [{ public_id: key, name: key, updated_at: at(10), created_at: at(1) }],
});

const takes = (id: string, now: string, until: string, windows: number, leads = false): PositionChange => ({
  type: 'take part',
  ...{ id, now, until, leads, windows, turn: 1 },
});
const renews = (id: string, until: string): PositionChange => ({ type: 'renew', id, until });

/** What a place where several processes may write does for the tasks of one job. */
export function tasksSuite(visit: Visit): void {
  describe('is shared by tasks so that', () => {
    test('those of one job write by one token, and nobody else writes beside them', async () => {
      const first = await visit.openBeside([deals], { tasks: 3 });
      const second = await visit.openBeside([deals, events], { tasks: 3 });
      expect(second.table(deals).token).toBe(first.table(deals).token);
      for (const options of [{}, { tasks: 2 }]) {
        const refused = visit.openBeside([deals], options);
        await expect(refused).rejects.toBeInstanceOf(LockedFailure);
        await expect(refused).rejects.toThrow(/in use by run \S+ as one of 3 tasks, since .* stop them all/);
      }
      await visit.closeAll();
      const alone = await visit.open([deals]);
      const next = await visit.open([deals], { tasks: 3 });
      const tokens = [first, alone, next].map(({ table }) => Number(table(deals).token));
      expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
      expect(new Set(tokens).size).toBe(3);
    });

    test('each keeps its windows and rows, also when they commit at once, and the last one ends the first load', async () => {
      const [one, two] = await begun(visit);
      await one.write(deals, [], { changes: [takes('one', at(1), at(200), 1, true)] });
      await two.write(deals, [], { changes: [takes('two', at(2), at(200), 1, true)] });
      const { parsed } = await one.position(deals);
      expect(parsed.windows.map(({ task }) => task)).toEqual(['one', 'two', undefined]);
      expect(parsed.parts?.map(({ id, leads }) => [id, leads])).toEqual([
        ['one', true],
        ['two', false],
      ]);
      const further = (run: OpenRun, id: string, which: number, round: number) => {
        const window = { ...parsed.windows[which]!, cursor: `${id} ${round}` };
        return run.write(deals, [page(`${id} ${round}`), page('both', at(20 + round))], {
          changes: [renews(id, at(201 + round)), { type: 'window', until: window.until, becomes: [window] }],
        });
      };
      for (let round = 0; round < 3; round++)
        await Promise.all([further(one, 'one', 0, round), further(two, 'two', 1, round)]);
      expect((await two.position(deals)).parsed.windows.map(({ cursor }) => cursor)).toEqual(['one 2', 'two 2', null]);

      const ends = (id: string, until: string): PositionChange[] => [
        renews(id, at(300)),
        { type: 'window', until, becomes: [] },
      ];
      await two.write(deals, [], { changes: [renews('two', at(299)), takes('two', at(3), at(300), 1)] });
      await Promise.all([
        one.write(deals, [page('one ends')], { changes: ends('one', at(30)) }),
        two.write(deals, [page('two ends')], { changes: [...ends('two', at(60)), ...ends('two', at(90)).slice(1)] }),
      ]);
      const { parsed: ended, holdsRows } = await one.position(deals);
      expect([ended.windows, ended.complete, holdsRows]).toEqual([[], at(90), true]);
      expect((await visit.rows('deals')).map(({ public_id }) => public_id).sort()).toEqual(
        ['both', 'one ends', 'two ends', ...[0, 1, 2].flatMap((n) => [`one ${n}`, `two ${n}`])].sort(),
      );
      const done = { token: two.table(deals).token, refreshed: null };
      await two.write(deals, [], { changes: [{ type: 'leave', id: 'two', ended: done }] });
      expect((await one.position(deals)).parsed).toMatchObject({
        parts: [{ id: 'one' }],
        ended: done,
      });
    });

    test('a part that has run out is given to others, and whoever held it commits nothing more', async () => {
      const [one, two] = await begun(visit);
      await one.write(deals, [], { changes: [takes('one', at(1), at(100), 2, true)] });
      await two.write(deals, [], { changes: [takes('two', at(99), at(150), 3, true)] });
      expect((await two.position(deals)).parsed.windows.map(({ task }) => task)).toEqual(['one', 'one', 'two']);
      await two.write(deals, [], { changes: [renews('two', at(160)), takes('two', at(100), at(160), 3, true)] });
      const { parsed } = await two.position(deals);
      expect(parsed.windows.map(({ task }) => task)).toEqual(['two', 'two', 'two']);
      expect(parsed.parts).toEqual([{ id: 'two', until: at(160), leads: true }]);
      const late = one.write(deals, [page('late')], {
        changes: [renews('one', at(170)), { type: 'window', until: at(30), becomes: [] }],
      });
      await expect(late).rejects.toBeInstanceOf(PartLost);
      expect((await two.position(deals)).parsed).toEqual(parsed);
    });

    test('only one of them begins a stream, and only who has its part ends a refresh', async () => {
      const one = await visit.openBeside([deals], { tasks: 2 });
      const two = await visit.openBeside([deals], { tasks: 2 });
      const refresh = { started: at(5), pass: 1, since: null, until: null };
      const beginning = (id: string): PositionChange => {
        const windows = [{ ...newWindow(null, at(30)), task: id, turn: 0 }];
        const parts = [{ id, until: at(100), leads: true }];
        return { type: 'begin', over: null, position: newPosition(deals, { windows, until: at(30), parts, refresh }) };
      };
      await one.write(deals, [page('a')], { changes: [beginning('one')], refresh });
      await expect(two.write(deals, [], { changes: [beginning('two')], refresh })).rejects.toBeInstanceOf(PartLost);
      const ended: PositionChange = { type: 'window', until: at(30), becomes: [] };
      await one.write(deals, [], { changes: [renews('one', at(101)), ended], refresh });
      const finish = (part: string) =>
        two.table(deals).finishRefresh({ since: null, until: null, at: at(40), allowMassDelete: true, part });
      await expect(finish('two')).rejects.toBeInstanceOf(PartLost);
      expect(await finish('one')).toEqual({ deleted: 0 });
    });
  });
}

/** Two tasks over a stream with three windows that nobody has. */
async function begun(visit: Visit): Promise<[OpenRun, OpenRun]> {
  const one = await visit.openBeside([deals], { tasks: 2 });
  const two = await visit.openBeside([deals], { tasks: 2 });
  const windows = [newWindow(null, at(30)), newWindow(at(30), at(60)), newWindow(at(60), at(90))];
  const plan: PositionChange = { type: 'plan', from: null, until: at(90), windows, refresh: null };
  await one.write(deals, [], { changes: [{ type: 'begin', position: newPosition(deals), over: null }, plan] });
  return [one, two];
}
