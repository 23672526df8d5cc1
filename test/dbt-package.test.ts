import { globSync, readFileSync } from 'node:fs';
import { data as currencies } from 'currency-codes';
import { describe, expect, test } from 'vitest';
import { stagingColumnDocs, tableColumnDocs } from '../connector/generated/dbt/columns.ts';
import { generatedFiles } from '../connector/generated/files.ts';
import { STREAMS } from '../schemas/registry.ts';
import { tableColumns } from '../schemas/stream.ts';

describe('the dbt package', () => {
  test('has no model that no stream stands behind', () => {
    const found = globSync('dbt/models/**/*.*').filter((path) => !path.endsWith('.md'));
    const made = Object.keys(generatedFiles()).filter((path) => path.startsWith('dbt/'));
    expect(found.toSorted()).toEqual(made.toSorted());
  });

  test.each(STREAMS)('tells of every column of $name', (stream) => {
    expect(tableColumnDocs(stream).map(({ name }) => name)).toEqual(tableColumns(stream));
    for (const { description } of tableColumnDocs(stream)) expect(description).toMatch(/^\S.*\S\.$/);
    const staged = stagingColumnDocs(stream).map(({ name }) => name);
    expect(new Set(staged).size).toBe(staged.length);
    const personal = stream.columns.filter(({ pii }) => pii).map(({ name }) => name);
    const marked = tableColumnDocs(stream).filter(({ pii }) => pii);
    expect(marked.map(({ name }) => name)).toEqual(personal);
  });

  test('knows the currencies that do not have two decimals', () => {
    const macro = readFileSync('dbt/macros/amount.sql', 'utf8');
    const told = [...macro.matchAll(/^ +(\d): \[(.*)\],$/gm)].flatMap(([, digits, codes]) =>
      [...codes!.matchAll(/'(\w{3})'/g)].map(([, code]) => `${code} ${digits}`),
    );
    const others = currencies.filter(({ digits }) => digits !== 2).map(({ code, digits }) => `${code} ${digits}`);
    // What has no decimals because it is no money: metals, bond units, the IMF's, testing.
    expect(others.filter((entry) => !/^X(?!AF|OF|PF)/.test(entry)).toSorted()).toEqual(told.toSorted());
  });
});
