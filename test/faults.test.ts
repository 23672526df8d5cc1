import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/**
 * The faults that are survived with nothing lost, by number. Each is a test that carries its number in its name, as in
 * `fault 3: ...` or `faults 14 to 16: ...`; a number without a test fails here.
 */
const FAULTS: Readonly<Record<number, string>> = {
  1: 'kill -9 at any instant',
  2: 'SIGTERM',
  3: 'resets, short and truncated bodies, HTML or nothing under 200',
  4: '429, 500, 502, 503, 504',
  5: 'tokens that expire, refreshes that fail, a 401 that no token cures',
  6: 'silence after the headers, one byte every 10 s',
  7: 'repeated pages, cursors that loop or are rejected',
  8: 'short and empty pages before the end',
  9: 'rows that change while they are read',
  10: 'late commits, wrong clocks, very many rows of one instant',
  11: 'dates that are none',
  12: 'keys that are none, or come twice',
  13: 'fields and values that nobody foresaw',
  14: 'a database that restarts, fails over, or has no connection left',
  15: 'a full disk',
  16: 'deadlocks, serialization failures, lock timeouts',
  17: 'the same job twice, and a run that wakes after another took over',
  18: "BigQuery's own faults",
  19: 'positions that are missing, damaged, newer or of another lender',
  20: 'a slow destination, rows of 1 MB, 64 windows',
  21: 'one dataset that fails',
  22: 'names, certificates, proxies and routes',
  23: 'a wall clock that steps',
  24: "columns, views, grants, triggers and indexes of the tables' users",
  25: 'a full refresh that would mark most of a table deleted',
};

const names = globSync('test/**/*.test.ts')
  .concat(globSync('test/destination-suite/*.ts'))
  .filter((file) => !file.endsWith('/faults.test.ts'))
  .flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/['"`][^'"`\n]*?\bfaults? (\d[\d, toand]*)/g)].map(
      ([, numbers]) => numbers!,
    ),
  );

test.each(Object.entries(FAULTS))('fault %s is tested by its number: %s', (number) => {
  expect(names.some((text) => numbersIn(text).includes(Number(number)))).toBe(true);
});

/** `3`, `3, 4 and 6`, `14 to 16`. */
function numbersIn(text: string): number[] {
  const [range] = text.matchAll(/(\d+) to (\d+)/g);
  const single = [...text.matchAll(/\d+/g)].map(Number);
  if (!range) return single;
  const [from, to] = [Number(range[1]), Number(range[2])];
  return [...single, ...Array.from({ length: to - from + 1 }, (_, step) => from + step)];
}
