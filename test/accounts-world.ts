import { randomUUID } from 'node:crypto';
import type { BadAccount } from '../accounts/check.ts';
import { openFile } from '../accounts/input/open.ts';
import { noCounts, type PushCounts, push } from '../accounts/push/push.ts';
import type { ApiVersion } from '../connector/api/addresses.ts';
import { type Api, connectApi } from '../connector/api/connect.ts';
import type { Timing } from '../connector/timing.ts';
import { memoryDestination } from '../destinations/memory/destination.ts';
import { type MemoryWarehouse, memoryWarehouse } from '../destinations/memory/warehouse.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/simulator.ts';
import { ndjson } from './accounts-example.ts';

/** Nobody waits between tries. */
export const impatient: Timing = {
  monotonic: () => performance.now(),
  sleep: async () => {},
  random: () => 0,
  turn: async () => {},
};

export interface PushFlags {
  readonly strict?: boolean;
  readonly resend?: boolean;
  readonly dryRun?: boolean;
  readonly version?: ApiVersion;
  readonly signal?: AbortSignal;
}

/** What a push did and told. */
export interface Pushed {
  readonly counts: PushCounts;
  readonly withheld: boolean;
  readonly error: unknown;
  readonly bad: readonly BadAccount[];
  /** `[line, accountId, reasons]` */
  readonly refused: readonly [number, string, readonly string[]][];
  readonly warnings: readonly [number, string, string][];
  readonly planned: readonly { accounts: number; bytes: number; firstLine: number; lastLine: number }[];
}

/** A simulated API and a warehouse in memory, to push to. */
export interface AccountsWorld {
  readonly simulator: Simulator;
  readonly warehouse: MemoryWarehouse;
  api(version?: ApiVersion): Promise<Api>;
  push(accounts: readonly unknown[], flags?: PushFlags): Promise<Pushed>;
  stop(): Promise<void>;
}

export async function accountsWorld(options: SimulatorOptions = {}): Promise<AccountsWorld> {
  const simulator = await startSimulator({ rows: {}, ...options, accounts: { delayMs: 0, ...options.accounts } });
  const warehouse = memoryWarehouse();
  const apis: Api[] = [];

  async function api(version: ApiVersion = 'v3'): Promise<Api> {
    const { url, lender, email, password } = simulator;
    const signal = new AbortController().signal;
    const connected = await connectApi({
      ...{ environment: 'production', baseUrl: url, lender, email, password, version, concurrency: 4, signal },
      timing: impatient,
    });
    apis.push(connected);
    return connected;
  }

  return {
    simulator,
    warehouse,
    api,
    async push(accounts, { strict = false, resend = false, dryRun = false, version = 'v3', signal } = {}) {
      const destination = memoryDestination(warehouse);
      const told = { bad: [], refused: [], warnings: [], planned: [] } as {
        bad: BadAccount[];
        refused: [number, string, readonly string[]][];
        warnings: [number, string, string][];
        planned: Pushed['planned'][number][];
      };
      const counts = noCounts();
      const connected = await api(version);
      const runId = randomUUID();
      const input = await openLines(accounts);
      const ended = { withheld: false, error: null as unknown };
      try {
        const hold = () => destination.ledger.hold({ id: runId, command: 'push', startedAt: connected.now() });
        const acceptedUntil = dryRun ? null : await hold();
        const { withheld } = await push(
          {
            ...{
              api: connected,
              version,
              ledger: destination.ledger,
              input,
              runId,
              acceptedUntil,
              strict,
              resend,
              dryRun,
            },
            timing: impatient,
            signal: signal ?? new AbortController().signal,
            tell: {
              bad: (account) => told.bad.push(account),
              refused: (...refusal) => told.refused.push(refusal),
              warning: (...warning) => told.warnings.push(warning),
              planned: (batch) => told.planned.push(batch),
              progress: () => {},
            },
          },
          counts,
        );
        ended.withheld = withheld;
      } catch (error) {
        ended.error = error;
      } finally {
        await Promise.all([input.close(), destination.close()]);
      }
      await simulator.accountsSettled();
      return { counts, ...told, ...ended };
    },
    async stop() {
      await Promise.all(apis.map((connected) => connected.close()));
      await simulator.stop();
    },
  };
}

/** The accounts as the lines of an input. */
function openLines(accounts: readonly unknown[]) {
  const lines = (async function* () {
    yield Buffer.from(ndjson(accounts));
  })();
  return openFile('-', null, lines);
}
