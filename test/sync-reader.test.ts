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

/** A reader over a source that answers by `answer`, and what it shares with the run. */
function readerOver(answer: () => Buffer, timing: Timing) {
  const limiter = createLimiter(8);
  const [budget, counts] = [createBudget(10e6), newCounts()];
  let released = 0;
  const source = {
    fetchPage: async () => ({ bytes: answer(), askedAt: '2026-06-01T12:00:00.000000Z', release: () => released++ }),
  } as unknown as Source;
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
