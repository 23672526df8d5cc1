import type { RunRecord, Runs } from '../contract.ts';
import { countRejects, createBookkeeping, selectRuns, upsertRun } from './bookkeeping-sql.ts';
import { unlessMissing } from './missing.ts';
import type { Session } from './session.ts';
import { BigqueryFailure, isNotFound } from './trouble.ts';

/** The run records, one row a run, and the rejects that runs have left. */
export function bigqueryRuns(session: Session): Runs {
  async function store({ runId, command, version, startedAt, endedAt, status, summary }: RunRecord): Promise<void> {
    const statement = {
      sql: upsertRun(session.place),
      parameters: {
        ...{ id: runId, command, version, started: startedAt, ended: endedAt, status },
        summary: summary === null ? null : JSON.stringify(summary),
      },
    };
    const options = { what: 'write the run record' };
    try {
      await session.run(statement, options);
    } catch (error) {
      if (!(error instanceof BigqueryFailure) || !isNotFound(error.trouble)) throw error;
      if ((await session.catalog.dataset()) === null) await session.catalog.createDataset();
      await session.run({ sql: createBookkeeping(session.place) }, { what: 'make the table of runs' });
      await session.run(statement, options);
    }
  }

  return {
    begin: store,
    end: store,
    async recent(limit) {
      const statement = { sql: selectRuns(session.place), parameters: { limit } };
      const rows = await unlessMissing(session.rows(statement, { what: 'read the run records' }));
      return rows.map(
        (row): RunRecord => ({
          runId: String(row.run_id),
          command: String(row.command),
          version: String(row.version),
          startedAt: String(row.started_at),
          endedAt: row.ended_at === null ? null : String(row.ended_at),
          status: row.status as RunRecord['status'],
          summary: row.summary === null ? null : (JSON.parse(String(row.summary)) as unknown),
        }),
      );
    },
    async rejects(runIds) {
      const statement = { sql: countRejects(session.place), parameters: { runs: runIds } };
      const rows = await unlessMissing(session.rows(statement, { what: 'count the rejects' }));
      return rows.map((row) => ({
        stream: String(row.stream),
        reason: String(row.reason),
        records: Number(row.records),
        fresh: Number(row.fresh),
        seenAt: String(row.seen_at),
      }));
    },
  };
}
