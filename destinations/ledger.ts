/**
 * The ledger of the accounts that were sent to ClearGrid, table `_cleargrid_pushes`. Beside a `Destination`'s tables, which hold what
 * the API said, it holds what we said to the API, and what became of it.
 */
export interface Ledger {
  /**
   * Takes the ledger for this run, until the destination is closed, and makes its table where it is missing. Two runs never
   * hold one ledger at once.
   *
   * @returns the greatest `acceptedAt` in it, or null: what is accepted next comes later, whatever a clock says.
   * @throws {LockedFailure} when another run has it for longer than 5 s.
   */
  hold(run: LedgerRun): Promise<string | null>;

  /**
   * Inserts entries, or puts them in the place of those with the same input and line; all or none, durable when it resolves. No
   * line of an input comes twice in one call, and no more than 10,000 entries. Only a run that holds the ledger writes.
   */
  write(entries: readonly LedgerEntry[]): Promise<void>;

  // What follows needs no hold and makes nothing: a ledger that is not there is empty.

  /** The entries of an input from line `first` to line `last`, both included, by line. */
  lines(input: string, first: number, last: number): Promise<readonly LedgerEntry[]>;

  /**
   * What was accepted last for each of these accounts of a lender, in any order; an account for which nothing was accepted has none. An
   * entry counts when its state is `accepted`, `confirmed` or `differs`, and it does not stand at or behind the wanted line of the
   * same input; of those, the one with the greatest `acceptedAt`. No account comes twice in one call, and no more than 10,000.
   */
  latest(lender: string, wanted: readonly WantedAccount[]): Promise<readonly LedgerEntry[]>;

  /**
   * All entries but refused ones of each account (by its `accountId`) of a lender that has one to prove: in state `pending`, `accepted`,
   * `differs` or `lost`, or accepted at `since` or later. Streamed; those of one account come together, and of those the ones of
   * one sub-account, by `acceptedAt` (null last), input and line.
   */
  unproven(lender: string, since: string | null): AsyncIterable<LedgerEntry>;
}

/** The run that holds the ledger. */
export interface LedgerRun {
  readonly id: string;
  readonly command: string;
  readonly startedAt: string;
}

/** An account that a line of an input names. */
export interface WantedAccount {
  readonly accountId: string;
  readonly subAccountId: string;
  readonly input: string;
  readonly line: number;
}

/**
 * What became of an account: about to be sent or on its way; accepted by the API; refused by it; found in the exports as it was
 * sent, found otherwise, or not found.
 */
export const LEDGER_STATES = ['pending', 'accepted', 'refused', 'confirmed', 'differs', 'lost'] as const;

export type LedgerState = (typeof LEDGER_STATES)[number];

/** One line of one input. Instants are the server's, `YYYY-MM-DDTHH:MM:SS.ffffffZ`. */
export interface LedgerEntry {
  /** SHA-256 of the lender and the input's bytes, in hex. */
  readonly input: string;
  /** Where the account stands in the input, from 1. */
  readonly line: number;
  /** The lender's UUID. */
  readonly lender: string;
  readonly accountId: string;
  readonly subAccountId: string;
  /** SHA-256 of the account as it is sent, in hex. */
  readonly content: string;
  /** What of the account can be proven from the exports, by field; nothing personal. */
  readonly fields: Readonly<Record<string, string>>;
  /** Names the request that it was last part of, or null. */
  readonly batch: string | null;
  readonly state: LedgerState;
  /** Why it was refused, or which fields differ. */
  readonly reasons: readonly string[];
  readonly runId: string;
  /** When it was first about to be sent with this content. */
  readonly pendingAt: string;
  readonly acceptedAt: string | null;
  readonly provedAt: string | null;
}
