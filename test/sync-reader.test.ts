import { expect, test } from 'vitest';
import { PageFailure, type PageFailureReason, type Source } from '../connector/source.ts';
import { createBudget } from '../connector/sync/budget.ts';
import { newCounts, type StreamContext } from '../connector/sync/context.ts';
import { createLimiter } from '../connector/sync/limiter.ts';
import { createPatience } from '../connector/sync/patience.ts';
import { pageReader } from '../connector/sync/reader.ts';
import { systemTiming, type Timing } from '../connector/timing.ts';
import { memoryKinds } from '../destinations/memory/kinds.ts';
import { compileMapper } from '../schemas/mapper.ts';
import { streamNamed } from '../schemas/registry.ts';
import { chance, virtualTime } from './simulation/virtual-time.ts';

const stream = streamNamed('borrowers')!;
const LAST = Buffer.from('{"code":200,"message":"success","body":{"rows":[],"pagination":{"nextCursor":null}}}');
const REQUEST = { since: null, until: null, cursor: null, limit: 1000 };

const LAST_PAGE = () => LAST;

/** A reader over a source that answers by `answer`, and what it shares with the run. */
function readerOver(
  answer: () => Buffer,
  timing: Timing,
  more: { budget?: number; fetchPage?: Source['fetchPage'] } = {},
) {
  const limiter = createLimiter(more.fetchPage ? 64 : 8);
  const [budget, counts] = [createBudget(more.budget ?? 10e6), newCounts()];
  let released = 0;
  const fetchPage = async () => ({
    bytes: answer(),
    askedAt: '2026-06-01T12:00:00.000000Z',
    release: () => released++,
  });
  const source = { fetchPage: more.fetchPage ?? fetchPage } as unknown as Source;
  const context = {
    ...{ source, stream, limiter, budget, counts, timing, part: null },
    mapper: compileMapper(stream, memoryKinds),
    table: { prepare: () => ({ records: 0, bytes: 100 }) },
    patience: createPatience(timing).forStream(),
    signal: new AbortController().signal,
    progressed: () => {},
    happened: () => {},
  } as unknown as StreamContext;
  return { read: pageReader(context), limiter, budget, counts, released: () => released };
}

/** Lets time pass until the work has ended. */
async function ended<T>(time: ReturnType<typeof virtualTime>, work: Promise<T>): Promise<T> {
  let running = true;
  const end = () => {
    running = false;
  };
  work.then(end, end);
  while (running) await time.step();
  return work;
}

test.each([
  ['throttled', 429, 7_000, 4],
  ['throttled', 503, null, 4],
  ['interrupted', null, null, 8],
] as [PageFailureReason, number | null, number | null, number][])(
  'a page that is %s (%s) is asked for again, as late and by as many as that asks for',
  async (reason, status, retryAfterMs, atOnce) => {
    const time = virtualTime(chance(1));
    let asked = 0;
    const { read, limiter, counts } = readerOver(() => {
      asked++;
      if (asked === 1) {
        expect(limiter.idle).toBe(8);
        throw new PageFailure(reason, 'once', { status, retryAfterMs });
      }
      expect(limiter.idle).toBe(atOnce);
      return LAST;
    }, time.process());
    const page = await ended(time, read(REQUEST));
    expect([page.nextCursor, asked, counts.retries]).toEqual([null, 2, 1]);
    expect(time.now()).toBeGreaterThanOrEqual(retryAfterMs ?? 0);
  },
);

test('an API that refuses for good ends the stream within its bound, and nothing is held', async () => {
  const time = virtualTime(chance(1));
  const refused = () => {
    throw new PageFailure('throttled', 'not now', { status: 429, retryAfterMs: 5_000 });
  };
  const { read, budget } = readerOver(refused, time.process());
  await expect(ended(time, read(REQUEST))).rejects.toThrow('not now');
  expect(time.now()).toBeGreaterThan(60_000);
  expect(time.now()).toBeLessThanOrEqual(121_000);
  expect(budget.takeNow(10e6)).not.toBeNull();
});

test('a page that cannot be decoded is one that did not arrive: its memory is given back, and it is asked for again', async () => {
  const time = virtualTime(chance(1));
  const bodies = [Buffer.from('{"code":200,'), LAST];
  const { read, released, budget } = readerOver(() => bodies.shift()!, time.process());
  const page = await ended(time, read(REQUEST));
  expect([page.nextCursor, released()]).toEqual([null, 2]);
  page.release();
  expect(budget.takeNow(10e6)).not.toBeNull();
});

test('a page that takes many tries to have room enough loses none of those that a failure has', async () => {
  const time = virtualTime(chance(1));
  let failures = 0;
  const body = Buffer.concat([LAST, Buffer.alloc(20_000_000 - LAST.length, ' ')]);
  const { read, counts } = readerOver(LAST_PAGE, time.process(), {
    fetchPage: async (_, __, ___, mostBytes = Number.POSITIVE_INFINITY) => {
      if (body.length > mostBytes) throw new PageFailure('outgrown', 'larger');
      if (++failures < 5) throw new PageFailure('interrupted', 'reset');
      return { bytes: body, askedAt: '2026-06-01T12:00:00.000000Z', release: () => {} };
    },
  });
  const page = await ended(time, read(REQUEST));
  expect([page.nextCursor, failures]).toEqual([null, 5]);
  expect(counts.retries).toBeGreaterThan(6);
});

test('pages that suddenly are a hundred times as large are not held beyond twice the budget', async () => {
  const time = virtualTime(chance(1));
  const process = time.process();
  const [small, large] = [300_000, 30_000_000].map((length) =>
    Buffer.concat([LAST, Buffer.alloc(length - LAST.length, ' ')]),
  );
  const budget = 32e6;
  let [held, most, size] = [0, 0, small!];
  const { read } = readerOver(LAST_PAGE, process, {
    budget,
    fetchPage: async (_, __, signal, mostBytes = Number.POSITIVE_INFINITY) => {
      await process.sleep(100, signal);
      if (size.length > mostBytes) throw new PageFailure('outgrown', 'larger');
      held += size.length;
      most = Math.max(most, held);
      const bytes = size;
      const release = () => {
        held -= bytes.length;
      };
      return { bytes, askedAt: '2026-06-01T12:00:00.000000Z', release };
    },
  });
  const readAll = () => Promise.all(Array.from({ length: 64 }, async () => (await read(REQUEST)).release()));
  await ended(time, readAll());
  [most, size] = [0, large!];
  await ended(time, readAll());
  expect(most).toBeLessThanOrEqual(2 * budget);
  expect(held).toBe(0);
});

test('pages have their turn one after another, and the network has some turns between them', async () => {
  let turns = 0;
  let counting = true;
  const count = () => {
    turns++;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const had: [number, number][] = [];
  await Promise.all(
    [1, 2, 3].map(async (page) => {
      await systemTiming.turn();
      had.push([page, turns]);
    }),
  );
  counting = false;
  expect(had.map(([page]) => page)).toEqual([1, 2, 3]);
  const [first, second, third] = had.map(([, at]) => at) as [number, number, number];
  expect([second - first, third - second]).toEqual([3, 3]);
});
