import type { DuckDBValue } from '@duckdb/node-api';
import type { RowValues } from '../../schemas/row.ts';
import { systemError } from '../failure.ts';
import type { Ledger, LedgerEntry, LedgerState } from '../ledger.ts';
import type { Database } from './database.ts';
import { asValue } from './decode.ts';
import { duckdbFailure } from './errors.ts';
import { readLayout } from './layout.ts';
import {
  createLedger,
  deleteReplaced,
  greatestAccepted,
  insertEntries,
  LEDGER,
  LEDGER_COLUMNS,
  latestEntries,
  selectLines,
  selectUnproven,
  WANTED_COLUMNS,
} from './ledger-sql.ts';
import type { Holder } from './note.ts';
import { openSession, type Parameters, type Session } from './session.ts';
import type { Place } from './sql.ts';
import { queue } from './table.ts';

/** A file that is open, by whoever has it. */
export interface Borrowed {
  readonly database: Database;
  /** Gives it back. */
  release(): Promise<void>;
}

/** What the ledger needs of its destination. */
export interface LedgerAccess {
  /** Opens the file for this run: DuckDB's own lock of it is the ledger's. */
  openAs(holder: Holder): Promise<Database>;
  /** A session that the destination closes. */
  sessionIn(database: Database): Promise<Session>;
  /** The file in whatever way it is open, or for reading; null where there is none. */
  borrow(): Promise<Borrowed | null>;
  placeIn(database: Database): Place;
}

export function duckdbLedger({ openAs, sessionIn, borrow, placeIn }: LedgerAccess): Ledger {
  const inTurn = queue();
  let held: { readonly session: Session; readonly place: Place } | null = null;

  /** Answers what `statement` selects, in a session of its own. */
  async function select(statement: (place: Place) => string, parameters: Parameters, prepare?: Prepare) {
    const borrowed = await borrow();
    if (borrowed === null) return [];
    const session = await openSession(borrowed.database);
    try {
      const place = placeIn(borrowed.database);
      if ((await readLayout(session, place, LEDGER)) === null) return [];
      await prepare?.(session);
      return (await session.rows(statement(place), parameters)).map(entryOf);
    } finally {
      session.close();
      await borrowed.release();
    }
  }

  return {
    async hold({ id, command, startedAt }) {
      const database = await openAs({ runId: id, command, startedAt });
      const session = await sessionIn(database);
      const place = placeIn(database);
      await session.transaction(async () => {
        for (const sql of createLedger(place)) await session.run(sql);
      });
      held = { session, place };
      const [greatest] = await session.rows(greatestAccepted(place));
      return asValue(greatest!.accepted_at ?? null) as string | null;
    },

    write: (entries) =>
      inTurn(async () => {
        if (held === null) throw systemError('the ledger is written by a run that does not hold it');
        const { session, place } = held;
        await session.loadRows('entries', LEDGER_COLUMNS, entries.map(valuesOf));
        await session.transaction(async () => {
          await session.run(deleteReplaced(place));
          await session.run(insertEntries(place));
        });
      }),

    lines: (input, first, last) => select(selectLines, { input, first, last }),

    latest: (lender, wanted) =>
      select(latestEntries, { lender }, (session) =>
        session.loadRows(
          'wanted',
          WANTED_COLUMNS,
          wanted.map(({ accountId, subAccountId, input, line }) => [input, line, accountId, subAccountId]),
        ),
      ),

    async *unproven(lender, since) {
      const borrowed = await borrow();
      if (borrowed === null) return;
      const session = await openSession(borrowed.database);
      const connection = await borrowed.database.connect();
      try {
        const place = placeIn(borrowed.database);
        if ((await readLayout(session, place, LEDGER)) === null) return;
        const result = await connection.stream(selectUnproven(place), { lender, since });
        for await (const rows of result.yieldRowObjects()) yield* rows.map(entryOf);
      } catch (error) {
        throw duckdbFailure(error, borrowed.database.path);
      } finally {
        connection.closeSync();
        session.close();
        await borrowed.release();
      }
    },
  };
}

type Prepare = (session: Session) => Promise<void>;

/** In the order of `LEDGER_COLUMNS`. */
function valuesOf(entry: LedgerEntry): RowValues {
  return [
    entry.input,
    entry.line,
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
  ];
}

function entryOf(row: Record<string, DuckDBValue>): LedgerEntry {
  const instant = (value: DuckDBValue | undefined) => asValue(value ?? null) as string | null;
  return {
    input: String(row.input),
    line: Number(row.line),
    lender: String(row.lender),
    accountId: String(row.account_id),
    subAccountId: String(row.sub_account_id),
    content: String(row.content),
    fields: JSON.parse(String(row.fields)),
    batch: row.batch === null ? null : String(row.batch),
    state: row.state as LedgerState,
    reasons: JSON.parse(String(row.reasons)),
    runId: String(row.run_id),
    pendingAt: instant(row.pending_at)!,
    acceptedAt: instant(row.accepted_at),
    provedAt: instant(row.proved_at),
  };
}
