import { setTimeout as wait } from 'node:timers/promises';
import type { Failure } from '../../destinations/failure.ts';
import { apiOrigin } from '../api/addresses.ts';
import type { Config } from '../config/schema.ts';
import type { Log } from '../output/log.ts';
import type { Reporter } from '../report.ts';
import { type CommandSpan, commandSpan } from './command-span.ts';
import { meterReporter } from './measures.ts';
import { openMetrics, openTraces, ourResource, type SendFailed } from './providers.ts';
import type { Into, Signal, Telemetry, TracedCommand } from './telemetry.ts';

/** A collector that is slow or away holds up the end of a command for no longer. */
const LONGEST_SENDING_MS = 1_500;

export interface CommandOptions extends TracedCommand {
  readonly signals: readonly Signal[];
}

/** Traces and measures one command, from now to its end. */
export async function commandTelemetry({ command, task, signals, env, log }: CommandOptions): Promise<Telemetry> {
  const failed = warnOnce(log);
  const resource = ourResource(task);
  const [traces, metrics] = await Promise.all([
    signals.includes('TRACES') ? openTraces(resource, failed) : null,
    signals.includes('METRICS') ? openMetrics(resource, failed) : null,
  ]);
  const span: CommandSpan | null =
    traces && commandSpan({ tracer: traces.tracer, command, env, redact: (text) => log.redact(text) });
  const accountsCounter = metrics?.meter.createCounter('cleargrid.accounts', {
    unit: '{account}',
    description: 'Accounts that were pushed or reconciled, by what became of them',
  });
  let ended: Promise<void> | null = null;

  async function sendRest(): Promise<void> {
    const sent = Promise.allSettled([traces?.shutdown(), metrics?.shutdown()]);
    const isLate = await Promise.race([sent.then(() => false), wait(LONGEST_SENDING_MS, true)]);
    if (isLate) failed(undefined);
  }

  return {
    reporters(config: Config, into: Into | null): Reporter[] {
      const origin = new URL(originOf(config));
      return [
        ...(span === null ? [] : [span.reporter(into)]),
        ...(metrics === null ? [] : [meterReporter(metrics.meter, { into, origin })]),
      ];
    },
    ran(run, accounts = {}) {
      span?.ran(run);
      for (const [state, count] of Object.entries(accounts)) {
        accountsCounter?.add(count, { 'cleargrid.command': command, 'cleargrid.account.state': state });
      }
    },
    end(code: number, failure: Failure | null) {
      ended ??= Promise.resolve().then(() => {
        span?.end(code, failure);
        return sendRest();
      });
      return ended;
    },
  };
}

function originOf({ environment, base_url: baseUrl, allow_insecure_http: allowInsecureHttp }: Config): string {
  return apiOrigin({ environment, baseUrl, allowInsecureHttp });
}

/** Warns of the first failure to send, and of no other: a run has better things to tell. */
function warnOnce(log: Log): SendFailed {
  let told = false;
  return (error) => {
    if (told) return;
    told = true;
    const code = (error as { code?: unknown } | undefined)?.code;
    const reason = typeof code === 'string' || typeof code === 'number' ? String(code) : 'no good answer in time';
    log.warn(
      `telemetry could not be sent (${reason}); nothing else suffers from it. Look at OTEL_EXPORTER_OTLP_ENDPOINT: ` +
        'it has to take OTLP over HTTP',
    );
  };
}
