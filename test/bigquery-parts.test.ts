import { crc32, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Call, Client } from '../destinations/bigquery/client.ts';
import { pauseBefore } from '../destinations/bigquery/client.ts';
import { noCosts, quotaWarnings } from '../destinations/bigquery/costs.ts';
import { combineCrc, deflate, gzipMember } from '../destinations/bigquery/gzip.ts';
import { createJobs } from '../destinations/bigquery/jobs.ts';
import { bigqueryKinds, holds } from '../destinations/bigquery/kinds.ts';
import { columnName, labelValue, literal, tableName } from '../destinations/bigquery/names.ts';
import { dayRanges, findsByDay, mergeParts } from '../destinations/bigquery/partitions.ts';
import {
  failureOf,
  isTransient,
  nextMidnightPacific,
  type Trouble,
  troubleOf,
} from '../destinations/bigquery/trouble.ts';
import { STREAMS } from '../schemas/registry.ts';
import { borrowerDeals } from '../schemas/streams/borrower_deals.ts';
import { borrowerSubAccounts } from '../schemas/streams/borrower_sub_accounts.ts';

const DAY_MS = 86_400_000;
const dayText = (number: number) => new Date(number * DAY_MS).toISOString().slice(0, 10);
const dayNumbers = fc.array(fc.integer({ min: 10_000, max: 20_000 }), { minLength: 1, maxLength: 60 });

describe('Pages that were compressed apart', () => {
  test('are one gzip member of all their bytes', () => {
    const texts = fc.array(fc.oneof(fc.uint8Array({ maxLength: 5000 }), fc.constant(new Uint8Array(70_000).fill(97))));
    fc.assert(
      fc.property(texts, (parts) => {
        const member = Buffer.concat(gzipMember(parts.map(deflate)));
        const plain = gunzipSync(member);
        expect(plain.equals(Buffer.concat(parts))).toBe(true);
        expect(member.readUInt32LE(member.length - 8)).toBe(crc32(plain));
        expect(member.readUInt32LE(member.length - 4)).toBe(plain.length);
      }),
    );
  });

  test('have the checksum of the whole also where a part is larger than 4 GB', () => {
    // 2^33 zero bytes leave the checksum of what comes before them as 2^32 of them do twice.
    const half = combineCrc(crc32('a'), combineCrc(0, 0, 2 ** 32), 2 ** 32);
    expect(combineCrc(half, 0, 2 ** 32)).toBe(combineCrc(crc32('a'), 0, 2 ** 33));
  });
});

describe('The days of a batch', () => {
  test('are all in its ranges, which are in order, apart, and not too many', () => {
    fc.assert(
      fc.property(dayNumbers, fc.integer({ min: 1, max: 20 }), (numbers, most) => {
        const days = numbers.map(dayText);
        const ranges = dayRanges(days, most);
        expect(ranges.length).toBeLessThanOrEqual(most);
        for (const day of days) expect(ranges.some(({ since, until }) => since <= day && day < until!)).toBe(true);
        for (const [at, { since }] of ranges.entries()) if (at > 0) expect(since > ranges[at - 1]!.until!).toBe(true);
      }),
    );
  });

  test('are the only ones in them where there are few', () => {
    expect(dayRanges(['2026-03-01', '2026-02-28', '2026-01-05', '2026-03-01'])).toEqual([
      { since: '2026-01-05', until: '2026-01-06' },
      { since: '2026-02-28', until: '2026-03-02' },
    ]);
    expect(dayRanges(['2026-01-01', '2026-01-05', '2026-02-01'], 2)).toEqual([
      { since: '2026-01-01', until: '2026-01-06' },
      { since: '2026-02-01', until: '2026-02-02' },
    ]);
    expect(dayRanges(['9999-12-31'])).toEqual([{ since: '9999-12-31', until: null }]);
    expect(dayRanges(['0001-01-01'])).toEqual([{ since: '0001-01-01', until: '0001-01-02' }]);
    expect(dayRanges([])).toEqual([]);
  });

  const parts = (days: string[], hasUndated = false, everywhere = false) =>
    mergeParts(borrowerSubAccounts, { days: new Set(days), hasUndated }, everywhere);

  test('bound where rows are looked for; those without a day are looked for everywhere, and only those', () => {
    const [dated, undated] = parts(['2026-03-01'], true);
    expect(dated!.among).toContain("timestamp '2026-03-01 00:00:00+00'");
    expect(dated!.among).toContain('is null');
    expect(undated).toEqual({ rows: '_new.`created_at` is null', among: null });
    expect(parts([], true)).toEqual([{ rows: '_new.`created_at` is null', among: null }]);
  });

  test('bound nothing in a full refresh, or where a key is suspected', () => {
    expect(parts(['2026-03-01'], true, true)).toEqual([{ rows: null, among: null }]);
    const batch = { days: new Set(['2026-03-01']), hasUndated: false };
    expect(mergeParts(borrowerDeals, batch, false)).toEqual([{ rows: null, among: null }]);
    expect(findsByDay(borrowerDeals)).toBe(false);
  });

  test('are written by as many jobs as their number takes', () => {
    const many = Array.from({ length: 9_000 }, (_, day) => dayText(day));
    expect(parts(many)).toHaveLength(3);
    expect(parts(many, true, true)).toHaveLength(4);
  });
});

describe('Quotas', () => {
  const costs = (modifications: number, loads: number) => new Map([['deals', { ...noCosts(), modifications, loads }]]);

  test('that an hourly schedule stays far below are not spoken of', () => {
    expect(quotaWarnings(costs(3, 3), 24)).toEqual([]);
  });

  test('that a schedule would pass are told with what to do', () => {
    expect(quotaWarnings(costs(6, 6), 288)).toEqual([expect.stringMatching(/^deals: .* 1728 times a day.*less often/)]);
    expect(quotaWarnings(costs(0, 400), 288)).toEqual([expect.stringMatching(/115200 load jobs a day/)]);
  });
});

describe('Names', () => {
  test('of every stream and column are taken as they are', () => {
    for (const { name, columns } of STREAMS) {
      expect(tableName(name)).toBe(name);
      for (const column of columns) expect(columnName(column.name)).toBe(column.name);
    }
  });

  test('that BigQuery does not take are spelled in its letters', () => {
    expect(columnName('a"b.c')).toBe('a_x22_b_x2e_c');
    expect(columnName('grün 表')).toBe('grün 表');
    expect(columnName('_PARTITIONTIME')).toBe('x_PARTITIONTIME');
    expect(columnName('x'.repeat(400))).toHaveLength(300);
    expect(tableName('a/b')).toBe('a_x2f_b');
    expect(labelValue('Grün/1')).toBe('gr_n_1');
  });

  test('and texts cannot end the literal that they are in', () => {
    expect(literal(`it's \\ "x"\n`)).toBe(`'it\\'s \\\\ "x"\\n'`);
  });
});

describe('Types', () => {
  test.each([
    ['9223372036854775808', true],
    ['18446744073709551615', true],
    ['18446744073709551617', false],
    ['-9223372036854775809', false],
    ['1e400', false],
    ['0.1', true],
    ['1.50', true],
    ['1e3', true],
    ['9007199254740993.5', false],
    ['0.1000000000000000055511151231257827', false],
  ])('JSON holds the number %s: %s', (number, held) => {
    expect(bigqueryKinds.json.holdsNumber(number)).toBe(held);
  });

  test('that a person has widened serve, and narrower ones do not', () => {
    expect(holds('NUMERIC', 'INT64')).toBe(true);
    expect(holds('BIGNUMERIC', 'NUMERIC')).toBe(true);
    expect(holds('FLOAT64', 'INT64')).toBe(false);
    expect(holds('STRING(10)', 'STRING')).toBe(false);
    expect(holds('NUMERIC(10, 2)', 'NUMERIC')).toBe(false);
  });
});

describe('Troubles', () => {
  const trouble = (changes: Partial<Trouble>): Trouble => ({
    ...{ reason: '', status: null, message: '', retryAfterMs: null, cause: undefined },
    ...changes,
  });

  test.each([
    [{ reason: 'backendError' }, true],
    [{ reason: 'rateLimitExceeded', status: 403 }, true],
    [{ reason: 'jobRateLimitExceeded' }, true],
    [{ status: 503 }, true],
    [{ status: 429 }, true],
    [{ reason: 'ECONNRESET' }, true],
    [{ reason: 'quotaExceeded', status: 403 }, false],
    [{ reason: 'invalid', status: 400 }, false],
    [{ reason: 'notFound', status: 404 }, false],
    [{ reason: 'accessDenied', status: 403 }, false],
    [{ reason: 'invalidQuery', message: 'Transaction is aborted due to concurrent update against table x' }, true],
  ])('%o passes by itself: %s', (changes, transient) => {
    expect(isTransient(trouble(changes))).toBe(transient);
  });

  test('of every kind are told without a word of BigQuery that could hold a value', () => {
    for (const reason of ['invalid', 'invalidQuery', 'quotaExceeded', 'accessDenied', 'notFound', 'stopped', '']) {
      const failure = failureOf(trouble({ reason, message: `Bad value 'secret'; Value: secret` }), 'write deals');
      expect(failure.message).toMatch(/^BigQuery: cannot write deals: /);
      expect(failure.message).not.toContain('secret');
    }
  });

  test('wait twice as long each time, up to a bound, and as long as the server asks', () => {
    const pauses = [1, 2, 3, 20].map((attempt) => pauseBefore(attempt, trouble({}), () => 1));
    expect(pauses).toEqual([500, 1000, 2000, 32_000]);
    expect(pauseBefore(1, trouble({ retryAfterMs: 7000 }), () => 0)).toBe(7000);
  });

  test('read what the server asks in seconds or as a date', () => {
    const of = (header: string) =>
      troubleOf({ code: 429, response: { headers: { 'retry-after': header } } }).retryAfterMs;
    expect(of('3')).toBe(3000);
    expect(of(new Date(Date.now() + 60_000).toUTCString())).toBeGreaterThan(50_000);
    expect(of('soon')).toBeNull();
  });

  test('of quotas end at midnight in California', () => {
    expect(nextMidnightPacific(new Date('2026-01-15T12:30:00Z'))).toBe('2026-01-16T08:00:00.000Z');
    expect(nextMidnightPacific(new Date('2026-07-15T06:59:00Z'))).toBe('2026-07-15T07:00:00.000Z');
  });
});

describe('A job', () => {
  const answers = (table: string, outputRows = '1') => ({
    configuration: { load: { destinationTable: { datasetId: 'cleargrid', tableId: table } } },
    status: { state: 'DONE' },
    statistics: { load: { outputRows } },
  });

  /** Every insert is answered 409; what a look at a job finds is given. */
  function taken(look: (id: string) => object) {
    const inserted: string[] = [];
    const client: Client = {
      uploads: 'https://uploads',
      sleep: async () => {},
      async call<T>({ method, path, json }: Call): Promise<T> {
        if (method === 'GET') return look(path.split('/').at(-1)!) as T;
        inserted.push((json as { jobReference: { jobId: string } }).jobReference.jobId);
        throw failureOf(troubleOf({ code: 409, errors: [{ reason: 'duplicate' }] }), 'load');
      },
    };
    const jobs = createJobs({
      ...{ client, place: { project: 'p', dataset: 'cleargrid' }, location: 'US' },
      ...{ maximumBytesBilled: null, runId: () => null, random: () => 0 },
    });
    const load = { table: 'mine', schema: [], chunks: [], lines: 1, replaces: true };
    return { inserted, load: () => jobs.load(load, { what: 'load', digest: 'the same' }) };
  }

  test('whose id is known counts where it wrote to that table', async () => {
    const { inserted, load } = taken(() => answers('mine'));
    expect((await load()).id).toBe(inserted[0]);
    expect(inserted).toHaveLength(1);
  });

  test("that is another's leaves its id to that one", async () => {
    const { inserted, load } = taken((id) => answers(id.endsWith('_1') ? 'somebody else' : 'mine'));
    await load();
    expect(inserted.map((id) => id.slice(-2))).toEqual(['_1', '_2']);
  });

  test('that found fewer rows than were sent is no success', async () => {
    await expect(taken(() => answers('mine', '0')).load()).rejects.toMatchObject({ kind: 'system_error' });
  });
});
