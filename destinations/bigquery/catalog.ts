import { configError } from '../failure.ts';
import type { Call, Client } from './client.ts';
import type { SchemaField } from './kinds.ts';
import type { Place } from './names.ts';
import { MADE_FROM, MANAGED_BY } from './tables-sql.ts';
import { BigqueryFailure, isDuplicate, isNotFound } from './trouble.ts';

/** Datasets and tables as things: what they are, not what is in them. All of it is free. */
export interface Catalog {
  /** @returns null when there is none. @throws {Failure} `config_error` when it is in another location, or its tables expire. */
  dataset(): Promise<'there' | null>;
  createDataset(): Promise<void>;
  /** Deletes the dataset with all that is in it. */
  deleteDataset(): Promise<void>;
  table(name: string): Promise<TableInfo | null>;
  /** Whether a table has a row: what its description says of their number may be late. */
  holdsRows(name: string): Promise<boolean>;
  /** Makes a table that deletes itself after so many hours; one that is there already may stay. */
  createTemporary(name: string, fields: readonly SchemaField[], hours: number): Promise<void>;
  /** Changes a table's schema, if it is still the one that was read. */
  changeSchema(name: string, fields: readonly SchemaField[], etag: string): Promise<void>;
  /** Deletes a table, if there is one. */
  deleteTable(name: string): Promise<void>;
}

export interface TableInfo {
  /** Never the same again once the table was made anew. */
  readonly identity: string;
  /** The identity of the loading table that this one was made of, or null. */
  readonly madeFrom: string | null;
  readonly fields: readonly SchemaField[];
  readonly key: readonly string[] | null;
  readonly rows: number;
  readonly granularity: string | null;
  readonly etag: string;
}

interface DatasetResource {
  readonly location: string;
  readonly defaultTableExpirationMs?: string;
  readonly defaultPartitionExpirationMs?: string;
}

interface TableResource {
  readonly creationTime: string;
  readonly etag: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly numRows?: string;
  readonly schema?: { readonly fields?: readonly SchemaField[] };
  readonly tableConstraints?: { readonly primaryKey?: { readonly columns?: readonly string[] } };
  readonly timePartitioning?: { readonly type?: string };
}

export function createCatalog(client: Client, { project, dataset }: Place, location: string): Catalog {
  const datasetPath = `/datasets/${encodeURIComponent(dataset)}`;
  const tablePath = (name: string) => `${datasetPath}/tables/${encodeURIComponent(name)}`;
  const labels = { managed_by: MANAGED_BY };

  async function found<T>(call: Call, what: string): Promise<T | null> {
    return unless(isNotFound, client.call<T>(call, what));
  }

  return {
    async dataset() {
      const resource = await found<DatasetResource>(
        { method: 'GET', path: datasetPath },
        `read the dataset ${dataset}`,
      );
      if (resource === null) return null;
      if (resource.location.toLowerCase() !== location.toLowerCase()) {
        throw configError(
          `BigQuery: the dataset ${dataset} is in ${resource.location}, and destination.location says ${location}. ` +
            `Set "location": "${resource.location}", or name another dataset.`,
        );
      }
      if (resource.defaultTableExpirationMs ?? resource.defaultPartitionExpirationMs) {
        throw configError(
          `BigQuery: the dataset ${dataset} deletes its tables or partitions after some time, and rows with them. Remove its default ` +
            'expiration, or name another dataset.',
        );
      }
      return 'there';
    },
    async createDataset() {
      const json = { datasetReference: { projectId: project, datasetId: dataset }, location, labels };
      const call = { method: 'POST', path: '/datasets', json } as const;
      await unless(isDuplicate, client.call(call, `make the dataset ${dataset}`));
    },
    async deleteDataset() {
      await found(
        { method: 'DELETE', path: datasetPath, query: { deleteContents: true } },
        `delete the dataset ${dataset}`,
      );
    },
    async table(name) {
      const resource = await found<TableResource>({ method: 'GET', path: tablePath(name) }, `read the table ${name}`);
      return resource && tableInfo(resource);
    },
    async holdsRows(name) {
      const call = { method: 'GET', path: `${tablePath(name)}/data`, query: { maxResults: 1 } } as const;
      const page = await found<{ rows?: readonly unknown[] }>(call, `look into the table ${name}`);
      return (page?.rows?.length ?? 0) > 0;
    },
    async createTemporary(name, fields, hours) {
      const json = {
        tableReference: { projectId: project, datasetId: dataset, tableId: name },
        schema: { fields },
        expirationTime: String(Date.now() + hours * 3_600_000),
        labels,
      };
      const call = { method: 'POST', path: `${datasetPath}/tables`, json } as const;
      await unless(isDuplicate, client.call(call, `make the table ${name}`));
    },
    async changeSchema(name, fields, etag) {
      const call = {
        method: 'PATCH',
        path: tablePath(name),
        json: { schema: { fields } },
        headers: { 'If-Match': etag },
      } as const;
      await client.call(call, `add columns to the table ${name}`);
    },
    async deleteTable(name) {
      await found({ method: 'DELETE', path: tablePath(name) }, `delete the table ${name}`);
    },
  };
}

function tableInfo({
  creationTime,
  etag,
  labels,
  numRows,
  schema,
  tableConstraints,
  timePartitioning,
}: TableResource): TableInfo {
  return {
    identity: `t${creationTime}`,
    madeFrom: labels?.[MADE_FROM] ?? null,
    fields: schema?.fields ?? [],
    key: tableConstraints?.primaryKey?.columns ?? null,
    rows: Number(numRows ?? 0),
    granularity: timePartitioning?.type ?? null,
    etag,
  };
}

/** The answer, or null where it was refused for a reason that is expected. */
async function unless<T>(
  expected: (trouble: BigqueryFailure['trouble']) => boolean,
  answer: Promise<T>,
): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof BigqueryFailure && expected(error.trouble)) return null;
    throw error;
  }
}
