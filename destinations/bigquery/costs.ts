import type { StreamCosts } from '../contract.ts';

/** What a stream costs at BigQuery, counted where its jobs end. */
export type Costs = { -readonly [Name in keyof StreamCosts]: StreamCosts[Name] };

export function noCosts(): Costs {
  return { jobs: 0, loads: 0, bytesLoaded: 0, bytesBilled: 0, modifications: 0 };
}

/**
 * How often a table may be changed a day. Statements (INSERT, MERGE, ...) count, but are never refused for it.
 * https://cloud.google.com/bigquery/docs/quotas#standard_tables
 */
export const TABLE_MODIFICATIONS_A_DAY = 1_500;

/** https://cloud.google.com/bigquery/quotas#load_jobs */
export const LOAD_JOBS_A_DAY = 100_000;

/** Below this part of a quota nothing is said. */
const WORTH_SAYING = 0.8;

/** What a person should know of the daily quotas that a schedule uses: at so many runs a day, each like this one. */
export function quotaWarnings(costs: ReadonlyMap<string, Costs>, runsADay: number): string[] {
  const schedule = `at ${runsADay} runs a day like this one`;
  const tables = [...costs].flatMap(([stream, { modifications }]) => {
    const aDay = modifications * runsADay;
    if (aDay < TABLE_MODIFICATIONS_A_DAY * WORTH_SAYING) return [];
    return [
      `${stream}: ${schedule} its table is changed ${aDay} times a day. Beyond ${TABLE_MODIFICATIONS_A_DAY} BigQuery refuses what others ` +
        'load or copy into it; run less often',
    ];
  });
  const jobs = runsADay * [...costs.values()].reduce((sum, cost) => sum + cost.loads, 0);
  if (jobs < LOAD_JOBS_A_DAY * WORTH_SAYING) return tables;
  return [
    ...tables,
    `${schedule} there are ${jobs} load jobs a day, of ${LOAD_JOBS_A_DAY} that the project may have; run less often`,
  ];
}
