import type { Failure } from '../../destinations/failure.ts';
import type { Config } from '../config/schema.ts';
import type { Log } from '../output/log.ts';
import type { Reporter } from '../report.ts';
import type { Task } from '../sync/part.ts';

/** Where rows go, as telemetry tells it apart. */
export type Into = 'duckdb' | 'postgres' | 'bigquery' | 'airbyte';

/** What a command tells of itself to those who trace and measure it from outside. */
export interface Telemetry {
  /** Who else is to be told of the streams that this config reads; `into` is null for rows that nobody keeps. */
  reporters(config: Config, into: Into | null): readonly Reporter[];
  /** Says which run this was and how it ended; `accounts` are numbers of accounts by their state. */
  ran(run: { readonly run_id: string; readonly status: string }, accounts?: Readonly<Record<string, number>>): void;
  /** Ends what is open and sends what is left, for 1.5 s at most. Never throws; again, it is still the first end. */
  end(code: number, failure: Failure | null): Promise<void>;
}

export const noTelemetry: Telemetry = { reporters: () => [], ran: () => {}, end: async () => {} };

const SIGNALS = ['TRACES', 'METRICS'] as const;
export type Signal = (typeof SIGNALS)[number];

type Env = Readonly<Record<string, string | undefined>>;

/** What is to be told apart: the command, and the task that it is one of. */
export interface TracedCommand {
  readonly command: string;
  readonly task: Task | null;
  readonly env: Env;
  readonly log: Log;
}

/** Starts telemetry of a command where the environment names an endpoint for it; else nothing of it is loaded. Never throws. */
export async function startTelemetry(traced: TracedCommand): Promise<Telemetry> {
  const { env, log } = traced;
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return noTelemetry;
  const signals = SIGNALS.filter((signal) => isWanted(signal, env, log));
  if (signals.length === 0) return noTelemetry;
  try {
    const { commandTelemetry } = await import('./command.ts');
    return await commandTelemetry({ ...traced, signals });
  } catch (error) {
    log.warn('telemetry could not be started, and nothing of it is sent; look at the OTEL_ variables', {
      name: error instanceof Error ? error.name : typeof error,
    });
    return noTelemetry;
  }
}

function isWanted(signal: Signal, env: Env, log: Log): boolean {
  if (env[`OTEL_${signal}_EXPORTER`]?.toLowerCase() === 'none') return false;
  const [endpoint, url] = setting(signal, 'ENDPOINT', env);
  if (url === '') return false;
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    log.warn(`${endpoint} is not an http or https URL: no ${signal.toLowerCase()} are sent`);
    return false;
  }
  const [protocol, name] = setting(signal, 'PROTOCOL', env);
  if (name !== '' && name !== 'http/protobuf') {
    log.warn(
      `${protocol} asks for what is not spoken here: http/protobuf is sent, which a collector takes on port 4318`,
    );
  }
  return true;
}

/** The variable that is in effect for a signal, and its value. */
function setting(signal: Signal, what: string, env: Env): [name: string, value: string] {
  const own = `OTEL_EXPORTER_OTLP_${signal}_${what}`;
  const shared = `OTEL_EXPORTER_OTLP_${what}`;
  const name = (env[own] ?? '') === '' ? shared : own;
  return [name, env[name] ?? ''];
}
