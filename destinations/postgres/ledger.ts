import type { Stream } from '../../schemas/stream.ts';
import { systemError } from '../failure.ts';
import type { Ledger, LedgerEntry, LedgerRun, LedgerState } from '../ledger.ts';
import { postgresFailure } from './errors.ts';
import {
  createLedger,
  declareUnproven,
  FETCH_UNPROVEN,
  greatestAccepted,
  LEDGER,
  latestEntries,
  SELECT_LEDGER_MISSING,
  selectLines,
  upsertEntries,
} from './ledger-sql.ts';
import type { Locks } from './locks.ts';
import type { Answer, Session } from './session.ts';
import { quote } from './sql.ts';

/** What the ledger needs of its destination. */
export interface LedgerAccess {
  readonly schema: string;
  /** The database, in a message's words. */
  readonly where: string;
  /** One thing done with a session, tried again while what keeps it from being done passes. */
  withSession<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Takes the lock of this name, which the destination gives back. */
  lock(name: Pick<Stream, 'name'>, run: LedgerRun): Promise<Locks>;
  /** A session of its own, for what is read at the reader's pace. */
  openReader(): Promise<Session>;
}

export function postgresLedger({ schema, where, withSession, lock, openReader }: LedgerAccess): Ledger {
  let held: Locks | null = null;

  /** Nothing where there is no ledger. */
  async function select(sql: string, parameters: Parameters<Session['rows']>[1]): Promise<LedgerEntry[]> {
    return withSession(async (session) => {
      if (await isMissing(session, schema)) return [];
      return (await session.rows(sql, parameters)).map(entryOf);
    });
  }

  return {
    async hold(run) {
      held = await lock({ name: LEDGER }, run);
      await withSession((session) => ensureLedger(session, schema));
      const [greatest] = await withSession((session) => session.rows(greatestAccepted(schema)));
      return greatest!.accepted_at ?? null;
    },

    async write(entries) {
      if (held === null) throw systemError('the ledger is written by a run that does not hold it');
      await held.ensure({ name: LEDGER });
      await withSession((session) => session.run(upsertEntries(schema), columnsOf(entries)));
    },

    lines: (input, first, last) => select(selectLines(schema), [input, first, last]),

    latest: (lender, wanted) =>
      select(latestEntries(schema), [
        lender,
        wanted.map(({ accountId }) => accountId),
        wanted.map(({ subAccountId }) => subAccountId),
        wanted.map(({ input }) => input),
        wanted.map(({ line }) => String(line)),
      ]),

    async *unproven(lender, since) {
      const session = await openReader();
      try {
        if (await isMissing(session, schema)) return;
        await session.run('begin isolation level repeatable read read only');
        await session.run(declareUnproven(schema), [lender, since], { slow: true });
        for (;;) {
          const rows = await session.rows(FETCH_UNPROVEN);
          yield* rows.map(entryOf);
          if (rows.length === 0) return;
        }
      } catch (error) {
        throw postgresFailure(error, where);
      } finally {
        await session.close();
      }
    },
  };
}

async function isMissing(session: Session, schema: string): Promise<boolean> {
  const [found] = await session.rows(SELECT_LEDGER_MISSING, [schema]);
  return found!.missing === 't';
}

async function ensureLedger(session: Session, schema: string): Promise<void> {
  const [found] = await session.rows(SELECT_LEDGER_MISSING, [schema]);
  if (found!.missing !== 't') return;
  await session.transaction(async () => {
    if (found!.schema_missing === 't') await session.run(`create schema ${quote(schema)}`);
    for (const sql of createLedger(schema)) await session.run(sql);
  });
}

/** In the order of the table. */
function columnsOf(entries: readonly LedgerEntry[]): (string | null)[][] {
  const rows = entries.map((entry) => [
    entry.input,
    String(entry.line),
    entry.lender,
    entry.accountId,
    entry.subAccountId,
    entry.content,
    JSON.stringify(entry.fields),
    entry.batch,
    entry.state,
    JSON.stringify(entry.reasons),
    entry.runId,
    entry.pendingAt,
    entry.acceptedAt,
    entry.provedAt,
  ]);
  return Array.from({ length: 14 }, (_, at) => rows.map((row) => row[at]!));
}

function entryOf(row: Answer): LedgerEntry {
  return {
    input: row.input!,
    line: Number(row.line),
    lender: row.lender!,
    accountId: row.account_id!,
    subAccountId: row.sub_account_id!,
    content: row.content!,
    fields: JSON.parse(row.fields!),
    batch: row.batch!,
    state: row.state as LedgerState,
    reasons: JSON.parse(row.reasons!),
    runId: row.run_id!,
    pendingAt: row.pending_at!,
    acceptedAt: row.accepted_at!,
    provedAt: row.proved_at!,
  };
}
