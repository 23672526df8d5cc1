import {
  countRejects,
  countRuns,
  createBookkeeping,
  endLeases,
  insertRejects,
  renewLeases,
  selectPositions,
  selectProgress,
  selectRuns,
  takeLeases,
  upsertRun,
} from '../destinations/bigquery/bookkeeping-sql.ts';
import {
  commitBatch,
  commitHeld,
  commitMarking,
  commitPosition,
  commitRows,
} from '../destinations/bigquery/commit-sql.ts';
import { selectCounts, selectCursors } from '../destinations/bigquery/count.ts';
import { mergesOfNothing } from '../destinations/bigquery/estimate.ts';
import { bigqueryKinds, nativeColumns } from '../destinations/bigquery/kinds.ts';
import {
  createLedger,
  greatestAccepted,
  latestEntries,
  SENT_ENTRIES,
  selectLines,
  selectUnproven,
  upsertEntries,
} from '../destinations/bigquery/ledger-sql.ts';
import { inPlace, REJECTS, stagingName, tableNames } from '../destinations/bigquery/names.ts';
import { mergeParts } from '../destinations/bigquery/partitions.ts';
import {
  deleteCollided,
  selectCollided,
  selectRepeated,
  selectRepeatedKey,
  selectRepeatedLoaded,
} from '../destinations/bigquery/repeated-sql.ts';
import {
  countUnseen,
  forgetSeen,
  insertStagedRejects,
  markUnseen,
  mergeRows,
  mergeSeen,
  type Tables,
} from '../destinations/bigquery/rows-sql.ts';
import {
  countLoaded,
  createSeen,
  createTable,
  createTableOf,
  replaceKey,
} from '../destinations/bigquery/tables-sql.ts';
import { selectUnfilled, updateFilled } from '../destinations/bigquery/widening-sql.ts';
import { planWidening } from '../destinations/widening.ts';
import { withPrimaryKey } from '../schemas/registry.ts';
import type { Stream } from '../schemas/stream.ts';
import { borrowerDeals } from '../schemas/streams/borrower_deals.ts';
import { borrowerSubAccounts } from '../schemas/streams/borrower_sub_accounts.ts';
import { userLenderDetails } from '../schemas/streams/user_lender_details.ts';

/** Every statement that is sent to BigQuery, for streams that differ in what matters: by name, as it is sent. */
export function statements(): Map<string, string> {
  const place = { project: 'a-project', dataset: 'cleargrid' };
  const rejects = inPlace(place, REJECTS);
  const all = new Map<string, string>();

  const tablesOf = (stream: Stream): Tables => ({
    table: inPlace(place, tableNames(stream).table),
    seen: inPlace(place, tableNames(stream).seen),
    staging: inPlace(place, stagingName(stream, '0123456789abcdef')),
  });
  const loadingOf = (stream: Stream) => inPlace(place, tableNames(stream).loading);
  const merges = (stream: Stream, days: readonly string[], hasUndated: boolean, refreshing: boolean) =>
    mergeParts(stream, { days: new Set(days), hasUndated }, refreshing).map((part) =>
      mergeRows(stream, tablesOf(stream), nativeColumns(stream), part, refreshing),
    );
  const days = ['2026-02-27', '2026-02-28', '2026-03-01', '2026-05-04'];

  const dated = borrowerSubAccounts;
  const tables = tablesOf(dated);
  all.set('make the table of a first load', createTableOf(dated, tables.table, loadingOf(dated), 't1', 'day'));
  all.set('make an empty table', createTable(dated, tables.table, null, 'day'));
  all.set('make a table by month', createTable(dated, tables.table, null, 'month'));
  all.set('count what was loaded', countLoaded(loadingOf(dated), 'created_at'));
  all.set('commit a position alone', commitBatch(place, {}));
  all.set('commit the rows of a task', commitRows(place, { merges: merges(dated, days, false, false) }));
  all.set('commit the position of a task', commitPosition(place));
  all.set(
    'commit a batch',
    commitBatch(place, { merges: merges(dated, days, false, false), after: [insertStagedRejects(rejects, tables)] }),
  );
  all.set('commit a batch with rows without a day', commitBatch(place, { merges: merges(dated, days, true, false) }));
  all.set('make the seen keys', createSeen(dated, tables.seen));
  all.set(
    'commit the first batch of a refresh',
    commitBatch(place, {
      before: [deleteCollided(dated, tables.table), forgetSeen(tables)],
      merges: merges(dated, days, true, true),
      after: [mergeSeen(dated, tables)],
    }),
  );
  const marking = { count: countUnseen(dated, tables), mark: markUnseen(dated, tables), forget: forgetSeen(tables) };
  all.set('mark deletions', commitMarking(place, { ...marking, allowMassDelete: false }));
  all.set('mark deletions with leave', commitMarking(place, { ...marking, allowMassDelete: true }));

  const [estimated] = mergesOfNothing(dated, tables.table, { days: new Set(days), hasUndated: false });
  all.set('estimate a batch', estimated!);

  const undated = userLenderDetails;
  const undatedTables = tablesOf(undated);
  all.set(
    'make the table of a first load without partitions',
    createTableOf(undated, undatedTables.table, loadingOf(undated), 't1', 'day'),
  );
  all.set('commit a batch without partitions', commitBatch(place, { merges: merges(undated, [], true, false) }));

  const suspected = borrowerDeals;
  const columns = nativeColumns(suspected);
  const suspectedTables = tablesOf(suspected);
  const telling = ['created_at'];
  all.set('commit a batch of a suspected key', commitBatch(place, { merges: merges(suspected, days, false, false) }));
  all.set('find repeated keys', selectRepeated(suspected, suspectedTables, columns, telling, false));
  all.set('find repeated keys in a refresh', selectRepeated(suspected, suspectedTables, columns, telling, true));
  all.set(
    'find repeated keys of a first load',
    selectRepeatedLoaded(suspected, loadingOf(suspected), columns, telling),
  );

  const rekeyed = withPrimaryKey(suspected, ['public_id', 'created_at']);
  all.set('find rows that share the new key', selectCollided(rekeyed, suspectedTables.table, columns));
  all.set('remove rows that share the new key', commitHeld(place, [deleteCollided(rekeyed, suspectedTables.table)]));
  all.set('replace the key', replaceKey(rekeyed, suspectedTables.table, true));
  all.set('find a repeated key', selectRepeatedKey(suspected, suspectedTables.table));

  const present = new Set(['public_id', 'updated_at', 'due_date', '_extra', '_changes', '_synced_at', '_deleted_at']);
  const widening = planWidening(dated, present, bigqueryKinds)!;
  const filled = nativeColumns(dated).filter(({ name }) =>
    [...widening.names, 'public_id', '_extra', '_changes'].includes(name),
  );
  all.set('find rows to fill', selectUnfilled(dated, tables.table, widening, ['due_date']));
  all.set('fill new columns', updateFilled(dated, tables.table, tables.staging, filled));

  const spans = [
    { since: null, until: '2026-03-01T00:00:00.000000Z' },
    { since: '2026-03-01T00:00:00.000000Z', until: '2026-04-01T00:00:00.123456Z' },
  ];
  all.set('count rows by spans', selectCounts(place, dated, spans));
  all.set('find rows by their keys', selectCursors(place, rekeyed));

  all.set('make the bookkeeping', createBookkeeping(place));
  all.set('take leases', takeLeases(place));
  all.set('renew leases', renewLeases(place));
  all.set('end leases', endLeases(place));
  all.set('read a position', selectProgress(place));
  all.set('read all positions', selectPositions(place));
  all.set('write a run', upsertRun(place));
  all.set('read runs', selectRuns(place));
  all.set('count the runs of a day', countRuns(place));
  all.set('count the rejects', countRejects(place));
  all.set('write rejects', insertRejects(place));

  all.set('make the ledger', createLedger(place));
  all.set('write the ledger', upsertEntries(place, SENT_ENTRIES));
  all.set('read when anything was accepted last', greatestAccepted(place));
  all.set('read lines of the ledger', selectLines(place));
  all.set('read what was accepted last', latestEntries(place));
  all.set('read what is unproven', selectUnproven(place));
  return all;
}
