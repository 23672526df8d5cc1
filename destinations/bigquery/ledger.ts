import { randomUUID } from 'node:crypto';
import { systemError } from '../failure.ts';
import type { Ledger, LedgerEntry, LedgerRun, LedgerState } from '../ledger.ts';
import { takenOver } from '../refusals.ts';
import { deflate, gzipMember } from './gzip.ts';
import type { Leases } from './leases.ts';
import {
  createLedger,
  ENTRY,
  greatestAccepted,
  latestEntries,
  SENT_ENTRIES,
  selectLines,
  selectUnproven,
  upsertEntries,
} from './ledger-sql.ts';
import { unlessMissing } from './missing.ts';
import { inPlace, LEDGER, stagingName } from './names.ts';
import type { ResultRow } from './results.ts';
import type { Session } from './session.ts';
import { BigqueryFailure, isNotFound } from './trouble.ts';

/** Entries beyond this are loaded instead: a query with its parameters takes 10 MB, and is slow to bring so much. */
const MOST_SENT_BYTES = 1_000_000;
const STAGING_HOURS = 1;
const FIELDS = [{ name: ENTRY, type: 'JSON', mode: 'NULLABLE' }];

/** @param hold takes the lease of a name, which the destination gives back. */
export function bigqueryLedger(
  session: Session,
  hold: (names: readonly string[], run: LedgerRun) => Promise<Leases>,
): Ledger {
  const { place } = session;
  let token: number | null = null;

  async function select(sql: string, parameters: Record<string, string | number>): Promise<LedgerEntry[]> {
    return (await unlessMissing(session.rows({ sql, parameters }, { what: 'read the ledger' }))).map(entryOf);
  }

  /** Answers how many entries were written. */
  async function merge(from: string, parameters: Record<string, string>): Promise<number> {
    const sql = upsertEntries(place, from);
    const own = { name: LEDGER, token: token!, ...parameters };
    const { statistics } = await session.run({ sql, parameters: own }, { what: 'write the ledger' });
    return Number(statistics.query?.numDmlAffectedRows ?? 0);
  }

  async function load(lines: readonly string[]): Promise<number> {
    const staging = stagingName({ name: LEDGER }, randomUUID().slice(0, 8));
    await session.catalog.createTemporary(staging, FIELDS, STAGING_HOURS);
    const chunks = gzipMember([deflate(Buffer.from(lines.map((line) => `{"${ENTRY}":${line}}\n`).join('')))]);
    await session.load(
      { table: staging, schema: FIELDS, chunks, lines: lines.length, replaces: true },
      { what: 'load entries of the ledger' },
    );
    const written = await merge(inPlace(place, staging), {});
    await session.catalog.deleteTable(staging).catch(() => {});
    return written;
  }

  return {
    async hold(run) {
      token = (await hold([LEDGER], run)).tokens.get(LEDGER)!;
      await session.run({ sql: createLedger(place) }, { what: 'make the ledger' });
      const [greatest] = await session.rows({ sql: greatestAccepted(place) }, { what: 'read the ledger' });
      return (greatest?.accepted_at ?? null) as string | null;
    },

    async write(entries) {
      if (token === null) throw systemError('the ledger is written by a run that does not hold it');
      if (entries.length === 0) return;
      const lines = entries.map(jsonOf);
      const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
      const sent = bytes <= MOST_SENT_BYTES;
      const written = sent ? await merge(SENT_ENTRIES, { entries: `[${lines.join(',')}]` }) : await load(lines);
      if (written === 0) throw takenOver({ name: LEDGER });
    },

    lines: (input, first, last) => select(selectLines(place), { input, first, last }),

    latest: (lender, wanted) => {
      const list = wanted.map(({ accountId, subAccountId, input, line }) => ({
        ...{ account_id: accountId, sub_account_id: subAccountId, input, line },
      }));
      return select(latestEntries(place), { lender, wanted: JSON.stringify(list) });
    },

    async *unproven(lender, since) {
      const statement = { sql: selectUnproven(place), parameters: { lender, since } };
      try {
        for await (const row of session.stream(statement, { what: 'read the ledger' })) yield entryOf(row);
      } catch (error) {
        if (!(error instanceof BigqueryFailure) || !isNotFound(error.trouble)) throw error;
      }
    },
  };
}

function jsonOf(entry: LedgerEntry): string {
  return JSON.stringify({
    input: entry.input,
    line: entry.line,
    lender: entry.lender,
    account_id: entry.accountId,
    sub_account_id: entry.subAccountId,
    content: entry.content,
    fields: entry.fields,
    batch: entry.batch,
    state: entry.state,
    reasons: entry.reasons,
    run_id: entry.runId,
    pending_at: entry.pendingAt,
    accepted_at: entry.acceptedAt,
    proved_at: entry.provedAt,
  });
}

function entryOf(row: ResultRow): LedgerEntry {
  const text = (name: string) => (row[name] ?? null) as string | null;
  return {
    input: text('input')!,
    line: Number(row.line),
    lender: text('lender')!,
    accountId: text('account_id')!,
    subAccountId: text('sub_account_id')!,
    content: text('content')!,
    fields: JSON.parse(text('fields')!) as LedgerEntry['fields'],
    batch: text('batch'),
    state: text('state') as LedgerState,
    reasons: JSON.parse(text('reasons')!) as string[],
    runId: text('run_id')!,
    pendingAt: text('pending_at')!,
    acceptedAt: text('accepted_at'),
    provedAt: text('proved_at'),
  };
}
