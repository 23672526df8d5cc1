import { LockedFailure, systemError } from '../failure.ts';
import { locked, tasksIn } from '../refusals.ts';
import { createBookkeeping, endLeases, LEASE_SECONDS, renewLeases, takeLeases } from './bookkeeping-sql.ts';
import { unlessMissing } from './missing.ts';
import { LEDGER } from './names.ts';
import type { Session } from './session.ts';

/** A run's leases of its streams. */
export interface Leases {
  /** By name. Greater than that of any run before; tasks that share a stream have one. */
  readonly tokens: ReadonlyMap<string, number>;
  /** Gives them back; those that cannot be given back run out by themselves. */
  end(): Promise<void>;
}

/** The run that takes them. */
export interface Holder {
  readonly id: string;
  readonly startedAt: string;
  /** How many tasks share what it takes, of which it is one. */
  readonly tasks?: number;
}

/** A lease that its run has just ended is waited for; one that a dead run left lasts longer than that. */
const LOCK_WAIT_MS = 5_000;
const LOCK_POLL_MS = 1_500;

/** How often the tables of positions and leases are tried to be made. */
const MOST_TRIES = 5;

/**
 * Takes the leases of these names (streams', or the ledger's), or none, and keeps them until they are given back.
 *
 * @throws {LockedFailure} when another run has one.
 */
export async function holdLeases(session: Session, names: readonly string[], run: Holder): Promise<Leases> {
  // What tasks of one number may have together, others know by the end of their names.
  const together = run.tasks === undefined ? run.id : ` of ${run.tasks}`;
  const holder = { id: run.tasks === undefined ? run.id : `${run.id}${together}`, together, startedAt: run.startedAt };
  if (names.length === 0) return { tokens: new Map(), end: async () => {} };
  const tokens = await untilFree(() => take(session, names, holder), session);
  const parameters = { run: holder.id };
  const renewing = setInterval(
    () => {
      // What cannot be renewed in time may be taken over; the next commit learns of it.
      session.run({ sql: renewLeases(session.place), parameters }, { what: 'renew the leases' }).catch(() => {});
    },
    (LEASE_SECONDS * 1000) / 3,
  );
  renewing.unref();
  return {
    tokens,
    async end() {
      clearInterval(renewing);
      await session
        .run({ sql: endLeases(session.place), parameters }, { what: 'give the leases back' })
        .catch(() => {});
    },
  };
}

async function take(
  session: Session,
  names: readonly string[],
  { id, together, startedAt }: { readonly id: string; readonly together: string; readonly startedAt: string },
): Promise<ReadonlyMap<string, number>> {
  const parameters = { streams: names, run: id, together, started: startedAt };
  const statement = { sql: takeLeases(session.place), parameters };
  const holders = await answered(session, () => session.rows(statement, { what: 'take the leases' }));
  const other = holders.find(({ run_id }) => !String(run_id).endsWith(together));
  if (other) {
    const [holder, since] = [String(other.run_id), String(other.started_at)];
    const what = other.stream === LEDGER ? 'the ledger of accounts' : `stream ${other.stream}`;
    throw locked(what, { runId: holder.replace(/ of \d+$/, ''), since, tasks: tasksIn(holder) });
  }
  return new Map(holders.map(({ stream, token }) => [String(stream), Number(token)]));
}

async function untilFree<T>(attempt: () => Promise<T>, session: Session): Promise<T> {
  for (let waited = 0; ; waited += LOCK_POLL_MS) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof LockedFailure) || waited >= LOCK_WAIT_MS) throw error;
      await session.sleep(LOCK_POLL_MS);
    }
  }
}

/** The answer to a statement about tables that are made where they are missing. */
async function answered<T>(session: Session, ask: () => Promise<T[]>): Promise<T[]> {
  for (let tries = 1; ; tries++) {
    const rows = await unlessMissing(ask());
    if (rows.length > 0) return rows;
    if (tries > MOST_TRIES)
      throw systemError('BigQuery: the tables of positions and leases were made, and are not there');
    // Runs that begin at once make them together: where one is in another's way, they are there soon.
    const making = session.run(
      { sql: createBookkeeping(session.place) },
      { what: 'make the tables of positions and leases' },
    );
    await making.catch(async (error: unknown) => {
      if (tries === MOST_TRIES) throw error;
      await session.sleep(session.random() * LOCK_POLL_MS);
    });
  }
}
