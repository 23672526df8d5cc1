import { randomUUID } from 'node:crypto';
import type { ApiVersion } from '../connector/api/addresses.ts';
import type { Api } from '../connector/api/connect.ts';
import type { CommandContext } from '../connector/commands/context.ts';
import { connect, destinationOf } from '../connector/commands/open.ts';
import type { Config } from '../connector/config/schema.ts';
import { VERSION } from '../connector/version.ts';
import type { Destination, RunRecord } from '../destinations/contract.ts';
import type { Failure } from '../destinations/failure.ts';
import { openDestination } from '../destinations/open.ts';
import { type AccountsSummary, summaryOf } from './summary.ts';
import { shownFailure } from './unforeseen.ts';

/** One execution of `push` or `reconcile`. */
export interface AccountsRun {
  readonly id: string;
  /** Logs in, opens the destination, takes its ledger and records that the run has begun; a dry run leaves out the last two. */
  begin(how: { readonly version: ApiVersion; readonly dryRun: boolean }): Promise<Begun>;
  /** Has something closed when the run ends. */
  closing<T extends { close(): Promise<void> }>(opened: T): T;
}

export interface Begun {
  readonly api: Api;
  readonly destination: Destination;
  /** When anything was last accepted before, as the ledger has it, or null. */
  readonly acceptedUntil: string | null;
}

export interface Ended<Counts> {
  /** Without secrets. */
  readonly summary: AccountsSummary<Counts>;
  /** What ended it before it was done, or null. */
  readonly failure: Failure | null;
}

/**
 * Runs `work` and says how it ended, to its caller and, where it had begun, in the record of runs.
 *
 * @param counts is brought up to date by `work`, also when that throws.
 * @param work tells whether all accounts came out as they should.
 */
export async function runAccounts<Counts extends object>(
  command: string,
  config: Config,
  { log, signal }: Pick<CommandContext, 'log' | 'signal'>,
  counts: Counts,
  work: (run: AccountsRun) => Promise<boolean>,
): Promise<Ended<Counts>> {
  const id = randomUUID();
  const opened: { close(): Promise<void> }[] = [];
  // By our own clock until the server's is known.
  let now = () => new Date().toISOString().replace('Z', '000Z');
  let startedAt = now();
  let record = async (_summary: AccountsSummary<Counts>) => {};

  const run: AccountsRun = {
    id,
    async begin({ version, dryRun }) {
      const api = run.closing(await connect(config, signal, version));
      const destination = run.closing(await openDestination(destinationOf(config)));
      now = api.now;
      startedAt = now();
      if (dryRun) return { api, destination, acceptedUntil: null };
      const acceptedUntil = await destination.ledger.hold({ id, command, startedAt });
      const begun: RunRecord = {
        ...{ runId: id, command, version: VERSION, startedAt },
        ...{ endedAt: null, status: 'running', summary: null },
      };
      await destination.runs.begin(begun);
      record = (summary) =>
        destination.runs.end({ ...begun, endedAt: summary.ended_at, status: summary.status, summary });
      return { api, destination, acceptedUntil };
    },
    closing(each) {
      opened.push(each);
      return each;
    },
  };

  function ended(good: boolean, failure: Failure | null): Ended<Counts> {
    const ending = { runId: id, command, startedAt, endedAt: now(), counts, good, failure, stopped: signal.aborted };
    return { summary: log.redact(summaryOf(ending)), failure };
  }

  const failed = (thrown: unknown) => ended(false, shownFailure(signal.aborted ? signal.reason : thrown));
  try {
    const outcome = await work(run).then((good) => ended(good, null), failed);
    const unrecorded = await record(outcome.summary).then(() => null, failed);
    return outcome.failure === null && unrecorded !== null ? unrecorded : outcome;
  } finally {
    await Promise.all(opened.map((each) => each.close()));
  }
}
