import { describe, expect, test } from 'vitest';
import { at, deals } from './streams.ts';
import type { Visit } from './visit.ts';

/** Rows of a SELECT, for `push --query`. */
export function queriesSuite(visit: Visit): void {
  describe('answers queries so that', () => {
    test('values come as numbers where those are exact, else as text', async () => {
      const { write } = await visit.open([deals]);
      const record = (key: string, count: string, amount: string) =>
        `{"public_id":"${key}","count":${count},"amount":${amount},"ratio":-0.000000001,"seconds":0.1,"isOpen":false}`;
      const records = [
        record('a', '9007199254740991', '12.5'),
        record('b', '9007199254740993', '-12345678901234567890123456789.123456789'),
        record('c', '-9223372036854775808', '100'),
      ];
      await write(deals, [{ askedAt: at(20), records }]);
      const values = (await visit.rows('deals')).map(({ count, amount, ratio, seconds, is_open }) => ({
        ...{ count, amount, ratio, seconds, is_open },
      }));
      const same = { ratio: '-0.000000001', seconds: 0.1, is_open: false };
      expect(values).toEqual([
        { ...same, count: 9007199254740991, amount: 12.5 },
        { ...same, count: '9007199254740993', amount: '-12345678901234567890123456789.123456789' },
        { ...same, count: '-9223372036854775808', amount: 100 },
      ]);
    });

    test('rows are streamed, and who stops early leaves nothing open', async () => {
      const { write, destination } = await visit.open([deals]);
      const records = Array.from({ length: 20_000 }, (_, index) => ({ public_id: `${index}` }));
      await write(deals, [{ askedAt: at(20), records }]);
      let rows = 0;
      for await (const row of destination.query(`select * from ${visit.target.spell('deals')}`)) {
        expect(row.public_id).toBeTypeOf('string');
        if (++rows === 3) break;
      }
      expect(rows).toBe(3);
      expect(await visit.rows('deals')).toHaveLength(20_000);
      expect(await write(deals, [{ askedAt: at(30), records: [{ public_id: 'new' }] }])).toMatchObject({ written: 1 });
    });

    test('one that cannot be answered is refused', async () => {
      const { write, destination } = await visit.open([deals]);
      await write(deals, []);
      for (const sql of [`select * from ${visit.target.spell('nothing')}`, 'selekt', '']) {
        const rows = destination.query(sql)[Symbol.asyncIterator]();
        await expect(rows.next()).rejects.toMatchObject({ kind: 'config_error' });
      }
    });

    test('nothing but a SELECT is answered', async () => {
      const { write, destination } = await visit.open([deals]);
      await write(deals, [{ askedAt: at(20), records: [{ public_id: 'a' }] }]);
      const table = visit.target.spell('deals');
      for (const sql of [
        `delete from ${table}`,
        `drop table ${table}`,
        `select * from ${table}; drop table ${table}`,
      ]) {
        const rows = destination.query(sql)[Symbol.asyncIterator]();
        await expect(rows.next()).rejects.toMatchObject({ kind: 'config_error' });
      }
      expect(await visit.rows('deals')).toHaveLength(1);
    });

    test('nothing is made where there is nothing', async () => {
      const rows = visit
        .destination()
        .query(`select * from ${visit.target.spell('deals')}`)
        [Symbol.asyncIterator]();
      await expect(rows.next()).rejects.toMatchObject({ kind: 'config_error' });
      expect(await visit.target.isUntouched()).toBe(true);
    });
  });
}
