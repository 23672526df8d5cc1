import { hash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { systemError } from '../failure.ts';
import { type Client, pauseBefore } from './client.ts';
import type { Costs } from './costs.ts';
import type { SchemaField } from './kinds.ts';
import { labelValue, type Place } from './names.ts';
import { MANAGED_BY } from './tables-sql.ts';
import { BigqueryFailure, failureOf, isDuplicate, isTransient, type Trouble } from './trouble.ts';

export type Parameter = string | number | null | readonly string[];

export interface Statement {
  readonly sql: string;
  readonly parameters?: Readonly<Record<string, Parameter>>;
}

export interface JobOptions {
  /** What the job does, put so that `cannot ...` reads well. */
  readonly what: string;
  /** Equal for what must not be done twice, whoever asks for it: job ids are made of it. By default each job is one of its own. */
  readonly digest?: string;
  readonly stream?: string;
  /** Where its costs are counted. */
  readonly costs?: Costs;
}

export interface Load {
  readonly table: string;
  readonly schema: readonly SchemaField[];
  /** Gzip, one member. */
  readonly chunks: readonly Buffer[];
  /** How many rows BigQuery must find in them. */
  readonly lines: number;
  /** Whether they replace what is there, or come after it. */
  readonly replaces: boolean;
}

/** A job that is done, and well. */
export interface Job {
  readonly id: string;
  readonly statistics: JobStatistics;
}

/** Runs jobs to their end: each is inserted under an id of ours, so that it runs once however often it had to be asked for. */
export interface Jobs {
  query(statement: Statement, options: JobOptions): Promise<Job>;
  load(load: Load, options: JobOptions): Promise<Job>;
  /** What a query is and what it would read: nothing is run, nothing is billed. */
  dryRun(statement: Statement, what: string): Promise<JobStatistics>;
}

export interface JobsOptions {
  readonly client: Client;
  readonly place: Place;
  readonly location: string;
  readonly maximumBytesBilled: number | null;
  readonly runId: () => string | null;
  readonly random: () => number;
}

/** A job as the API tells it, as far as it is looked at. */
interface JobResource {
  readonly configuration?: {
    readonly load?: { readonly destinationTable?: { readonly tableId?: string; readonly datasetId?: string } };
    readonly query?: { readonly query?: string };
  };
  readonly status?: {
    readonly state?: string;
    readonly errorResult?: JobError;
    readonly errors?: readonly JobError[];
  };
  readonly statistics?: JobStatistics;
}

interface JobError {
  readonly reason?: string;
  readonly message?: string;
}

export interface JobStatistics {
  readonly totalBytesProcessed?: string;
  readonly load?: { readonly outputRows?: string; readonly inputFileBytes?: string; readonly outputBytes?: string };
  readonly query?: {
    readonly totalBytesBilled?: string;
    readonly numDmlAffectedRows?: string;
    readonly statementType?: string;
  };
}

interface Insertion {
  readonly configuration: Record<string, unknown>;
  readonly chunks?: readonly Buffer[];
  /** Whether a job that has the id already is the one that was meant. */
  readonly isSame: (job: JobResource) => boolean;
}

/** A job that ended with a passing error is run again under the next id, so often. */
const MOST_ATTEMPTS = 6;
const FIRST_POLL_MS = 100;
const LONGEST_POLL_MS = 2_000;

export function createJobs({ client, place, location, maximumBytesBilled, runId, random }: JobsOptions): Jobs {
  const labels = (stream: string | undefined) => ({
    managed_by: MANAGED_BY,
    ...(stream === undefined ? {} : { cleargrid_stream: labelValue(stream) }),
    ...(runId() === null ? {} : { cleargrid_run: labelValue(runId()!) }),
  });

  async function run(insertion: Insertion, { what, digest = randomUUID(), costs }: JobOptions): Promise<Job> {
    for (let attempt = 1; ; attempt++) {
      const id = `cleargrid_${hash('sha256', digest).slice(0, 40)}_${attempt}`;
      await insert(id, insertion, what);
      const job = await ended(id, what);
      const trouble = troubleIn(job);
      if (costs) count(costs, job);
      if (trouble === null && insertion.isSame(job)) return { id, statistics: job.statistics ?? {} };
      if (trouble !== null && (!isTransient(trouble) || attempt >= MOST_ATTEMPTS)) throw failureOf(trouble, what);
      if (attempt >= MOST_ATTEMPTS) throw systemError(`BigQuery: cannot ${what}: its job ids are taken by other jobs`);
      if (trouble !== null) await client.sleep(pauseBefore(attempt, trouble, random));
    }
  }

  /** An insert that is answered 409 has arrived before: by a call that got no answer, or in an earlier try. */
  async function insert(id: string, { configuration, chunks }: Insertion, what: string): Promise<void> {
    const json = { jobReference: { projectId: place.project, jobId: id, location }, configuration };
    try {
      if (chunks === undefined) await client.call({ method: 'POST', path: '/jobs', json }, what);
      else {
        const query = { uploadType: 'multipart' };
        const media = () => Readable.from(chunks);
        await client.call({ method: 'POST', path: client.uploads, query, json, media }, what);
      }
    } catch (error) {
      if (!(error instanceof BigqueryFailure) || !isDuplicate(error.trouble)) throw error;
    }
  }

  async function ended(id: string, what: string): Promise<JobResource> {
    for (let pause = FIRST_POLL_MS; ; pause = Math.min(pause * 1.5, LONGEST_POLL_MS)) {
      const path = `/jobs/${encodeURIComponent(id)}`;
      const job = await client.call<JobResource>({ method: 'GET', path, query: { location } }, what);
      if (job.status?.state === 'DONE') return job;
      await client.sleep(pause);
    }
  }

  function queryConfiguration({ sql, parameters }: Statement) {
    return {
      query: sql,
      useLegacySql: false,
      defaultDataset: { projectId: place.project, datasetId: place.dataset },
      ...(parameters === undefined ? {} : { parameterMode: 'NAMED', queryParameters: asParameters(parameters) }),
      ...(maximumBytesBilled === null ? {} : { maximumBytesBilled: String(maximumBytesBilled) }),
    };
  }

  return {
    query(statement, options) {
      const configuration = { query: queryConfiguration(statement), labels: labels(options.stream) };
      const isSame = (job: JobResource) => job.configuration?.query?.query === statement.sql;
      return run({ configuration, isSame }, options);
    },

    async load({ table, schema, chunks, lines, replaces }, options) {
      const load = {
        destinationTable: { projectId: place.project, datasetId: place.dataset, tableId: table },
        sourceFormat: 'NEWLINE_DELIMITED_JSON',
        schema: { fields: schema },
        autodetect: false,
        ignoreUnknownValues: false,
        maxBadRecords: 0,
        createDisposition: 'CREATE_NEVER',
        writeDisposition: replaces ? 'WRITE_TRUNCATE' : 'WRITE_APPEND',
      };
      const isSame = (job: JobResource) => {
        const found = job.configuration?.load?.destinationTable;
        return found?.tableId === table && found.datasetId === place.dataset;
      };
      const job = await run({ configuration: { load, labels: labels(options.stream) }, chunks, isSame }, options);
      const found = job.statistics.load?.outputRows;
      if (Number(found) !== lines) {
        throw systemError(
          `BigQuery: cannot ${options.what}: it found ${found} rows in a load of ${lines}; nothing was kept of them`,
        );
      }
      return job;
    },

    async dryRun(statement, what) {
      const configuration = { dryRun: true, query: queryConfiguration(statement), labels: labels(undefined) };
      const json = { jobReference: { projectId: place.project, location }, configuration };
      const job = await client.call<JobResource>({ method: 'POST', path: '/jobs', json }, what);
      return job.statistics ?? {};
    },
  };
}

/** Of a load, which field could not be read; never what was in it. */
function troubleIn({ status }: JobResource): Trouble | null {
  const result = status?.errorResult;
  if (!result) return null;
  const messages = [result, ...(status.errors ?? [])].map(({ message }) => message ?? '');
  const field = messages.map((message) => /\bField: ([^;'"]+)/.exec(message)?.[1]).find((name) => name !== undefined);
  const message = field === undefined ? messages.join('\n') : `Column ${field} does not take what was sent for it`;
  return { reason: result.reason ?? '', status: null, message, retryAfterMs: null, cause: undefined };
}

function count(costs: Costs, { statistics }: JobResource): void {
  costs.jobs++;
  if (statistics?.load) costs.loads++;
  costs.bytesBilled += Number(statistics?.query?.totalBytesBilled ?? 0);
  costs.bytesLoaded += Number(statistics?.load?.inputFileBytes ?? 0);
}

function asParameters(parameters: Readonly<Record<string, Parameter>>): object[] {
  return Object.entries(parameters).map(([name, value]) => {
    if (Array.isArray(value)) {
      return {
        name,
        parameterType: { type: 'ARRAY', arrayType: { type: 'STRING' } },
        parameterValue: { arrayValues: value.map((item) => ({ value: item })) },
      };
    }
    return {
      name,
      parameterType: { type: typeof value === 'number' ? 'INT64' : 'STRING' },
      parameterValue: { value: value === null ? null : String(value) },
    };
  });
}
