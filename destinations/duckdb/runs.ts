import { type DuckDBValue, listValue } from '@duckdb/node-api';
import type { RejectCount, RunRecord, StoredDocument } from '../contract.ts';
import { countRejects, selectPositions, selectRuns, upsertRun } from './bookkeeping-sql.ts';
import { asValue } from './decode.ts';
import { readLayout } from './layout.ts';
import type { Session } from './session.ts';
import type { Place } from './sql.ts';

type Rows = Record<string, DuckDBValue>[];

export async function writeRun(session: Session, place: Place, record: RunRecord): Promise<void> {
  await session.run(upsertRun(place), {
    id: record.runId,
    command: record.command,
    version: record.version,
    started: record.startedAt,
    ended: record.endedAt,
    status: record.status,
    summary: record.summary === null ? null : JSON.stringify(record.summary),
  });
}

export async function readRuns(session: Session, place: Place, limit: number): Promise<RunRecord[]> {
  const rows: Rows = (await readLayout(session, place, '_cleargrid_runs'))
    ? await session.rows(selectRuns(place), { limit })
    : [];
  return rows.map((row) => ({
    runId: String(row.run_id),
    command: String(row.command),
    version: String(row.version),
    startedAt: asValue(row.started_at!) as string,
    endedAt: asValue(row.ended_at ?? null) as string | null,
    status: row.status as RunRecord['status'],
    summary: row.summary === null ? null : JSON.parse(String(row.summary)),
  }));
}

export async function readRejects(session: Session, place: Place, runIds: readonly string[]): Promise<RejectCount[]> {
  const rows: Rows = (await readLayout(session, place, '_cleargrid_rejects'))
    ? await session.rows(countRejects(place), { runs: listValue(runIds) })
    : [];
  return rows.map((row) => ({
    stream: String(row.stream),
    reason: String(row.reason),
    records: Number(row.records),
    fresh: Number(row.fresh),
    seenAt: asValue(row.seen_at!) as string,
  }));
}

export async function readPositions(session: Session, place: Place): Promise<StoredDocument[]> {
  const rows: Rows = (await readLayout(session, place, '_cleargrid_positions'))
    ? await session.rows(selectPositions(place))
    : [];
  return rows.map((row) => ({
    stream: String(row.stream),
    document: String(row.position),
    runId: String(row.run_id),
    updatedAt: asValue(row.updated_at!) as string,
  }));
}
