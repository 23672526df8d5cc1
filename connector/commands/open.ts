import { resolve } from 'node:path';
import { type DestinationConfig, destinationConfig } from '../../destinations/config.ts';
import type { ApiVersion } from '../api/addresses.ts';
import { type Api, connectApi } from '../api/connect.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { secretsOf } from '../config/secrets.ts';
import type { FlagValues } from './commands.ts';
import type { CommandContext } from './context.ts';

/** Reads the config that `--config` names; from then on none of its secrets passes the log. */
export async function openConfig({ config: path }: FlagValues, { env, log }: CommandContext): Promise<Config> {
  const config = await loadConfig(String(path), env);
  log.hide(secretsOf(config));
  return config;
}

/** Logs in with the config. @throws {Failure} see `connectApi`. */
export function connect(config: Config, signal: AbortSignal, version: ApiVersion = 'v3'): Promise<Api> {
  return connectApi({
    version,
    environment: config.environment,
    baseUrl: config.base_url,
    allowInsecureHttp: config.allow_insecure_http,
    lender: config.lender,
    email: config.email,
    password: config.password,
    concurrency: config.concurrency,
    signal,
  });
}

/** Where rows go: what the config says, or a DuckDB file in the current folder. */
export function destinationOf(config: Config): DestinationConfig {
  return config.destination ?? destinationConfig.parse({ type: 'duckdb' });
}

/** The destination in a few words, without anything secret. */
export function destinationText(config: DestinationConfig): string {
  switch (config.type) {
    case 'duckdb':
      return `DuckDB ${resolve(config.path)}, schema ${config.schema}`;
    case 'postgres':
      return `Postgres, schema ${config.schema}`;
    case 'bigquery':
      return `BigQuery ${config.project_id}.${config.dataset}`;
  }
}
