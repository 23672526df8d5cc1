import { z } from 'zod';

/** The destinations' part of the config, free of drivers. What is secret carries `airbyte_secret`. */

const secret = { airbyte_secret: true };

export const duckdbConfig = z.strictObject({
  type: z.literal('duckdb'),
  path: z
    .string()
    .min(1)
    .refine((path) => !/^(:memory:|[A-Za-z][A-Za-z0-9+.-]+:)/.test(path), {
      error:
        'must name a file on this machine, such as ./cleargrid.duckdb: neither memory, which ends with the run, nor a service',
    })
    .default('./cleargrid.duckdb')
    .describe('The database file; its folder must exist.'),
  schema: z.string().min(1).default('main').describe('The schema that holds the tables; made where missing.'),
  memory_limit: z
    .string()
    .min(1)
    .optional()
    .describe(
      'What DuckDB itself may use at most, such as 1GB; by default 80MB, and 256MB or 1GB where rows are so large that they need it.',
    ),
});

export const postgresConfig = z.strictObject({
  type: z.literal('postgres'),
  url: z
    .string()
    .min(1)
    .optional()
    .meta(secret)
    .describe('A connection URL, instead of host, port, database, username and password.'),
  host: z.string().min(1).optional(),
  port: z.int().min(1).max(65_535).default(5432),
  database: z.string().min(1).optional(),
  username: z.string().min(1).optional(),
  password: z.string().optional().meta(secret),
  schema: z
    .string()
    .min(1)
    .default('cleargrid')
    .describe('The schema that holds the tables; made where missing and allowed.'),
  ssl: z
    .union([
      z.boolean(),
      z.strictObject({ ca: z.string().min(1).optional(), verify: z.enum(['full', 'ca', 'none']).default('full') }),
    ])
    .default(true)
    .describe('true verifies the server fully; false is plain text; or a CA file and how much to verify.'),
});

export const bigqueryConfig = z.strictObject({
  type: z.literal('bigquery'),
  project_id: z.string().min(1),
  dataset: z.string().min(1).describe('The dataset that holds the tables; made where missing and allowed.'),
  location: z.string().min(1).default('US'),
  credentials_json: z.string().min(1).optional().meta(secret),
  credentials_file: z.string().min(1).optional(),
  impersonate: z.string().min(1).optional().describe('A service account to act as.'),
  maximum_bytes_billed: z.int().min(1).optional(),
  api_endpoint: z.string().min(1).optional().describe('The address of an emulator; no credentials are sent to it.'),
});

export const destinationConfig = z.discriminatedUnion('type', [duckdbConfig, postgresConfig, bigqueryConfig]);

export type DuckdbConfig = z.output<typeof duckdbConfig>;
export type PostgresConfig = z.output<typeof postgresConfig>;
export type BigqueryConfig = z.output<typeof bigqueryConfig>;
export type DestinationConfig = z.output<typeof destinationConfig>;
