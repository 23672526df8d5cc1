import type { ApiVersion } from '../../connector/api/addresses.ts';
import type { Api } from '../../connector/api/connect.ts';
import { type RetryBounds, withRetries } from '../../connector/api/retry.ts';
import type { Timing } from '../../connector/timing.ts';
import { configError } from '../../destinations/failure.ts';
import { NAMELESS_REFUSALS } from '../assumptions.ts';
import type { Batch } from '../batches.ts';
import type { GoodAccount } from '../check.ts';
import { type Answered, postAccounts } from './post.ts';
import { cleanReasons } from './reasons.ts';

/** As patient as the exports' client: what passes within two minutes stops nothing. */
const BOUNDS: RetryBounds = { tries: 8, budgetMs: 120_000 };

/** So many refusals without a name, and no account accepted: it is not the accounts that are wrong. */
const HOPELESS = 20;

export interface DeliveryOptions {
  readonly api: Api;
  readonly version: ApiVersion;
  readonly timing: Timing;
  readonly signal: AbortSignal;
  /** Called with accounts that the API has accepted; durable when it resolves. */
  accepted(accounts: Batch): Promise<void>;
  /** The same with one that it has refused, and its reasons. */
  refused(account: GoodAccount, reasons: readonly string[]): Promise<void>;
  /** Called before each request. */
  sending(isRepeat: boolean): void;
}

/**
 * Gives the function that sends a batch until each of its accounts is accepted or refused. Accounts that a refusal names are set aside, and
 * the rest is sent again; a batch that is refused without a name is halved until one account is left.
 *
 * @throws {Failure} when the API cannot be reached, or refuses the request itself; some of the batch may have been accepted then.
 */
export function createDelivery(options: DeliveryOptions): (batch: Batch) => Promise<void> {
  const { api, version, timing, signal } = options;
  let acceptedAny = false;
  let nameless = 0;

  function post(batch: Batch): Promise<Answered> {
    let tries = 0;
    return withRetries(BOUNDS, timing, signal, () => {
      options.sending(tries++ > 0);
      return postAccounts(api, version, batch, signal);
    });
  }

  async function deliver(batch: Batch): Promise<void> {
    if (batch.length === 0) return;
    const answered = await post(batch);
    if (answered.answer === 'accepted') {
      acceptedAny = true;
      return options.accepted(batch);
    }
    if (answered.answer === 'refused') {
      const named = batch.filter(({ accountId }) => answered.named.has(accountId));
      if (named.length > 0) return setAside(batch, named, answered.named);
      if (batch.length === 1) return deliverAlone(batch[0]!, answered.message);
    } else if (batch.length === 1) {
      return options.refused(batch[0]!, ['the account alone is too large for the API (413)']);
    }
    const half = Math.ceil(batch.length / 2);
    await deliver(batch.slice(0, half));
    await deliver(batch.slice(half));
  }

  /** A name stands for all sub-accounts of it in the batch: each of them is then sent without the others, and tells for itself. */
  async function setAside(batch: Batch, named: Batch, reasons: ReadonlyMap<string, readonly string[]>): Promise<void> {
    const groups = [...Map.groupBy(named, ({ accountId }) => accountId).values()];
    for (const [first, ...others] of groups) {
      if (others.length === 0) await refuse(first!, reasons.get(first!.accountId)!);
    }
    const shared = groups.filter((group) => group.length > 1);
    const most = Math.max(0, ...shared.map((group) => group.length));
    const rounds = Array.from({ length: most }, (_, at) => shared.flatMap((group) => group.slice(at, at + 1)));
    await deliver(batch.filter((each) => !named.includes(each)));
    for (const round of rounds) await deliver(round);
  }

  async function deliverAlone(account: GoodAccount, message: string | null): Promise<void> {
    for (let refusals = 1; refusals < NAMELESS_REFUSALS; refusals++) {
      const answered = await post([account]);
      if (answered.answer === 'accepted') {
        acceptedAny = true;
        return options.accepted([account]);
      }
      if (answered.answer === 'refused' && answered.named.has(account.accountId)) {
        return refuse(account, answered.named.get(account.accountId)!);
      }
    }
    nameless += 1;
    if (nameless === HOPELESS && !acceptedAny) {
      throw configError(
        `the API has refused ${nameless} accounts one by one without naming any, and accepted none: ask ClearGrid's support`,
      );
    }
    return refuse(account, message === null ? [] : [message]);
  }

  function refuse(account: GoodAccount, reasons: readonly string[]): Promise<void> {
    const told = cleanReasons(reasons, account.json);
    return options.refused(account, told.length === 0 ? ['refused without a reason'] : told);
  }

  return deliver;
}
