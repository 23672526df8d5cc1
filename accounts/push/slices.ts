import { type CheckedAccount, checkAccount, type GoodAccount, isGood } from '../check.ts';
import type { Items } from '../input/item.ts';

/** What is decided, and written to the ledger, at once. Both bound memory. */
export const SLICE = { accounts: 2_000, bytes: 16 * 1024 * 1024 };

/** The accounts of an input, checked. */
export async function* checkedAccounts(items: Items): AsyncGenerator<readonly CheckedAccount[]> {
  for await (const some of items) {
    yield some.map((item) =>
      'problem' in item
        ? { line: item.line, accountId: null, problems: [{ field: '', reason: item.problem }] }
        : checkAccount(item.line, item.value),
    );
  }
}

/** Good accounts in slices, in the order of their lines; bad ones are told on the way. */
export async function* slices(
  checked: AsyncIterable<readonly CheckedAccount[]>,
  bad: (account: Exclude<CheckedAccount, GoodAccount>) => void,
): AsyncGenerator<readonly GoodAccount[]> {
  let slice: GoodAccount[] = [];
  let bytes = 0;
  for await (const some of checked) {
    for (const account of some) {
      if (!isGood(account)) {
        bad(account);
        continue;
      }
      slice.push(account);
      bytes += account.bytes;
      if (slice.length < SLICE.accounts && bytes < SLICE.bytes) continue;
      yield slice;
      slice = [];
      bytes = 0;
    }
  }
  if (slice.length > 0) yield slice;
}
