import { appendPosition, comeAlone, holdLease, isHeld } from './bookkeeping-sql.ts';
import type { Place } from './names.ts';

/**
 * The transactions. Each appends the position first: a run that lost its lease, or did not know the position that is stored, ends
 * there with `committed` false and has written nothing.
 */

/** The statements of a commit, in this order; what `merges` change is counted as written. */
export interface BatchStatements {
  readonly before?: readonly string[];
  readonly merges?: readonly string[];
  readonly after?: readonly string[];
}

export function commitBatch(place: Place, statements: BatchStatements): string {
  return writing(unlessDone(appendPosition(place)), statements);
}

/**
 * What a task writes of a batch: its rows alone. Its position comes after them (`commitPosition`), since every task stores positions of the
 * stream, and rows that are written twice are the same. `@stream`, `@token`.
 */
export function commitRows(place: Place, statements: BatchStatements): string {
  return writing(unless(isHeld(place)), statements);
}

function writing(guard: string, { before = [], merges = [], after = [] }: BatchStatements): string {
  const counted = merges.flatMap((merge) => [merge, 'set written = written + @@row_count']);
  return `declare written int64 default 0;
begin transaction;
${guard}
${[...before, ...counted, ...after].map((statement) => `${statement};\n`).join('')}commit transaction;
select true as committed, written`;
}

/** A position that comes after the one that is stored, whoever else stores one at the same time. */
export function commitPosition(place: Place): string {
  return `begin transaction;
${comeAlone(place)};
${unlessDone(appendPosition(place))}
commit transaction;
select true as committed`;
}

/** Statements that change no position, with the lease held: `@stream`, `@token`. */
export function commitHeld(place: Place, statements: readonly string[]): string {
  return `begin transaction;
${unlessDone(holdLease(place))}
${statements.map((statement) => `${statement};\n`).join('')}commit transaction;
select true as committed`;
}

/** What ends a full refresh, with the lease held against a run that begins meanwhile. */
export function commitMarking(place: Place, marking: Marking): string {
  const held = marking.allowMassDelete
    ? ''
    : `
if found.unseen >= ${LEAST_HELD} and found.unseen * 2 > found.unmarked then
  commit transaction;
  select true as committed, true as held, found.unseen as unseen, found.unmarked as unmarked;
  return;
end if;`;
  return `declare found struct<unmarked int64, unseen int64>;
begin transaction;
${unlessDone(holdLease(place))}
${marking.count};${held}
${unlessDone(appendPosition(place))}
${marking.mark};
${marking.forget};
commit transaction;
select true as committed, false as held, found.unseen as unseen, found.unmarked as unmarked`;
}

interface Marking {
  readonly count: string;
  readonly mark: string;
  readonly forget: string;
  readonly allowMassDelete: boolean;
}

/** Fewer rows may be marked deleted without leave, however small the table is. */
const LEAST_HELD = 100;

/** A statement that must change a row, or the transaction ends with nothing done. */
function unlessDone(statement: string): string {
  return `${statement};\n${endIf('@@row_count = 0')}`;
}

/** What must hold, or the transaction ends with nothing done. */
function unless(condition: string): string {
  return endIf(`not ${condition}`);
}

function endIf(condition: string): string {
  return `if ${condition} then
  rollback transaction;
  select false as committed;
  return;
end if;`;
}
