import { describe, expect, test } from 'vitest';
import type { RunRecord } from '../../destinations/contract.ts';
import { LockedFailure } from '../../destinations/failure.ts';
import { at, deals, events } from './streams.ts';
import type { Visit } from './visit.ts';

const record = (minute: number, changes: Partial<RunRecord> = {}): RunRecord => ({
  runId: `run at ${minute}`,
  command: 'sync',
  version: '1.2.3',
  startedAt: at(minute),
  endedAt: null,
  status: 'running',
  summary: null,
  ...changes,
});

/** Rule 11, run records, and `check`. */
export function runsAndLocksSuite(visit: Visit): void {
  const opened = (id: string) => ({
    id,
    command: 'sync',
    startedAt: at(1),
    fullRefresh: new Set<string>(),
    warn: () => {},
  });

  describe('locks streams so that', () => {
    test('a second run gets none of them, and is told by which run and since when', async () => {
      const { run, write } = await visit.open([deals]);
      await write(deals, []);
      const second = visit.destination();
      const attempt = second.open([events, deals], opened('second'));
      await expect(attempt).rejects.toBeInstanceOf(LockedFailure);
      await expect(attempt).rejects.toThrow(run.id);
      await expect(attempt).rejects.toThrow(run.startedAt);
      expect(await write(deals, [{ askedAt: at(20), records: [{ public_id: 'a' }] }])).toMatchObject({ written: 1 });
      expect((await second.positions()).map(({ stream, runId }) => [stream, runId])).toEqual([['deals', run.id]]);
    });

    test('they are free once the run has closed', async () => {
      const first = visit.destination();
      await first.open([deals], opened('first'));
      const attempt = visit.destination().open([deals], opened('second'));
      await first.close();
      await first.close();
      expect((await attempt).size).toBe(1);
    });

    test('closing what was never opened does nothing', async () => {
      await visit.destination().close();
      expect(await visit.target.isUntouched()).toBe(true);
    });
  });

  describe('records runs so that', () => {
    test('the last ones come first, and nothing is made to read them', async () => {
      expect(await visit.destination().runs.recent(5)).toEqual([]);
      expect(await visit.target.isUntouched()).toBe(true);
      const { runs } = visit.destination();
      for (const minute of [2, 1, 3]) await runs.begin(record(minute));
      expect(await runs.recent(2)).toEqual([record(3), record(2)]);
      await visit.closeAll();
      expect(await visit.destination().runs.recent(5)).toEqual([record(3), record(2), record(1)]);
    });

    test('how a run ended takes the place of how it began', async () => {
      const { destination, write } = await visit.open([deals]);
      const { runs } = destination;
      await runs.begin(record(1));
      await write(deals, []);
      const summary = {
        streams: [{ stream: 'deals', rows_written: 3, complete: null }],
        warnings: ['it\'s "odd" \\ 表'],
      };
      const ended = record(1, { endedAt: at(9), status: 'failed', summary });
      await runs.end(ended);
      expect(await runs.recent(5)).toEqual([ended]);
    });
  });

  describe('checks so that', () => {
    test('nothing is left behind where nothing was', async () => {
      const destination = visit.destination();
      await destination.check();
      await destination.close();
      expect(await visit.target.isUntouched()).toBe(true);
    });

    test('what is there stays as it is', async () => {
      const { write } = await visit.open([deals]);
      await write(deals, [{ askedAt: at(20), records: [{ public_id: 'a' }] }]);
      const before = await visit.rows('deals');
      await visit.closeAll();
      const destination = visit.destination();
      await destination.check();
      await destination.check();
      expect(await visit.rows('deals')).toEqual(before);
      expect(await destination.positions()).toHaveLength(1);
    });
  });
}
