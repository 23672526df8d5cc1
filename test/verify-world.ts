import { connectApi } from '../connector/api/connect.ts';
import { parseConfig } from '../connector/config/load.ts';
import { silentReporter } from '../connector/report.ts';
import type { StreamSummary, Summary } from '../connector/summary.ts';
import { runSync } from '../connector/sync/run.ts';
import { runVerify } from '../connector/verify/run.ts';
import type { Destination } from '../destinations/contract.ts';
import { streamNamed } from '../schemas/registry.ts';
import type { Simulator } from '../simulator/simulator.ts';
import { differences } from './truth.ts';

/** A simulated API and tables that have been loaded from it, for the tests of `verify`. */
export interface VerifyWorld {
  sync(flags?: { fullRefresh?: boolean; allowMassDelete?: boolean }): Promise<Summary>;
  verify(flags?: VerifyFlags): Promise<Summary>;
  /** The same for the only stream. */
  verdict(flags?: VerifyFlags): Promise<StreamSummary>;
  /** What differs from the truth, in words. */
  untrue(): Promise<string[]>;
  /** How many requests were sent since the last call. */
  requests(): number;
}

export interface VerifyFlags {
  readonly repair?: boolean;
  readonly signal?: AbortSignal;
}

export interface VerifyWorldOptions {
  readonly simulator: Simulator;
  readonly streams: readonly string[];
  /** Another destination on the same storage for each run. */
  readonly destination: () => Destination;
  readonly spell: (table: string) => string;
  readonly config?: object;
}

export function verifyWorld({ simulator, streams, destination, spell, config = {} }: VerifyWorldOptions): VerifyWorld {
  let counted = 0;

  async function run(
    signal: AbortSignal,
    work: (options: Parameters<typeof runVerify>[0]) => Promise<Summary>,
  ): Promise<Summary> {
    const { lender, email, password, url } = simulator;
    const parsed = parseConfig({ lender, email, password, base_url: url, streams, ...config }, {}, 'test');
    const { concurrency, environment } = parsed;
    const api = await connectApi({ lender, email, password, signal, environment, baseUrl: url, concurrency });
    const opened = destination();
    try {
      return await work({
        ...{ config: parsed, api, destination: opened, streams: null, repair: false, signal },
        reporter: silentReporter,
      });
    } finally {
      await api.close();
      await opened.close();
    }
  }

  const never = () => new AbortController().signal;
  const world: VerifyWorld = {
    sync: ({ fullRefresh = false, allowMassDelete = false } = {}) =>
      run(never(), (options) => runSync({ ...options, fullRefresh, allowMassDelete, dryRun: false })),
    verify: ({ repair = false, signal = never() } = {}) => run(signal, (options) => runVerify({ ...options, repair })),
    async verdict(flags) {
      const { streams: summaries } = await world.verify(flags);
      if (summaries.length !== 1) throw new Error('more than one stream');
      return summaries[0]!;
    },
    async untrue() {
      const opened = destination();
      try {
        const found: string[] = [];
        for (const name of streams) {
          found.push(...(await differences(simulator, opened, streamNamed(name)!, spell(name))));
        }
        return found;
      } finally {
        await opened.close();
      }
    },
    requests() {
      const { total } = simulator.requests();
      const since = total - counted;
      counted = total;
      return since;
    },
  };
  return world;
}
