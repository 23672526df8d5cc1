import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Charge, createBudget } from '../connector/sync/budget.ts';
import { newCounts, type ReadyPage, type StreamContext } from '../connector/sync/context.ts';
import { judgePosition } from '../connector/sync/judge.ts';
import { createLane, merge } from '../connector/sync/lane.ts';
import { createLimiter } from '../connector/sync/limiter.ts';
import { createPatience } from '../connector/sync/patience.ts';
import type { Batch } from '../destinations/contract.ts';
import { applyChanges, hasApplied, type Position, type PositionChange } from '../destinations/position.ts';
import { streamNamed } from '../schemas/registry.ts';

const at = (day: number) => new Date(Date.UTC(2026, 0, day)).toISOString().replace('Z', '000Z');
const stream = streamNamed('borrower_sub_accounts')!;
const never = new AbortController().signal;

const position: Position = {
  version: 1,
  lender: 'a',
  table: 't',
  cursor_field: 'updated_at',
  key: ['public_id'],
  rows: true,
  from: null,
  complete: at(5),
  seen: at(4),
  until: null,
  windows: [],
  refresh: null,
};

describe('the budget', () => {
  test('lets no more through than it has, in order, and what is too large alone', async () => {
    const budget = createBudget(100);
    const order: string[] = [];
    const noted = (name: string) => (charge: Charge) => {
      order.push(name);
      return charge;
    };
    const first = await budget.take(60, never);
    const second = budget.take(500, never).then(noted('large'));
    const third = budget.take(10, never).then(noted('small'));
    await turn();
    expect([order, budget.pressed]).toEqual([[], true]);
    first.release();
    first.release();
    (await second).adjust(70);
    expect([await third, order, budget.pressed]).toEqual([expect.anything(), ['large', 'small'], false]);
  });

  test('tells when someone begins to wait, and lets go of who is stopped', async () => {
    const budget = createBudget(10);
    await budget.take(10, never);
    let told = 0;
    budget.onPressure(() => told++);
    const stop = new AbortController();
    const waiting = budget.take(1, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    expect([told, budget.pressed]).toEqual([1, false]);
  });
});

test('the limiter halves when the server asks for less, adds one with each success, and never passes its bounds', () => {
  const limiter = createLimiter(8);
  limiter.succeeded();
  expect(limiter.idle).toBe(8);
  for (const expected of [4, 2, 1, 1]) {
    limiter.overloaded();
    expect(limiter.idle).toBe(expected);
  }
  limiter.succeeded();
  const leave = limiter.join();
  expect(limiter.idle).toBe(1);
  leave();
  leave();
  expect(limiter.idle).toBe(2);
});

test('patience ends for a stream that only fails, and for all when nothing in the run succeeds', () => {
  let now = 0;
  const run = createPatience({ monotonic: () => now, sleep: async () => {}, random: () => 0, turn: async () => {} });
  const [one, other] = [run.forStream(), run.forStream()];
  now = 99_000;
  other.succeeded();
  expect(one.left()).toBe(1000);
  now = 101_000;
  expect(one.left()).toBe(0);
  expect(other.left()).toBeGreaterThan(90_000);
  now = 99_000 + 130_000;
  expect(run.forStream().left()).toBe(10_000);
});

test('patience does not run while nothing is asked for, but does from the first failure on', () => {
  let now = 0;
  const run = createPatience({ monotonic: () => now, sleep: async () => {}, random: () => 0, turn: async () => {} });
  const stream = run.forStream();
  now = 3_600_000;
  stream.asked();
  expect(stream.left()).toBe(100_000);
  stream.failed();
  now += 60_000;
  stream.asked();
  expect(stream.left()).toBe(40_000);
  const next = run.forStream();
  next.asked();
  now += 80_000;
  expect(next.left()).toBe(0);
});

describe('a lane', () => {
  function laneOver(commit: (batch: Batch, taken: () => void) => Promise<unknown>, rows = 3) {
    const failures: unknown[] = [];
    const durable: PositionChange[] = [];
    const counts = newCounts();
    const done = { written: 1, unchanged: 0, changedFields: 0, unparsedDates: 0, rejects: 0, repeatedKeys: 0 };
    const context = {
      table: {
        commit: async (batch: Batch, taken: () => void) => ({ ...done, ...((await commit(batch, taken)) as object) }),
      },
      budget: createBudget(1000),
      timing: { monotonic: () => 0, sleep: () => new Promise(() => {}) },
      counts,
      progressed: () => {},
      happened: () => {},
      part: null,
    } as unknown as StreamContext;
    const lane = createLane({
      context,
      batching: { lanes: 1, rows, bytes: 1e6, seconds: 5, budget: 64e6 },
      refresh: null,
      failed: (error) => failures.push(error),
      committed: (changes) => durable.push(...changes),
    });
    return { lane, failures, durable, counts };
  }
  let released = 0;
  const page = (records = 1): ReadyPage => ({
    prepared: { records, bytes: 10 },
    nextCursor: null,
    first: null,
    last: null,
    release: () => released++,
  });
  const walked = (cursor: string): PositionChange => ({
    type: 'window',
    until: at(9),
    becomes: [{ since: null, until: at(9), cursor, last: null }],
  });

  test('commits whole pages in order, one batch at a time, when it is full or flushed', async () => {
    const batches: Batch[] = [];
    let underWay = 0;
    const { lane, durable } = laneOver(async (batch) => {
      expect(++underWay).toBe(1);
      batches.push(batch);
      await turn();
      underWay--;
    });
    for (const cursor of ['a', 'b', 'c', 'd']) lane.add(page(2), [walked(cursor)]);
    await lane.flush();
    expect(batches.map(({ pages, changes }) => [pages.length, changes])).toEqual([
      [2, [walked('b')]],
      [2, [walked('d')]],
    ]);
    expect(durable).toEqual([walked('b'), walked('d')]);
  });

  test('commits nothing after a commit that failed, gives all memory back, and says so once', async () => {
    released = 0;
    const { lane, failures, durable } = laneOver(async () => {
      throw new Error('disk full');
    });
    for (const cursor of ['a', 'b', 'c', 'd']) lane.add(page(2), [walked(cursor)]);
    await expect(lane.flush()).rejects.toThrow('disk full');
    lane.add(page(1), [walked('e')]);
    lane.close();
    expect([failures.length, durable, released]).toEqual([1, [], 5]);
  });

  test('gives the memory of pages back as soon as the destination has taken them, and the next batch is read meanwhile', async () => {
    released = 0;
    const atCommit: number[] = [];
    const { lane } = laneOver(async (_, taken) => {
      atCommit.push(released);
      taken();
      atCommit.push(released);
    });
    lane.add(page(3), [walked('a')]);
    lane.add(page(3), [walked('b')]);
    await lane.flush();
    // Twice each: at the end of a commit it is certain.
    expect(atCommit).toEqual([0, 1, 2, 3]);
  });

  test('keeps of a window that only went further the last word', () => {
    expect(merge([walked('a'), { type: 'seen', value: at(2) }], [walked('b'), { type: 'seen', value: at(3) }])).toEqual(
      [walked('b'), { type: 'seen', value: at(3) }],
    );
  });

  test('makes a cut durable without the pages that it collects, which come after it', async () => {
    const batches: Batch[] = [];
    const { lane } = laneOver(async (batch) => batches.push(batch), 10);
    const plan = { type: 'plan', from: null, until: at(9), windows: [], refresh: null } as const;
    const window = { since: null, until: at(9), cursor: 'a', last: at(3) };
    const first = { ...window, since: at(3), until: at(5), cursor: null };
    const second = { since: at(5), until: at(9), cursor: null, last: null };
    lane.change(plan);
    lane.add(page(2), [
      { type: 'seen', value: at(3) },
      { type: 'window', until: at(9), becomes: [window] },
    ]);
    await lane.cut(at(9), [first, second]);
    expect(batches).toEqual([
      { pages: [], changes: [plan, { type: 'cut', until: at(9), others: [second] }], refresh: null },
    ]);
    lane.add(page(1), [{ type: 'window', until: at(5), becomes: [{ ...first, cursor: 'b' }] }]);
    await lane.flush();
    expect(batches.slice(1).map(({ pages, changes }) => [pages.length, changes])).toEqual([
      [
        2,
        [
          { type: 'seen', value: at(3) },
          { type: 'window', until: at(5), becomes: [{ ...first, cursor: 'b' }] },
        ],
      ],
    ]);
  });
});

describe('a position', () => {
  const plan: PositionChange = {
    type: 'plan',
    from: null,
    until: at(9),
    windows: [{ since: at(4), until: at(9), cursor: null, last: null }],
    refresh: null,
  };
  const facts = { table: 't', holdsRows: false };
  const windowOf = (since: string) => ({ since, until: at(9), cursor: null, last: null });

  test('is complete up to the end of a span once its last window has ended, and never moves back', () => {
    const ended: PositionChange = { type: 'window', until: at(9), becomes: [] };
    expect(applyChanges(position, [plan, ended], facts)).toMatchObject({ complete: at(9), until: null, windows: [] });
    const early = { ...position, complete: at(20) };
    expect(applyChanges(early, [plan, ended], facts).complete).toBe(at(20));
  });

  test('is not changed by a run that does not know it', () => {
    expect(() => applyChanges(position, [{ type: 'window', until: at(9), becomes: [] }], facts)).toThrow(/no window/);
    expect(() => applyChanges(applyChanges(position, [plan], facts), [plan], facts)).toThrow(/unfinished/);
    expect(() => applyChanges(null, [plan], facts)).toThrow(/begun/);
  });

  test('tells whether a commit without an answer has landed', () => {
    const changes: PositionChange[] = [plan, { type: 'window', until: at(9), becomes: [] }];
    expect(hasApplied(position, changes)).toBe(false);
    expect(hasApplied(applyChanges(position, changes, facts), changes)).toBe(true);
    const open = applyChanges(position, [plan], facts);
    const further: PositionChange = {
      type: 'window',
      until: at(9),
      becomes: [{ since: at(4), until: at(9), cursor: 'n', last: at(6) }],
    };
    expect(hasApplied(open, [further])).toBe(false);
    expect(hasApplied(applyChanges(open, [further], facts), [further])).toBe(true);
    const cut: PositionChange = { type: 'cut', until: at(9), others: [{ ...windowOf(at(7)), until: at(9) }] };
    expect(hasApplied(open, [cut])).toBe(false);
    expect(hasApplied(applyChanges(open, [cut], facts), [cut])).toBe(true);
  });

  test('is cut where its rows are, whatever its walk has read beyond', () => {
    const open = applyChanges(position, [plan], facts);
    const others = [
      { ...windowOf(at(6)), until: at(8) },
      { ...windowOf(at(8)), until: at(9) },
    ] as const;
    const cut: PositionChange = { type: 'cut', until: at(9), others };
    expect(applyChanges(open, [cut], facts).windows).toEqual([{ ...windowOf(at(4)), until: at(6) }, ...others]);
    const further: PositionChange = {
      type: 'window',
      until: at(9),
      becomes: [{ since: at(4), until: at(9), cursor: 'n', last: at(5) }],
    };
    const left = { since: at(5), until: at(6), cursor: null, last: at(5) };
    expect(applyChanges(open, [further, cut], facts).windows).toEqual([left, ...others]);
  });
});

describe('faults 19 and 24: a stored position', () => {
  const stored = { document: JSON.stringify(position), table: 't', holdsRows: true };
  const judge = (changed: object, { full = false, lender = 'a' } = {}) =>
    judgePosition({ ...stored, ...changed }, stream, lender, full).verdict;
  const document = (changed: object) => ({ document: JSON.stringify({ ...position, ...changed }) });

  test('of this table and lender goes on', () => {
    expect(judge({})).toBe('goes on');
    expect(judge({ document: null, holdsRows: false, table: null })).toBe('starts');
  });

  test('of a table that is gone, another one, or emptied starts over (rule 17)', () => {
    expect(judge({ table: null, holdsRows: false })).toBe('starts over');
    expect(judge({ table: 'other' })).toBe('starts over');
    expect(judge({ holdsRows: false })).toBe('starts over');
    expect(judge({ ...document({ rows: false }), holdsRows: false })).toBe('goes on');
  });

  test.each([
    ['missing beside a full table', { document: null }],
    ['no JSON', { document: '{' }],
    ['damaged', document({ windows: 'none' })],
    ['of a newer version', document({ version: 2 })],
    ['kept by another field', document({ cursor_field: 'created_at' })],
    ['of another key', document({ key: ['public_id', 'created_at'] })],
  ])('%s is refused with the command that settles it, and settled by it', (_, changed) => {
    expect(() => judge(changed)).toThrow(/--streams borrower_sub_accounts --full-refresh/);
    expect(judge(changed, { full: true })).toBe('is read again');
  });

  test('of another lender is refused, whatever is asked', () => {
    expect(() => judge({}, { lender: 'b' })).toThrow(/another lender/);
    expect(() => judge({}, { lender: 'b', full: true })).toThrow(/another lender/);
  });
});
