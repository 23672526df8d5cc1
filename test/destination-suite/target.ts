import type { Destination } from '../../destinations/contract.ts';

/** What the suite needs to know of a destination beside its contract: where it stores, and what other people may do there. */
export interface Target {
  /** Another destination on this target's storage, as the next run or a second process would make it; nothing is open yet. */
  destination(): Destination;
  /** A table's name (a stream's, or one of ours such as `_cleargrid_rejects`) as a query must spell it. */
  spell(table: string): string;
  /** Whether there is nothing of ours: no table, no schema, no file. */
  isUntouched(): Promise<boolean>;
  /** What people do to tables, whether or not a destination is open. */
  readonly tamper: Tamper;
  /** Takes everything away. Called after each test, when all its destinations are closed. */
  remove(): Promise<void>;
}

export interface Tamper {
  dropTable(stream: string): Promise<void>;
  /** Deletes all rows, and leaves the table. */
  emptyTable(stream: string): Promise<void>;
  /** Puts a copy, with the same rows, under the table's name. */
  swapTable(stream: string): Promise<void>;
  /** Adds a text column that no stream declares, with this value in every row. */
  addColumn(stream: string, column: string, value: string): Promise<void>;
  /** Gives a column of whole numbers a type that does not hold all of them. */
  narrowColumn(stream: string, column: string): Promise<void>;
  /** Stores another document as the stream's position; it is JSON. */
  storeDocument(stream: string, document: string): Promise<void>;
  /** Forgets which keys the open refresh has brought. */
  dropSeenKeys(stream: string): Promise<void>;
  /** Stores a greater fencing token, as another run does that takes the stream over. */
  takeOver(stream: string): Promise<void>;
}

export type MakeTarget = () => Promise<Target>;
