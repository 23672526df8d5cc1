import { configError, Failure, systemError } from './failure.ts';
import {
  applyChanges,
  hasApplied,
  type Position,
  type PositionChange,
  positionSchema,
  type Refresh,
  type StoredFacts,
} from './position.ts';
import { partLost, partsOf } from './tasks.ts';

/** What every destination works out from the stored document, which it holds locked, before it writes a batch. */
export interface StoredState {
  readonly position: Position | null;
  /** The batch's changes are part of the document already: its commit had landed though nobody learned of it. */
  readonly applied: boolean;
  /** What an earlier refresh has seen is to be forgotten before the rows are written: a refresh begins, or none is open. */
  readonly forgetsSeen: boolean;
}

/**
 * Judges a batch's changes by the stored document.
 *
 * @param document the stored JSON text, or null.
 * @param table the identity of the stream's table now; null when there is none.
 * @throws {Failure} `transient_error` when the table is no longer the one that the position stands for (a position passed on
 *   to another table would skip what only the old one held); the next run starts the stream over (rule 17).
 */
export function judgeStored(
  stream: string,
  document: string | null,
  table: string | null,
  changes: readonly PositionChange[],
): StoredState {
  const begins = changes.some((change) => change.type === 'begin');
  const position = begins ? tolerantParse(document) : parsePosition(stream, document);
  // A task whose part has ended learns that, whatever else has become of the stream.
  const parts = new Set(position === null ? [] : partsOf(position).map(({ id }) => id));
  if (changes.some((change) => change.type === 'renew' && !parts.has(change.id))) throw partLost();
  const changesMore = changes.some((change) => change.type !== 'seen');
  const applied = changesMore && position?.table === table && hasApplied(position, changes);
  if (!begins && position !== null) checkIdentity(stream, position, table);
  const forgetsSeen = !applied && changes.some((change) => isOtherRefresh(change, position?.refresh ?? null));
  return { position, applied, forgetsSeen };
}

/** The document's JSON text once the batch is written. */
export function documentAfter(state: StoredState, changes: readonly PositionChange[], facts: StoredFacts): string {
  if (!state.applied) return JSON.stringify(applyChanges(state.position, changes, facts));
  return JSON.stringify({ ...state.position, rows: state.position!.rows || facts.holdsRows });
}

/**
 * The position whose refresh is about to end.
 *
 * @param part the part in the stream of the task that ends it, where tasks share it. @throws {PartLost} when it has ended.
 * @throws {Failure} `system_error` when no refresh is open: without the keys it has seen, every row would count as unseen.
 */
export function refreshedPosition(
  stream: string,
  document: string | null,
  table: string | null,
  part: string | undefined,
): Position {
  const position = parsePosition(stream, document);
  if (part !== undefined && (position === null || !partsOf(position).some(({ id }) => id === part))) throw partLost();
  if (position === null || position.refresh === null) throw systemError(`stream ${stream}: no full refresh is open`);
  checkIdentity(stream, position, table);
  return position;
}

/** An open refresh whose seen keys are gone (dropped by hand) can neither go on nor mark anything. */
export function lostSeenKeys(stream: string): Failure {
  return configError(
    `stream ${stream}: the keys that its open full refresh has seen are gone. Run sync --full-refresh for it, which begins anew.`,
  );
}

function checkIdentity(stream: string, position: Position, table: string | null): void {
  if (position.table !== null && position.table !== table) throw replacedTable(stream);
}

/** The table that a run has opened is no longer the one that has its name. */
export class TableReplaced extends Failure {}

export function replacedTable(stream: string): Failure {
  return new TableReplaced(
    'transient_error',
    `stream ${stream}: its table was dropped or replaced while this run was writing to it; nothing was written. ` +
      'Run sync again: it will start this stream over.',
  );
}

/** A refresh is known by the instant at which it began. */
function isOtherRefresh(change: PositionChange, open: Refresh | null): boolean {
  if (change.type === 'begin') return true;
  return change.type === 'plan' && change.refresh?.started !== open?.started;
}

function parsePosition(stream: string, document: string | null): Position | null {
  if (document === null) return null;
  const position = tolerantParse(document);
  if (position === null) {
    throw configError(
      `stream ${stream}: its stored position is damaged or was written by another version. Run sync --full-refresh for it.`,
    );
  }
  return position;
}

/** A document that is about to be replaced as a whole may be damaged. */
function tolerantParse(document: string | null): Position | null {
  if (document === null) return null;
  try {
    const parsed = positionSchema.safeParse(JSON.parse(document));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
