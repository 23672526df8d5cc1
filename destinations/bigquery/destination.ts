import { setTimeout as sleep } from 'node:timers/promises';
import type { Stream } from '../../schemas/stream.ts';
import type { BigqueryConfig } from '../config.ts';
import type { Destination, Run, StoredDocument, Table } from '../contract.ts';
import { countRuns, selectPositions } from './bookkeeping-sql.ts';
import { checkRights } from './check.ts';
import type { ClientOptions } from './client.ts';
import { type Costs, noCosts, quotaWarnings } from './costs.ts';
import { countRows, cursorsOf } from './count.ts';
import { estimateMerge } from './estimate.ts';
import { bigqueryKinds } from './kinds.ts';
import { type Holder, holdLeases, type Leases } from './leases.ts';
import { bigqueryLedger } from './ledger.ts';
import { unlessMissing } from './missing.ts';
import { queryRows } from './query.ts';
import { bigqueryRuns } from './runs.ts';
import { openSession } from './session.ts';
import { bigqueryTable } from './table.ts';
import { upgradeTable } from './upgrade.ts';

const systemTiming: ClientOptions = { sleep: (ms) => sleep(ms), random: Math.random };

/** BigQuery, as a destination. Nothing is connected to before its first method is called. */
export function bigqueryDestination(config: BigqueryConfig, timing: ClientOptions = systemTiming): Destination {
  const session = openSession(config, timing);
  const held: Leases[] = [];
  const costs = new Map<string, Costs>();

  async function open(streams: readonly Stream[], run: Run): Promise<Map<string, Table>> {
    const { tokens } = await hold(
      streams.map(({ name }) => name),
      run,
    );
    try {
      const opened = streams.map(async (stream): Promise<[string, Table]> => {
        const own = noCosts();
        costs.set(stream.name, own);
        await upgradeTable({ session, stream, run, costs: own });
        return [stream.name, bigqueryTable({ session, stream, run, token: tokens.get(stream.name)!, costs: own })];
      });
      // All are waited for: none may go on once the leases are given back.
      await Promise.allSettled(opened);
      return new Map(await Promise.all(opened));
    } catch (error) {
      await close();
      throw error;
    }
  }

  async function hold(names: readonly string[], run: Holder): Promise<Leases> {
    session.labelWith(run.id);
    if ((await session.catalog.dataset()) === null) await session.catalog.createDataset();
    const leases = await holdLeases(session, names, run);
    held.push(leases);
    return leases;
  }

  async function close(): Promise<void> {
    await Promise.all(held.splice(0).map((leases) => leases.end()));
  }

  return {
    kinds: bigqueryKinds,
    // One load and one transaction a batch, each worth many rows; a page is 80 kB once it is compressed.
    batching: { lanes: 1, rows: 500_000, bytes: 48_000_000, seconds: 300, budget: 64_000_000 },
    check: () => checkRights(session),
    open,
    async positions() {
      const what = 'read the positions';
      const rows = await unlessMissing(session.rows({ sql: selectPositions(session.place) }, { what }));
      return rows.map(
        ({ stream, position, run_id, updated_at }): StoredDocument => ({
          stream: String(stream),
          document: String(position),
          runId: String(run_id),
          updatedAt: String(updated_at),
        }),
      );
    },
    count: (stream, spans) => countRows(session, stream, spans),
    cursors: (stream, keys) => cursorsOf(session, stream, keys),
    runs: bigqueryRuns(session),
    ledger: bigqueryLedger(session, hold),
    query: (sql) => queryRows(session, sql),
    close,
    async costs() {
      const what = 'count the runs of a day';
      const [counted] = await unlessMissing(session.rows({ sql: countRuns(session.place) }, { what }));
      return { streams: costs, warnings: quotaWarnings(costs, Math.max(1, Number(counted?.runs ?? 0))) };
    },
    estimate: (stream, page) => estimateMerge(session, stream, page),
  };
}
