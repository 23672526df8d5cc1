import { describe, expect, test } from 'vitest';
import { businessDate, integer, text, timestamp } from '../../schemas/kinds.ts';
import { defineStream, type Stream } from '../../schemas/stream.ts';
import { at } from './streams.ts';
import { newPosition, type Visit } from './visit.ts';

/** 63 bytes is the longest name that Postgres takes whole; two of them differ only at their end. */
const long = 'a_name_as_long_as_the_most_narrow_of_all_databases_takes_them_';

export const HOSTILE_NAMES: readonly string[] = [
  ...[
    'select',
    'table',
    'order',
    'user',
    'a b',
    ' ',
    'a"b',
    '"',
    "it's",
    'a`b',
    'a\\b',
    'a;drop table x;--',
    'a.b',
    '$1',
  ],
  ...[
    'grün',
    '表',
    '😀',
    '0',
    'a/b',
    '%s',
    '{x}',
    '__proto__',
    'constructor',
    'rowid',
    't',
    'n',
    `${long}1`,
    `${long}2`,
  ],
];

/** Rule: identifiers are always quoted. */
export function identifiersSuite(visit: Visit, names: readonly string[]): void {
  const stream = (name: string, columns: readonly string[]): Stream => ({
    ...defineStream({
      name,
      description: `Named ${name}`,
      dataset: { section: 'S1', code: 'D01', paging: 'direct' },
      cursor: 'updated_at',
      columns: {
        public_id: text,
        ...Object.fromEntries(columns.map((column) => [column, text.describe(`It's "${column}"`)])),
        updated_at: timestamp,
      },
    }),
    primaryKey: ['public_id', columns[0]!],
  });

  describe('quotes names so that', () => {
    test('a table may have columns of any name', async () => {
      const odd = stream('odd', names);
      const record = (value: string) => ({
        ...Object.fromEntries([
          ['public_id', 'a'],
          ['updated_at', at(1)],
        ]),
        ...Object.fromEntries(names.map((name, index) => [name, index === 0 ? 'key' : `${value} ${index}`])),
      });
      const { write, table } = await visit.open([odd]);
      await write(odd, [{ askedAt: at(10), records: [record('first')] }]);
      expect(await write(odd, [{ askedAt: at(20), records: [record('second')] }])).toMatchObject({ written: 1 });
      const row = await visit.row(odd, 'a');
      names.forEach((name, index) => {
        expect(row[name]).toBe(index === 0 ? 'key' : `second ${index}`);
      });
      const refresh = { started: at(30), pass: 1, since: null, until: null };
      const changes = [{ type: 'begin', position: newPosition(odd, { refresh }) }] as const;
      await write(odd, [{ askedAt: at(31), records: [record('third')] }], { changes, refresh });
      const request = { since: null, until: null, at: at(40), allowMassDelete: false };
      expect(await table(odd).finishRefresh(request)).toEqual({ deleted: 0 });
    });

    test('columns of any name may be added to it', async () => {
      const narrow = stream('odd', names.slice(0, 1));
      const record = {
        public_id: 'a',
        updated_at: at(1),
        ...Object.fromEntries(names.map((name) => [name, `${name}!`])),
      };
      await (await visit.open([narrow])).write(narrow, [{ askedAt: at(10), records: [record] }]);
      const odd = stream('odd', names);
      const { write } = await visit.open([odd]);
      const row = await visit.row(odd, 'a');
      expect(row._extra).toBeNull();
      for (const name of names) expect(row[name]).toBe(`${name}!`);
      expect(await write(odd, [{ askedAt: at(20), records: [record] }])).toMatchObject({ unchanged: 1 });
    });

    test('tables of any name live beside one another', async () => {
      const streams = names.map((name) => stream(name, ['key']));
      const { write, position } = await visit.open(streams);
      const refresh = { started: at(30), pass: 1, since: null, until: null };
      for (const [index, each] of streams.entries()) {
        const changes = [{ type: 'begin', position: newPosition(each, { refresh }) }] as const;
        const records = [{ public_id: `${index}`, key: 'k', updated_at: at(1) }, { public_id: null }];
        await write(each, [{ askedAt: at(10), records }], { changes, refresh });
      }
      for (const [index, each] of streams.entries()) {
        expect(await visit.rows(each.name)).toMatchObject([{ public_id: `${index}` }]);
        expect((await position(each)).parsed.refresh).toEqual(refresh);
      }
      expect(await visit.rows('_cleargrid_rejects')).toHaveLength(names.length);
      const next = await visit.open(streams);
      for (const each of streams) {
        const request = { since: null, until: null, at: at(40), allowMassDelete: false };
        expect(await next.table(each).finishRefresh(request)).toEqual({ deleted: 0 });
      }
    });

    test('a column may be called as a part of a statement is', async () => {
      const columns = [
        'at',
        'since',
        'until',
        'stream',
        'position',
        'token',
        'seen',
        'written',
        'held',
        'wins',
        'version',
      ];
      const odd = defineStream({
        name: 'positions',
        description: '',
        dataset: { section: 'S1', code: 'D01', paging: 'direct' },
        cursor: 'updated_at',
        columns: {
          public_id: text,
          ...Object.fromEntries(columns.map((column) => [column, integer])),
          day: businessDate,
          updated_at: timestamp,
        },
      });
      const { write } = await visit.open([odd]);
      const record = { public_id: 'a', day: '01/02/2026', updated_at: at(1), wins: 1, held: 2 };
      await write(odd, [{ askedAt: at(10), records: [record] }]);
      expect(await visit.row(odd, 'a')).toMatchObject({ wins: 1, held: 2, at: null, day_parsed: '2026-02-01' });
    });
  });
}
