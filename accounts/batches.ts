import type { GoodAccount } from './check.ts';

export interface BatchLimits {
  readonly accounts: number;
  /** Of the accounts' JSON. */
  readonly bytes: number;
}

export type Batch = readonly GoodAccount[];

/** Batches that go one after the other. */
export type Lane = readonly Batch[];

/** Lanes that may go side by side. */
export type Wave = readonly Lane[];

/**
 * Cuts accounts into batches so that no two requests under way at once hold the same account (by `accountId`), and what is said of one
 * sub-account first is accepted before what is said of it next: waves go one after the other, and a wave has each sub-account once.
 */
export function planBatches(accounts: readonly GoodAccount[], limits: BatchLimits): Wave[] {
  return byOccurrence(accounts).map((wave) => lanesOf(wave, limits));
}

/** The first of each sub-account, the second of each, and so on. */
function byOccurrence(accounts: readonly GoodAccount[]): GoodAccount[][] {
  const occurrences = new Map<string, number>();
  const waves: GoodAccount[][] = [];
  for (const account of accounts) {
    const key = accountKey(account);
    const before = occurrences.get(key) ?? 0;
    occurrences.set(key, before + 1);
    waves[before] ??= [];
    waves[before].push(account);
  }
  return waves;
}

/** A sub-account as one text. */
export function accountKey({
  accountId,
  subAccountId,
}: {
  readonly accountId: string;
  readonly subAccountId: string;
}): string {
  return `${accountId}\n${subAccountId}`;
}

function lanesOf(wave: readonly GoodAccount[], { accounts: most, bytes: mostBytes }: BatchLimits): Wave {
  const lanes: Lane[] = [];
  let open: GoodAccount[] = [];
  let bytes = 0;
  const close = () => {
    if (open.length > 0) lanes.push([open]);
    open = [];
    bytes = 0;
  };
  for (const group of Map.groupBy(wave, ({ accountId }) => accountId).values()) {
    const size = group.reduce((sum, each) => sum + each.bytes + 1, 0);
    if (group.length > most || (group.length > 1 && size > mostBytes)) {
      lanes.push(cut(group, most, mostBytes));
      continue;
    }
    if (open.length + group.length > most || bytes + size > mostBytes) close();
    open.push(...group);
    bytes += size;
  }
  close();
  return lanes;
}

/** An account with more sub-accounts than one batch holds. */
function cut(group: readonly GoodAccount[], most: number, mostBytes: number): Lane {
  const lane: GoodAccount[][] = [];
  let bytes = 0;
  for (const each of group) {
    const open = lane.at(-1);
    if (open === undefined || open.length === most || bytes + each.bytes + 1 > mostBytes) {
      lane.push([each]);
      bytes = each.bytes + 1;
    } else {
      open.push(each);
      bytes += each.bytes + 1;
    }
  }
  return lane;
}
