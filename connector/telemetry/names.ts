import { DB_SYSTEM_NAME_VALUE_POSTGRESQL } from '@opentelemetry/semantic-conventions';
import type { Into } from './telemetry.ts';

/** The attributes that the semantic conventions have no name for. `docs/operations.md` lists what is sent. */
export const ATTR_STREAM = 'cleargrid.stream';
/** Of the resource: `0/4` for the first of four tasks. */
export const ATTR_TASK = 'cleargrid.task';
export const ATTR_STATUS = 'cleargrid.status';

/** `db.system.name` of each destination that is a database; the conventions know one of them. */
export const DB_SYSTEM: Readonly<Record<Into, string | null>> = {
  duckdb: 'duckdb',
  postgres: DB_SYSTEM_NAME_VALUE_POSTGRESQL,
  bigquery: 'gcp.bigquery',
  airbyte: null,
};
