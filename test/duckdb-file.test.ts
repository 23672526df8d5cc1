import { existsSync, statSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Destination, Run } from '../destinations/contract.ts';
import { duckdbDestination } from '../destinations/duckdb/destination.ts';
import { duckdbFailure } from '../destinations/duckdb/errors.ts';
import { quote } from '../destinations/duckdb/sql.ts';
import type { Stream } from '../schemas/stream.ts';
import { at, deals } from './destination-suite/streams.ts';
import { newPosition, pageOf } from './destination-suite/visit.ts';
import { type DuckdbTarget, duckdbTarget } from './duckdb-target.ts';

let target: DuckdbTarget;
let destination: Destination;

beforeEach(async () => {
  target = await duckdbTarget();
  destination = target.destination();
});
afterEach(async () => {
  await destination.close();
  await target.remove();
});

const run: Run = { id: 'a run', command: 'sync', startedAt: at(1), fullRefresh: new Set(), warn: () => {} };
const open = async (stream: Stream = deals) => (await destination.open([stream], run)).get(stream.name)!;
const inFile = (path: string, more: object = {}) =>
  duckdbDestination({ type: 'duckdb', path, schema: 'main', ...more });

async function load(records: object[] = [{ public_id: 'a', updated_at: at(1) }]) {
  const table = await open();
  const page = () => table.prepare(pageOf(deals, destination.kinds, { askedAt: at(10), records }));
  const begin = { type: 'begin', position: newPosition(deals) } as const;
  await table.commit({ pages: [page()], changes: [begin], refresh: null });
  return { table, page };
}

async function all(sql: string): Promise<Readonly<Record<string, unknown>>[]> {
  const rows: Readonly<Record<string, unknown>>[] = [];
  for await (const row of destination.query(sql)) rows.push(row);
  return rows;
}

describe('A path that cannot be a database is refused', () => {
  const refused = async (path: string, message: RegExp) => {
    destination = inFile(path);
    await expect(destination.open([deals], run)).rejects.toMatchObject({ kind: 'config_error', message });
    await expect(destination.check()).rejects.toMatchObject({ kind: 'config_error', message });
  };

  test('when its folder does not exist', async () => {
    await refused(join(target.folder, 'missing', 'x.duckdb'), /folder of .*missing.* does not exist/);
    expect(existsSync(join(target.folder, 'missing'))).toBe(false);
    expect(await destination.positions()).toEqual([]);
  });

  test('when it is a folder', async () => {
    await mkdir(target.path);
    await refused(target.path, /is a folder/);
  });

  test('when it is a file of another kind, which stays as it is', async () => {
    for (const content of ['name,amount\n'.repeat(3000), 'a', `SQLite format 3\0${'\0'.repeat(8000)}`]) {
      await writeFile(target.path, content);
      await refused(target.path, /is no DuckDB database/);
      await expect(destination.positions()).rejects.toMatchObject({ kind: 'config_error' });
      expect(await readFile(target.path, 'utf8')).toBe(content);
    }
  });

  test.each(['data.json', 'data.csv', 'data.parquet'])(
    'when it is a file that DuckDB could read as data: %s',
    async (name) => {
      const path = join(target.folder, name);
      for (const content of ['{"a":1}', 'PAR1 and more than that']) {
        await writeFile(path, content);
        await refused(path, /is no DuckDB database/);
        await expect(destination.positions()).rejects.toMatchObject({ kind: 'config_error' });
        expect(await readFile(path, 'utf8')).toBe(content);
      }
    },
  );

  test('when it is no file at all', () => refused('/dev/null', /is no DuckDB database/));

  test('when what DuckDB may hold in memory is not understood', async () => {
    destination = inFile(target.path, { memory_limit: 'lots' });
    await expect(destination.open([deals], run)).rejects.toMatchObject({
      kind: 'config_error',
      message: /memory_limit/,
    });
  });
});

describe('A database file', () => {
  test('that a kill left unfinished before anything was written is made anew, and that is told', async () => {
    const headers = Buffer.alloc(4096);
    headers.write('DUCK', 8);
    for (const content of [Buffer.alloc(0), headers]) {
      const warnings: string[] = [];
      await writeFile(target.path, content);
      await destination.open([deals], { ...run, warn: (message) => warnings.push(message) });
      await destination.close();
      expect(warnings).toEqual([expect.stringContaining('it is made anew')]);
    }
  });

  test('is one file once it is closed, and has a note of its run beside it while it is open', async () => {
    await load();
    expect(JSON.parse(await readFile(`${target.path}.run`, 'utf8'))).toEqual({
      ...{ run_id: 'a run', command: 'sync', started_at: at(1) },
    });
    await destination.close();
    expect([existsSync(`${target.path}.run`), existsSync(`${target.path}.wal`)]).toEqual([false, false]);
  });

  test('has a column that somebody dropped made again, and the run is told what fills it', async () => {
    await load();
    await destination.close();
    await target.run(`alter table ${target.spell('deals')} drop column name`);
    const told: string[] = [];
    const warn = (message: string) => void told.push(message);
    destination = inFile(target.path);
    await destination.open([deals], { ...run, warn });
    expect(told).toEqual([expect.stringContaining('deals: its table lacked name; made again, and empty')]);
    expect(told[0]).toContain('--streams deals --full-refresh');
  });

  test('is not held by a note that a dead run left', async () => {
    await writeFile(`${target.path}.run`, JSON.stringify({ run_id: 'dead', command: 'sync', started_at: at(0) }));
    await load();
  });

  test('may have a schema of the name of its file', async () => {
    destination = inFile(target.path, { schema: 'warehouse' });
    await load();
    expect(await all('select public_id from deals')).toEqual([{ public_id: 'a' }]);
    expect(await all('select public_id from warehouse.warehouse.deals')).toEqual([{ public_id: 'a' }]);
  });

  test('tells what its tables and columns are', async () => {
    await load();
    const [table] = await all(`select comment from duckdb_tables() where table_name = 'deals'`);
    expect(table!.comment).toBe(deals.description);
    const comments = await all(`select column_name as c, comment from duckdb_columns() where table_name = 'deals'`);
    expect(comments.find(({ c }) => c === 'name')!.comment).toBe("The deal's name");
  });

  test('keeps its identity when somebody describes the table in other words', async () => {
    const { table } = await load();
    const before = await table.position();
    await destination.close();
    await target.run(`comment on table deals is 'Ours'`);
    destination = target.destination();
    expect(await (await open()).position()).toEqual(before);
  });

  test('keeps views and indexes of other people (fault 24)', async () => {
    await load([{ public_id: 'a', updated_at: at(1), name: 'first', more: 1 }]);
    await destination.close();
    await target.run('create view seen as select name from deals', 'create index mine on deals (name)');
    destination = target.destination();
    const wider: Stream = {
      ...deals,
      columns: [...deals.columns, { ...deals.columns[2]!, name: 'more', field: 'more' }],
    };
    const table = await open(wider);
    const records = [{ public_id: 'a', updated_at: at(2), name: 'second', more: 2 }];
    const page = table.prepare(pageOf(wider, destination.kinds, { askedAt: at(10), records }));
    expect(await table.commit({ pages: [page], changes: [], refresh: null })).toMatchObject({ written: 1 });
    expect(await all('select s.name, d.more from seen s, deals d')).toEqual([{ name: 'second', more: 2 }]);
    expect(await all(`select index_name from duckdb_indexes()`)).toContainEqual({ index_name: 'mine' });
  });

  test('takes a column that somebody has widened', async () => {
    await load([{ public_id: 'a', updated_at: at(1), count: 1 }]);
    await destination.close();
    await target.run('alter table deals alter column "count" type hugeint');
    destination = target.destination();
    const table = await open();
    const records = [
      { public_id: 'a', updated_at: at(1), count: 1 },
      { public_id: 'b', count: 2 },
    ];
    const page = table.prepare(pageOf(deals, destination.kinds, { askedAt: at(11), records }));
    expect(await table.commit({ pages: [page], changes: [], refresh: null })).toMatchObject({
      written: 1,
      unchanged: 1,
    });
  });

  test('does not take a table of somebody else for one of ours', async () => {
    await target.run('create table deals (public_id varchar, name varchar)');
    await expect(open()).rejects.toMatchObject({ kind: 'config_error', message: /not made by this connector/ });
  });

  test('does not take a copy in which a key is there twice', async () => {
    await load();
    await destination.close();
    await target.tamper.swapTable('deals');
    await target.run('insert into deals from deals');
    destination = target.destination();
    await expect(open()).rejects.toMatchObject({ kind: 'config_error', message: /several rows of one key/ });
  });

  test('writes a prepared page once, and gives its memory back before it is durable', async () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({ public_id: `${index}`, updated_at: at(1) }));
    const { table, page } = await load(many);
    const prepared = page();
    const batch = { pages: [prepared], changes: [], refresh: null };
    const order: string[] = [];
    const committed = table.commit(batch, () => order.push('taken')).finally(() => order.push('committed'));
    expect(await committed).toMatchObject({ unchanged: 5000 });
    expect(order).toEqual(['taken', 'committed']);
    await expect(table.commit(batch)).rejects.toMatchObject({ kind: 'system_error', message: /committed twice/ });
    expect(await table.commit({ ...batch, pages: [page()] })).toMatchObject({ unchanged: 5000 });
  });

  test('writes a prepared page of few rows once as well', async () => {
    const { table, page } = await load([{ public_id: 'a', updated_at: at(1) }]);
    const batch = { pages: [page()], changes: [], refresh: null };
    expect(await table.commit(batch)).toMatchObject({ unchanged: 1 });
    await expect(table.commit(batch)).rejects.toMatchObject({ kind: 'system_error', message: /committed twice/ });
  });
});

describe('A query', () => {
  test('gives values of every type that JSON knows', async () => {
    await load();
    const sql = `select 170141183460469231731687303715884105727 as large, 0.5::float as half, [1, 2]::bigint[] as list,
      {'a': date '2026-02-01'} as struct, timestamp '2026-02-01 09:15:34.5' as local, date '2026-02-01' as day,
      timestamptz '1969-12-31 23:59:59.000001+00' as early, 'a'::blob as bytes, null as nothing, '\ufeffa' as marked`;
    expect(await all(sql)).toEqual([
      {
        ...{
          large: '170141183460469231731687303715884105727',
          half: 0.5,
          list: ['1', '2'],
          struct: { a: '2026-02-01' },
        },
        ...{ local: '2026-02-01T09:15:34.500000', day: '2026-02-01', early: '1969-12-31T23:59:59.000001Z' },
        ...{ bytes: expect.anything(), nothing: null, marked: '\ufeffa' },
      },
    ]);
  });

  test('may end in a semicolon and a comment, and keeps its order', async () => {
    await load();
    const sql = 'select i from range(5000) t(i) order by (i * 7919) % 5003 -- mixed\n;  ';
    const numbers = (await all(sql)).map(({ i }) => ((i as number) * 7919) % 5003);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(await all('select 1 as a; -- that is all')).toEqual([{ a: 1 }]);
  });

  test('needs a name for each column', async () => {
    await load();
    await expect(all('select 1 as a, 2 as a')).rejects.toMatchObject({ kind: 'config_error', message: /named a/ });
  });

  test('that fails tells nothing of a value', async () => {
    await load([{ public_id: 'secret', updated_at: at(1) }]);
    const failing = all('select public_id::integer as n from deals');
    await expect(failing).rejects.toMatchObject({ kind: 'config_error', message: /Conversion Error/ });
    await expect(failing).rejects.not.toThrow(/secret/);
  });
});

describe('An error of DuckDB', () => {
  test.each([
    ['IO Error: Could not write file "x": No space left on device', 'transient_error'],
    ['FATAL Error: Failed: database has been invalidated because of a previous fatal error', 'transient_error'],
    ['IO Error: Cannot open file "x": Permission denied', 'config_error'],
    ['Out of Memory Error: failed to allocate data of size 16.0 MiB', 'config_error'],
    ['FATAL Error: Failed to create checkpoint: failed to pin block of size 1 KiB (9 MiB/9 MiB used)', 'config_error'],
    ['IO Error: Trying to read a database file with version number 99', 'config_error'],
    [
      'IO Error: Could not read enough bytes from file "x": attempted to read 262144 bytes from location 9',
      'config_error',
    ],
    ['INTERNAL Error: something', 'system_error'],
  ])('is told by who must act: %s', (message, kind) => {
    expect(duckdbFailure(new Error(message), '/data/x.duckdb').kind).toBe(kind);
  });

  test('that names a value is told without it', () => {
    const failure = duckdbFailure(new Error(`Constraint Error: Duplicate key "public_id: secret"`), '/data/x.duckdb');
    expect(failure.message).toContain('Constraint Error');
    expect(`${failure.message} ${String(failure.cause)}`).not.toContain('secret');
  });
});

test('A batch that does not fit into the memory that the config gives is refused, and into ours gets more', async () => {
  const records = Array.from({ length: 60 }, (_, row) => ({ public_id: `${row}`, notes: 'ä"\n'.repeat(250_000) }));
  destination = inFile(target.path, { memory_limit: '48MB' });
  await expect(load(records)).rejects.toMatchObject({
    kind: 'config_error',
    message: expect.stringMatching(/needs more memory .* set "memory_limit" of the destination to more/),
  });
  await destination.close();
  destination = inFile(target.path);
  await load(records);
  expect(await all(`select count(*)::int as n from ${quote(deals.name)}`)).toEqual([{ n: 60 }]);
});

test('A file whose log takes more memory than usual, as large rows and a kill leave it, is opened with more', async () => {
  await load();
  await destination.close();
  const instance = await DuckDBInstance.create(target.path, { memory_limit: '2GB', checkpoint_threshold: '1TB' });
  const connection = await instance.connect();
  const row = `select r::text, repeat('äöü ' || r::text, 10000) from range`;
  await connection.run('create table large (k text, v text)');
  await connection.run(`insert into large ${row}(1200) t(r)`);
  await connection.run('checkpoint');
  await connection.run(`insert into large ${row}(1200, 2000) t(r)`);
  await connection.run('pragma disable_checkpoint_on_shutdown');
  connection.closeSync();
  instance.closeSync();
  expect(statSync(`${target.path}.wal`).size).toBeGreaterThan(30e6);

  destination = inFile(target.path, { memory_limit: '96MB' });
  await expect(open()).rejects.toMatchObject({ kind: 'config_error', message: expect.stringContaining('more memory') });
  await destination.close();
  destination = inFile(target.path);
  await open();
  expect(await all('select count(*)::int as n from large')).toEqual([{ n: 2000 }]);
});

test('Batches of rows with a hundred kilobytes each do not end in the memory that DuckDB usually may hold', async () => {
  const { table } = await load();
  for (let batch = 0; batch < 8; batch++) {
    const records = Array.from({ length: 250 }, (_, row) => ({
      ...{ public_id: `${batch}-${row}`, updated_at: at(2 + batch), pad: `${row}`.padEnd(100_000, 'x') },
    }));
    const page = table.prepare(pageOf(deals, destination.kinds, { askedAt: at(20), records }));
    await table.commit({ pages: [page], changes: [], refresh: null });
  }
  expect(await all(`select count(*)::int as n from ${quote(deals.name)}`)).toEqual([{ n: 2001 }]);
});
