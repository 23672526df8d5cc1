import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { memoryDestination } from '../destinations/memory/destination.ts';
import { memoryWarehouse } from '../destinations/memory/warehouse.ts';
import { destinationSuite } from './destination-suite.ts';

destinationSuite('memory', async () => {
  const warehouse = memoryWarehouse();
  const tableOf = (stream: string) => warehouse.tables.get(stream)!;
  return {
    destination: () => memoryDestination(warehouse, { lockWaitMs: 5_000 }),
    spell: (table) => `"${table.replaceAll('"', '""')}"`,
    isUntouched: async () => warehouse.tables.size + warehouse.positions.size + warehouse.runs.size === 0,
    tamper: {
      dropTable: async (stream) => warehouse.dropTable(stream),
      emptyTable: async (stream) => warehouse.truncateTable(stream),
      swapTable: async (stream) => warehouse.swapTable(stream),
      async addColumn(stream, column, value) {
        const table = tableOf(stream);
        table.columns.set(column, 'text');
        for (const [key, row] of table.rows) table.rows.set(key, new Map([...row, [column, value]]));
      },
      narrowColumn: async (stream, column) => void tableOf(stream).columns.set(column, 'smallint'),
      async storeDocument(stream, document) {
        warehouse.positions.set(stream, { ...warehouse.positions.get(stream)!, document });
      },
      dropSeenKeys: async (stream) => void warehouse.seen.delete(stream),
      async takeOver(stream) {
        const stored = warehouse.positions.get(stream)!;
        warehouse.positions.set(stream, { ...stored, token: stored.token + 1 });
      },
    },
    remove: async () => {},
  };
});

test('the README begins with one line for the demo and one for the tests', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const fences = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, lines]) => lines);
  expect(fences.slice(0, 2)).toEqual(['npm ci && npm run demo\n', 'npm ci && npm test\n']);
});

test('the README shows every member of a destination, in order', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, shown] = /\): Destination \{\n {2}return \{\n([\s\S]*?)\n {2}\};/.exec(readme)!;
  const members = [...shown!.matchAll(/^ {4}(\w+)/gm)].map(([, name]) => name);
  expect(members).toEqual(Object.keys(memoryDestination(memoryWarehouse())));
});
