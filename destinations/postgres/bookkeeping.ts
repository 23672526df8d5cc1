import type { RejectCount, RunRecord, StoredDocument } from '../contract.ts';
import {
  type BOOKKEEPING_TABLES,
  countRejects,
  createBookkeeping,
  SELECT_MISSING,
  selectPositions,
  selectRuns,
  upsertRun,
} from './bookkeeping-sql.ts';
import { advisoryKey } from './locks.ts';
import type { Session } from './session.ts';
import { quote } from './sql.ts';

/** Makes the schema and our own tables where they are missing. Runs that begin at once wait for each other here. */
export async function ensureBookkeeping(session: Session, schema: string): Promise<void> {
  if ((await session.rows(SELECT_MISSING, [schema])).length === 0) return;
  await session.transaction(async () => {
    await session.rows('select pg_advisory_xact_lock($1::bigint)', [advisoryKey(schema, '')]);
    const missing = await session.rows(SELECT_MISSING, [schema]);
    // "if not exists" would ask for rights that nobody needs once they exist.
    if (missing[0]?.schema_missing === 't') await session.run(`create schema ${quote(schema)}`);
    const statements = createBookkeeping(schema);
    for (const { name } of missing) await session.run(statements[name as (typeof BOOKKEEPING_TABLES)[number]]);
  });
}

async function isMissing(session: Session, schema: string, table: string): Promise<boolean> {
  return (await session.rows(SELECT_MISSING, [schema])).some(({ name }) => name === table);
}

export async function readDocuments(session: Session, schema: string): Promise<StoredDocument[]> {
  if (await isMissing(session, schema, '_cleargrid_positions')) return [];
  const rows = await session.rows(selectPositions(schema));
  return rows.map((row) => ({
    stream: row.stream!,
    document: row.document!,
    runId: row.run_id!,
    updatedAt: row.updated_at!,
  }));
}

export async function writeRun(session: Session, schema: string, record: RunRecord): Promise<void> {
  await ensureBookkeeping(session, schema);
  const { runId, command, version, startedAt, endedAt, status, summary } = record;
  const json = summary === null ? null : JSON.stringify(summary);
  await session.run(upsertRun(schema), [runId, command, version, startedAt, endedAt, status, json]);
}

export async function readRuns(session: Session, schema: string, limit: number): Promise<RunRecord[]> {
  if (await isMissing(session, schema, '_cleargrid_runs')) return [];
  const rows = await session.rows(selectRuns(schema), [limit]);
  return rows.map((row) => ({
    runId: row.run_id!,
    command: row.command!,
    version: row.version!,
    startedAt: row.started_at!,
    endedAt: row.ended_at!,
    status: row.status as RunRecord['status'],
    summary: row.summary === null ? null : JSON.parse(row.summary!),
  }));
}

export async function readRejects(session: Session, schema: string, runIds: readonly string[]): Promise<RejectCount[]> {
  if (await isMissing(session, schema, '_cleargrid_rejects')) return [];
  const rows = await session.rows(countRejects(schema), [runIds], { slow: true });
  return rows.map((row) => ({
    stream: row.stream!,
    reason: row.reason!,
    records: Number(row.records),
    fresh: Number(row.fresh),
    seenAt: row.seen_at!,
  }));
}
