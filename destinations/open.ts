import type { DestinationConfig } from './config.ts';
import type { Destination } from './contract.ts';

type Arms = { [T in DestinationConfig['type']]: (config: DestinationConfig & { type: T }) => Promise<Destination> };

/** Each destination's driver is loaded when it is asked for, and no other. */
const arms: Arms = {
  duckdb: async (config) => (await import('./duckdb/destination.ts')).duckdbDestination(config),
  postgres: async (config) => (await import('./postgres/destination.ts')).postgresDestination(config),
  bigquery: async (config) => (await import('./bigquery/destination.ts')).bigqueryDestination(config),
};

/**
 * Opens the configured destination. Nothing is connected to or created before its first method is called.
 */
export function openDestination(config: DestinationConfig): Promise<Destination> {
  const open = arms[config.type] as (config: DestinationConfig) => Promise<Destination>;
  return open(config);
}
