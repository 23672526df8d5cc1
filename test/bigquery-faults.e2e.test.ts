import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bigqueryDestination } from '../destinations/bigquery/destination.ts';
import type { Committed, Destination, Table } from '../destinations/contract.ts';
import { LockedFailure } from '../destinations/failure.ts';
import type { Position, PositionChange, Refresh } from '../destinations/position.ts';
import type { Stream } from '../schemas/stream.ts';
import { type Front, startFront } from './bigquery-front.ts';
import { startEmulator } from './bigquery-server.ts';
import { type BigqueryTarget, bigqueryTarget, quickly } from './bigquery-target.ts';
import { at, deals } from './destination-suite/streams.ts';
import { newPosition, newWindow, type PageOf, pageOf, prepare } from './destination-suite/visit.ts';

const emulator = await startEmulator();
afterAll(() => emulator?.stop());

const deal = (publicId: string, updated: number, more: object = {}) => ({
  ...{ public_id: publicId, name: `${publicId} at ${updated}`, updated_at: at(updated), created_at: at(1) },
  ...more,
});
const page = (...records: object[]): PageOf => ({ askedAt: at(20), records });

describe.skipIf(emulator === null)('BigQuery (an emulator with faults; needs an emulator)', () => {
  let front: Front;
  let target: BigqueryTarget;
  let opened: Destination[] = [];
  let runs = 0;

  beforeAll(async () => {
    front = await startFront(emulator!.endpoint);
  });
  afterAll(() => front.close());
  beforeEach(() => {
    target = bigqueryTarget(emulator!.project, front.endpoint, emulator!.endpoint);
    front.jobs.length = 0;
  });
  afterEach(async () => {
    for (const destination of opened) await destination.close();
    opened = [];
    await target.remove();
    expect(front.left).toBe(0);
  });

  function destination(): Destination {
    const made = target.destination();
    opened.push(made);
    return made;
  }

  async function open(stream: Stream = deals, in_: Destination = destination()) {
    const run = {
      id: `run-${++runs}`,
      command: 'sync',
      startedAt: at(runs),
      fullRefresh: new Set<string>(),
      warn: () => {},
    };
    const table = (await in_.open([stream], run)).get(stream.name)!;
    return { run, table, destination: in_, write: writing(in_, table, stream), position: () => positionOf(table) };
  }

  function writing(in_: Destination, table: Table, stream: Stream) {
    return (pages: PageOf[], changes: PositionChange[] = [], refresh: Refresh | null = null): Promise<Committed> => {
      const prepared = pages.map((one) => prepare(table, stream, in_.kinds, one));
      return table.commit({ pages: prepared, changes, refresh });
    };
  }

  async function positionOf(table: Table) {
    const { document, ...facts } = await table.position();
    return { ...facts, parsed: JSON.parse(document ?? 'null') as Position | null };
  }

  async function rows(name = 'deals') {
    const found = await Array.fromAsync(destination().query(`select * from ${target.spell(name)}`));
    return found.sort((a, b) => (String(a.public_id) < String(b.public_id) ? -1 : 1));
  }

  /** A run whose stream has a table with one row. */
  async function loaded() {
    const run = await open();
    await run.write([page(deal('a', 10))], [begin()]);
    front.jobs.length = 0;
    return run;
  }

  const begin = (changes: Partial<Position> = {}): PositionChange => ({
    type: 'begin',
    position: newPosition(deals, changes),
  });
  const loads = () => front.jobs.filter(({ configuration }) => configuration.load);
  const commits = () =>
    front.jobs.filter(({ configuration }) => configuration.query?.query.startsWith('declare written'));
  const ids = (jobs: readonly { id: string }[]) => jobs.map(({ id }) => id.slice(-8));

  describe('takes', () => {
    test('one load and one transaction for a batch of many pages, and no load for a position alone', async () => {
      const { write } = await loaded();
      await write([page(deal('b', 10), deal('c', 10)), page(deal('d', 10)), page({ public_id: null })]);
      expect([loads().length, front.jobs.length]).toEqual([1, 2]);
      expect(loads()[0]!.lines).toHaveLength(4);
      await write([], [{ type: 'seen', value: at(10) }]);
      await write([page()], [{ type: 'seen', value: at(11) }]);
      expect([loads().length, front.jobs.length]).toEqual([1, 4]);
    });

    test('account of jobs, bytes and changes, by stream', async () => {
      const run = await loaded();
      const { jobs, loads, bytesLoaded, modifications } = (await run.destination.costs())!.streams.get('deals')!;
      await run.write([page(deal('b', 10))]);
      const after = (await run.destination.costs())!.streams.get('deals')!;
      expect([after.jobs - jobs, after.loads - loads, after.modifications - modifications]).toEqual([2, 1, 1]);
      expect(after.bytesLoaded - bytesLoaded).toBeGreaterThan(50);
      expect((await run.destination.costs())!.warnings).toEqual([]);
    });

    test('a dry run to tell what a batch would read, and writes nothing for it', async () => {
      const { destination: in_ } = await open();
      const first = pageOf(deals, in_.kinds, page(deal('b', 10)));
      expect(await in_.estimate(deals, first)).toBeNull();
      await in_.close();
      const run = await loaded();
      expect(await run.destination.estimate(deals, first)).toBeGreaterThanOrEqual(0);
      expect(front.jobs.map(({ configuration }) => configuration.dryRun)).toEqual([true]);
      expect(front.jobs[0]!.configuration.query!.query).toMatch(/^merge .*deals/);
      expect(await rows()).toHaveLength(1);
    });

    test('what it may be billed from the config, for every query', async () => {
      const limited = bigqueryDestination({ ...target.config, maximum_bytes_billed: 12_345 }, quickly);
      opened.push(limited);
      await open(deals, limited);
      const queries = front.jobs.map(({ configuration }) => configuration.query).filter((query) => query !== undefined);
      expect(queries.length).toBeGreaterThan(0);
      for (const query of queries) expect(query.maximumBytesBilled).toBe('12345');
    });
  });

  describe('fault 18: survives', () => {
    test.each([
      ['a load that was accepted and answered 503', { at: 'load', how: 'accepted', status: 503 }],
      ['a load that was accepted and never answered', { at: 'load', how: 'unanswered' }],
      ['a transaction that was accepted and answered 503', { at: 'query', how: 'accepted', status: 503 }],
      ['a transaction that was accepted and never answered', { at: 'query', how: 'unanswered' }],
    ] as const)('%s, and does nothing twice', async (_, fault) => {
      const { write, position } = await loaded();
      front.fail({ ...fault, ...(fault.at === 'query' ? { sql: /^declare written/ } : {}) });
      expect(await write([page(deal('a', 11), deal('b', 10))])).toMatchObject({ written: 2, unchanged: 0 });
      const twice = fault.at === 'load' ? loads() : commits();
      expect(ids(twice)).toEqual([ids(twice)[0], ids(twice)[0]]);
      expect(await rows()).toMatchObject([{ name: 'a at 11' }, { name: 'b at 10' }]);
      expect((await position()).parsed).toMatchObject({ rows: true });
    });

    test.each(['load', 'query'] as const)('a %s that is DONE with a backendError', async (kind) => {
      const { write } = await loaded();
      const failed = { at: kind, how: 'failed', reason: 'backendError' } as const;
      front.fail({ ...failed, ...(kind === 'query' ? { sql: /^declare written/ } : {}) });
      expect(await write([page(deal('b', 10))])).toMatchObject({ written: 1 });
      const tried = kind === 'load' ? loads() : commits();
      expect(tried.map(({ id }) => id.slice(-2))).toEqual(['_1', '_2']);
      expect(tried[0]!.id.slice(0, -2)).toBe(tried[1]!.id.slice(0, -2));
      expect(await rows()).toHaveLength(2);
    });

    test('too many requests, of whatever kind', async () => {
      const { write } = await loaded();
      front.fail(
        { at: 'load', how: 'refused', status: 403, reason: 'rateLimitExceeded' },
        { at: 'load', how: 'failed', reason: 'jobRateLimitExceeded' },
        { at: 'query', how: 'refused', status: 429, reason: 'rateLimitExceeded', retryAfter: '1' },
        { at: 'job', how: 'refused', status: 500, reason: 'internalError' },
      );
      expect(await write([page(deal('b', 10))])).toMatchObject({ written: 1 });
    });

    test('a connection that drops in the middle of an upload, twice', async () => {
      const { write } = await loaded();
      front.fail({ at: 'load', how: 'dropped' }, { at: 'load', how: 'dropped' });
      const many = Array.from({ length: 3000 }, (_, index) => deal(`many ${index}`, 10));
      expect(await write([page(...many)])).toMatchObject({ written: 3000 });
      expect(await rows()).toHaveLength(3001);
    });

    test('a transaction that another one has cancelled', async () => {
      const { write } = await loaded();
      const message = 'Transaction is aborted due to concurrent update against table deals. Transaction ID: x';
      front.fail({ at: 'query', sql: /^declare written/, how: 'failed', reason: 'invalidQuery', message });
      expect(await write([page(deal('b', 10))])).toMatchObject({ written: 1 });
      expect(commits()).toHaveLength(2);
    });

    test('a quota that is used up, by stopping at once and saying when there is more', async () => {
      const { write, position } = await loaded();
      const before = await position();
      front.fail({ at: 'load', how: 'failed', reason: 'quotaExceeded', message: 'Quota exceeded: imports per table' });
      const attempt = write([page(deal('b', 10))]);
      await expect(attempt).rejects.toMatchObject({ kind: 'transient_error' });
      await expect(attempt).rejects.toThrow(/quota .* at \d{4}-\d\d-\d\dT\d\d:00:00\.000Z/);
      expect(loads()).toHaveLength(1);
      expect(await position()).toEqual(before);
      expect(await write([page(deal('b', 10))])).toMatchObject({ written: 1 });
    });

    test('a load that fails on a row, by naming the field and never the value', async () => {
      const { write } = await loaded();
      const message = "Could not convert value 'very secret' to integer. Field: count; Value: very secret";
      front.fail({ at: 'load', how: 'failed', reason: 'invalid', message });
      const attempt = write([page(deal('b', 10))]);
      await expect(attempt).rejects.toMatchObject({ kind: 'system_error', message: /count/ });
      await expect(attempt).rejects.not.toThrow(/secret/);
      expect(loads()).toHaveLength(1);
    });

    test('a missing right, by naming the roles', async () => {
      const { write } = await loaded();
      front.fail({ at: 'load', how: 'refused', status: 403, reason: 'accessDenied', message: 'Access Denied' });
      const attempt = write([page(deal('b', 10))]);
      await expect(attempt).rejects.toMatchObject({ kind: 'config_error', message: /roles\/bigquery\.jobUser/ });
    });
  });

  describe('loads first so that', () => {
    const plan: PositionChange = {
      ...{ type: 'plan', from: null, until: at(50), refresh: null },
      windows: [newWindow(null, at(30)), newWindow(at(30), at(50))],
    };
    const ends = (until: string): PositionChange => ({ type: 'window', until, becomes: [] });

    test('nobody sees a part of the table, and it is made at the end, complete and once per key', async () => {
      const { write, position, run } = await open();
      expect(await write([page(deal('a', 10), deal('b', 10))], [begin(), plan])).toMatchObject({ written: 2 });
      const { table, holdsRows } = await position();
      expect(holdsRows).toBe(true);
      await expect(rows()).rejects.toThrow(/refuses the query/);
      await write([page(deal('a', 11))], [ends(at(30))]);
      await expect(rows()).rejects.toThrow(/refuses the query/);

      const last = await write([page(deal('a', 9), deal('c', 10))], [ends(at(50))]);
      expect(last).toMatchObject({ written: 0 });
      expect(await rows()).toMatchObject([{ name: 'a at 11' }, { name: 'b at 10' }, { name: 'c at 10' }]);
      expect((await position()).table).not.toBe(table);
      expect((await position()).parsed).toMatchObject({ complete: at(50), rows: true });
      expect(await target.session.catalog.table('_cleargrid_loading_deals')).toBeNull();
      expect(run.id).toMatch(/run/);
    });

    test('fault 1: a run that ends between the table and its position is gone on with', async () => {
      const { write, position, destination: in_ } = await open();
      await write([page(deal('a', 10))], [begin(), plan]);
      const before = await position();
      front.fail({ at: 'query', sql: /^declare written/, how: 'refused', status: 400, reason: 'invalid' });
      await expect(write([page(deal('b', 10))], [ends(at(30)), ends(at(50))])).rejects.toThrow(/cannot write deals/);
      expect(await rows()).toHaveLength(2);
      expect(await position()).toEqual(before);
      await in_.close();

      const next = await open();
      expect(await next.position()).toEqual(before);
      const again = await next.write([page(deal('b', 10))], [ends(at(30)), ends(at(50))]);
      expect(again).toMatchObject({ written: 0, unchanged: 1 });
      const after = await next.position();
      expect(after.parsed).toMatchObject({ table: after.table, complete: at(50) });
      expect(await rows()).toHaveLength(2);
    });

    test('fault 1: a load whose position was never stored is loaded again, and is there once', async () => {
      const { write } = await open();
      await write([page(deal('a', 10))], [begin(), plan]);
      front.fail({ at: 'query', sql: /^declare written/, how: 'refused', status: 400, reason: 'invalid' });
      await expect(write([page(deal('b', 10))], [ends(at(30))])).rejects.toThrow(/cannot write deals/);
      await write([page(deal('b', 10))], [ends(at(30))]);
      expect(await write([page(deal('c', 10))], [ends(at(50))])).toMatchObject({ rejects: 0 });
      expect((await rows()).map(({ public_id }) => public_id)).toEqual(['a', 'b', 'c']);
    });

    test('a full refresh that begins meanwhile finds the rows that are there', async () => {
      const { write, table } = await open();
      await write([page(deal('a', 10), deal('b', 10))], [begin(), plan]);
      const refresh = { started: at(60), pass: 1, since: null, until: null };
      await write([], [begin({ refresh })], refresh);
      expect(await rows()).toHaveLength(2);
      await write([page(deal('a', 9))], [], refresh);
      const finished = await table.finishRefresh({ since: null, until: null, at: at(70), allowMassDelete: false });
      expect(finished).toEqual({ deleted: 1 });
      expect(await rows()).toMatchObject([{ name: 'a at 9', _deleted_at: null }, { _deleted_at: at(70) }]);
    });
  });

  describe('fault 17: of two runs', () => {
    test('that begin at once, one is refused', async () => {
      await (await open()).destination.close();
      const attempts = await Promise.allSettled([open(), open()]);
      const refused = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []));
      expect(refused).toHaveLength(1);
      expect(refused[0]).toBeInstanceOf(LockedFailure);
    });

    test('the one that slept writes nothing once the other has taken over, and takes nothing from it', async () => {
      const slept = await loaded();
      const before = await slept.position();
      await target.run(
        `update ${target.spell('_cleargrid_leases')} set expires_at = timestamp '2000-01-01' where true`,
      );
      const other = await open();
      const late = slept.write([page(deal('late', 10))], [{ type: 'seen', value: at(30) }]);
      await expect(late).rejects.toMatchObject({ kind: 'transient_error', message: /taken it over/ });
      await slept.destination.close();
      expect(await other.position()).toEqual(before);
      expect(await other.write([page(deal('other', 10))])).toMatchObject({ written: 1 });
      expect((await rows()).map(({ public_id }) => public_id)).toEqual(['a', 'other']);
      await expect(open()).rejects.toBeInstanceOf(LockedFailure);
    });

    test('a late position of the former never counts', async () => {
      const slept = await loaded();
      await target.run(
        `update ${target.spell('_cleargrid_leases')} set expires_at = timestamp '2000-01-01' where true`,
      );
      const other = await open();
      const before = await other.position();
      await target.run(`insert into ${target.spell('_cleargrid_positions')} (stream, token, sequence, run_id, position)
select 'deals', min(token) - 1, 99, '${slept.run.id}', json '{"late":true}' from ${target.spell('_cleargrid_positions')}`);
      expect(await other.position()).toEqual(before);
    });
  });

  describe('fault 19: finds', () => {
    test('positions that are gone beside a table that holds rows', async () => {
      await (await loaded()).destination.close();
      await target.run(`delete from ${target.spell('_cleargrid_positions')} where true`);
      expect(await (await open()).position()).toMatchObject({
        parsed: null,
        holdsRows: true,
        table: expect.any(String),
      });
    });

    test('a dataset in another place, or one that forgets its tables', async () => {
      await (await loaded()).destination.close();
      const elsewhere = bigqueryDestination({ ...target.config, location: 'EU' }, quickly);
      await expect(elsewhere.check()).rejects.toMatchObject({ kind: 'config_error', message: /is in US/ });
      await target.run(`alter schema \`${target.config.dataset}\` set options (default_table_expiration_days = 3)`);
      await expect(destination().check()).rejects.toMatchObject({ kind: 'config_error', message: /expiration/ });
    });
  });

  test("fault 24: others' columns, views and labels are all there after widening and a full refresh", async () => {
    const before: Stream = { ...deals, columns: deals.columns.filter(({ name }) => name !== 'count') };
    const first = await open(before);
    await first.write([page(deal('a', 10, { count: 1 }))], [{ type: 'begin', position: newPosition(before) }]);
    await first.destination.close();
    const table = target.spell('deals');
    const { fields, etag } = (await target.session.catalog.table('deals'))!;
    const note = { name: 'note', type: 'STRING', mode: 'NULLABLE', description: 'ours' };
    await target.session.catalog.changeSchema('deals', [...fields, note], etag);
    await target.run(`update ${table} set note = 'mine' where true`);
    await target.run(`create view ${target.spell('a view')} as select public_id, note from ${table}`);

    const { write, table: opened, position } = await open();
    const refresh = { started: at(60), pass: 1, since: null, until: null };
    await write([], [begin({ refresh, table: (await position()).table })], refresh);
    await write([page(deal('a', 11, { count: 2 }))], [], refresh);
    await opened.finishRefresh({ since: null, until: null, at: at(70), allowMassDelete: false });
    expect(await rows()).toMatchObject([{ name: 'a at 11', count: 2, note: 'mine' }]);
    expect(await rows('a view')).toEqual([{ public_id: 'a', note: 'mine' }]);
    const after = (await target.session.catalog.table('deals'))!.fields;
    expect(after.find(({ name }) => name === 'note')).toMatchObject(note);
    expect(after.some(({ description }) => description?.includes('being filled'))).toBe(false);
  });

  test('fault 22: an address where nobody listens is told in time, as what it is', async () => {
    const nowhere = bigqueryDestination({ ...target.config, api_endpoint: 'http://127.0.0.1:9' }, quickly);
    await expect(nowhere.check()).rejects.toMatchObject({ kind: 'transient_error', message: /ECONNREFUSED/ });
  });
});
