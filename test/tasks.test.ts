import { describe, expect, test } from 'vitest';
import { taskOf } from '../connector/commands/task.ts';
import { concurrencyOf } from '../connector/sync/part.ts';
import { duckdbConfig } from '../destinations/config.ts';
import { duckdbDestination } from '../destinations/duckdb/destination.ts';
import { applyChanges, hasApplied, type Position, type PositionChange } from '../destinations/position.ts';
import { freeWindows, isLed, PartLost } from '../destinations/tasks.ts';
import { at } from './destination-suite/streams.ts';
import { newWindow } from './destination-suite/visit.ts';

describe('which task a run is', () => {
  test('is told by the flag, else by Cloud Run, else by a Kubernetes Indexed Job, else it is alone', () => {
    const cloudRun = { CLOUD_RUN_TASK_INDEX: '2', CLOUD_RUN_TASK_COUNT: '3' };
    const kubernetes = { JOB_COMPLETION_INDEX: '1', CLEARGRID_TASK_COUNT: '5' };
    expect(taskOf('0/4', { ...cloudRun, ...kubernetes })).toEqual({ index: 0, count: 4 });
    expect(taskOf(undefined, { ...cloudRun, ...kubernetes })).toEqual({ index: 2, count: 3 });
    expect(taskOf(undefined, kubernetes)).toEqual({ index: 1, count: 5 });
    expect(taskOf(undefined, {})).toBeNull();
    // Of an Indexed Job whose manifest says no count, nothing is known.
    expect(taskOf(undefined, { JOB_COMPLETION_INDEX: '1' })).toBeNull();
  });

  test('one of one has the streams to itself', () => {
    expect(taskOf('0/1', {})).toBeNull();
    expect(taskOf(undefined, { CLOUD_RUN_TASK_INDEX: '0', CLOUD_RUN_TASK_COUNT: '1' })).toBeNull();
  });

  test.each(['4/4', '-1/4', '1', '1/', '/4', 'a/b', '1/0', '1.5/4', '0/65'])('%s is refused', (flag) => {
    expect(() => taskOf(flag, {})).toThrow(/--task must be I\/N, as in 0\/4/);
  });

  test.each([
    [{ CLEARGRID_TASK_COUNT: '4' }, /CLEARGRID_TASK_COUNT is "4" and JOB_COMPLETION_INDEX is not set/],
    [{ CLOUD_RUN_TASK_COUNT: '4', CLOUD_RUN_TASK_INDEX: '4' }, /CLOUD_RUN_TASK_INDEX is "4"/],
    [{ CLEARGRID_TASK_COUNT: 'many', JOB_COMPLETION_INDEX: '0' }, /CLEARGRID_TASK_COUNT is "many"/],
  ])('%o is refused', (env, message) => {
    expect(() => taskOf(undefined, env)).toThrow(message);
  });

  test.each([
    [16, 4],
    [10, 4],
    [2, 4],
    [64, 3],
  ])('%i pages at once are divided among %i, and each may ask for one', (concurrency, count) => {
    const shares = Array.from({ length: count }, (_, index) => concurrencyOf(concurrency, { index, count }));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBe(Math.max(concurrency, count));
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
  });

  test('is refused where one process writes a file', async () => {
    const destination = duckdbDestination(duckdbConfig.parse({ type: 'duckdb', path: 'never.duckdb' }));
    const run = {
      id: 'r',
      command: 'sync',
      startedAt: at(1),
      fullRefresh: new Set<string>(),
      warn: () => {},
      tasks: 2,
    };
    await expect(destination.open([], run)).rejects.toMatchObject({ kind: 'config_error', message: /--task needs/ });
  });
});

describe('the parts of a position', () => {
  const facts = { table: 't', holdsRows: true };
  const position: Position = {
    ...{ version: 1, lender: 'a', table: 't', cursor_field: 'updated_at', key: ['public_id'], rows: true },
    ...{ from: null, complete: null, seen: null, until: at(60), refresh: null },
    windows: [newWindow(null, at(30)), newWindow(at(30), at(60))],
  };
  const changed = (...changes: PositionChange[]) => applyChanges(position, changes, facts);
  const takes = (id: string, minute: number, windows: number, leads = false): PositionChange => ({
    ...{ type: 'take part', id, now: at(minute), until: at(minute + 10), leads, windows, turn: 1 },
  });

  test('hold windows until they run out, are renewed or leave; one of them leads', () => {
    const both = changed(takes('one', 1, 1, true), takes('two', 2, 5, true));
    expect(both.windows.map(({ task }) => task)).toEqual(['one', 'two']);
    expect(both.parts?.map(({ id, leads }) => [id, leads])).toEqual([
      ['one', true],
      ['two', false],
    ]);
    expect([freeWindows(both, at(5)).length, isLed(both, at(5))]).toEqual([0, true]);
    expect([freeWindows(both, at(11)).length, isLed(both, at(11))]).toEqual([1, false]);
    const renewed = applyChanges(both, [{ type: 'renew', id: 'one', until: at(30) }], facts);
    expect(freeWindows(renewed, at(20)).map(({ until }) => until)).toEqual([at(60)]);
    const left = applyChanges(renewed, [{ type: 'leave', id: 'one', ended: null }], facts);
    expect(left.windows.map(({ task }) => task)).toEqual([undefined, 'two']);
    expect(applyChanges(left, [{ type: 'alone' }], facts)).toEqual(position);
  });

  test('go on being held by the parts of a window that is cut', () => {
    const cut: PositionChange = { type: 'cut', until: at(60), others: [newWindow(at(40), at(60))] };
    const { windows } = changed(takes('one', 1, 2), cut);
    expect(windows.map(({ task, until }) => [task, until])).toEqual([
      ['one', at(30)],
      ['one', at(40)],
      [undefined, at(60)],
    ]);
  });

  test('that have ended commit nothing, and a commit without an answer is known by its part', () => {
    const taken = changed(takes('one', 1, 1));
    const late = applyChanges(taken, [takes('two', 11, 0)], facts);
    expect(() => applyChanges(late, [{ type: 'renew', id: 'one', until: at(40) }], facts)).toThrow(PartLost);
    expect(hasApplied(taken, [takes('one', 1, 1)])).toBe(true);
    expect(hasApplied(position, [takes('one', 1, 1)])).toBe(false);
    expect(hasApplied(taken, [{ type: 'renew', id: 'one', until: at(12) }])).toBe(false);
    expect(hasApplied(late, [{ type: 'leave', id: 'one', ended: null }])).toBe(true);
  });

  test('leave a window without end to whoever leads', () => {
    const open: Position = { ...position, windows: [newWindow(null, null)] };
    expect(applyChanges(open, [takes('one', 1, 5)], facts).windows[0]!.task).toBeUndefined();
    expect(freeWindows(open, at(1))).toEqual([]);
  });
});
