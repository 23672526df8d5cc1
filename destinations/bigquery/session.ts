import type { BigqueryConfig } from '../config.ts';
import { type Catalog, createCatalog } from './catalog.ts';
import { type Client, type ClientOptions, createClient } from './client.ts';
import { createJobs, type Job, type JobOptions, type Jobs, type Load, type Statement } from './jobs.ts';
import type { Place } from './names.ts';
import { type ResultRow, resultRows } from './results.ts';

/** All that is done at BigQuery goes through here. */
export interface Session {
  readonly place: Place;
  readonly catalog: Catalog;
  /** Runs a statement or several to their end. */
  run(statement: Statement, options: JobOptions): Promise<Job>;
  /** The same, and reads all rows that the last one answers. */
  rows(statement: Statement, options: JobOptions): Promise<ResultRow[]>;
  /** The same, row by row. */
  stream(statement: Statement, options: JobOptions): AsyncIterable<ResultRow>;
  load(load: Load, options: JobOptions): Promise<Job>;
  dryRun: Jobs['dryRun'];
  /** The run that later jobs are labelled with. */
  labelWith(runId: string): void;
  readonly sleep: Client['sleep'];
  readonly random: () => number;
}

export function openSession(config: BigqueryConfig, timing: ClientOptions): Session {
  const { project_id: project, dataset, location, maximum_bytes_billed: maximumBytesBilled = null } = config;
  const place = { project, dataset };
  const client = createClient(config, timing);
  let run: string | null = null;
  const { random } = timing;
  const jobs = createJobs({ client, place, location, maximumBytesBilled, runId: () => run, random });

  async function* stream(statement: Statement, options: JobOptions): AsyncGenerator<ResultRow> {
    const { id } = await jobs.query(statement, options);
    yield* resultRows(client, location, id, options.what);
  }

  return {
    place,
    catalog: createCatalog(client, place, location),
    run: jobs.query,
    rows: (statement, options) => Array.fromAsync(stream(statement, options)),
    stream,
    load: jobs.load,
    dryRun: jobs.dryRun,
    labelWith: (runId) => {
      run = runId;
    },
    sleep: client.sleep,
    random,
  };
}
