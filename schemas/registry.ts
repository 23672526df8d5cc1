import { text, timestamp } from './kinds.ts';
import { type Dataset, defineStream, type Stream, type SuspectKey } from './stream.ts';
import { borrowerAccountEvents } from './streams/borrower_account_events.ts';
import { borrowerAccounts } from './streams/borrower_accounts.ts';
import { borrowerDealActivityLogs } from './streams/borrower_deal_activity_logs.ts';
import { borrowerDealLogs } from './streams/borrower_deal_logs.ts';
import { borrowerDeals } from './streams/borrower_deals.ts';
import { borrowerPaymentPlanInstallments } from './streams/borrower_payment_plan_installments.ts';
import { borrowerPaymentPlans } from './streams/borrower_payment_plans.ts';
import { borrowerPayments } from './streams/borrower_payments.ts';
import { borrowerSettlements } from './streams/borrower_settlements.ts';
import { borrowerSubAccounts } from './streams/borrower_sub_accounts.ts';
import { borrowers } from './streams/borrowers.ts';
import { communicationLogs } from './streams/communication_logs.ts';
import { conversations } from './streams/conversations.ts';
import { dealActivityLogs } from './streams/deal_activity_logs.ts';
import { dealViews } from './streams/deal_views.ts';
import { manualCommunicationLogs } from './streams/manual_communication_logs.ts';
import { paymentProofs } from './streams/payment_proofs.ts';
import { scheduledPayments } from './streams/scheduled_payments.ts';
import { userLenderDetails } from './streams/user_lender_details.ts';

/** Every declared stream, in the order of the datasets' codes. A new dataset is its file and one line here. */
export const STREAMS: readonly Stream[] = [
  borrowers,
  borrowerAccounts,
  borrowerSubAccounts,
  borrowerAccountEvents,
  borrowerPayments,
  borrowerPaymentPlans,
  borrowerPaymentPlanInstallments,
  scheduledPayments,
  paymentProofs,
  borrowerSettlements,
  borrowerDeals,
  borrowerDealActivityLogs,
  borrowerDealLogs,
  dealActivityLogs,
  dealViews,
  communicationLogs,
  conversations,
  manualCommunicationLogs,
  userLenderDetails,
];

const byName = new Map(STREAMS.map((stream) => [stream.name, stream]));

/** The declared stream of that name, or null. */
export function streamNamed(name: string): Stream | null {
  return byName.get(name) ?? null;
}

/** What a catalog tells of a dataset that no file declares. */
export interface UndeclaredDataset extends Pick<Dataset, 'section' | 'code'> {
  /** The field that the API pages by. */
  readonly cursorField: string;
  /** What the catalog calls it, or null. */
  readonly name: string | null;
}

/**
 * A stream for a dataset that the API offers and no file declares yet, named after its code: the columns that datasets have in
 * common, and all else in `_extra`. Its pages may be short before the end, which is safe for a dataset of either paging.
 *
 * @throws {Error} when the cursor field cannot be a column (it would take the name of another).
 */
export function genericStream({ section, code, cursorField, name }: UndeclaredDataset): Stream {
  return defineStream({
    name: code.toLowerCase(),
    description: `${name ?? code}: a dataset that is not declared yet; what has no column is in _extra.`,
    dataset: { section, code, paging: 'via' },
    cursor: cursorField,
    // A field of the business, as `communicated_at` is: what it says of a record may be older than the record.
    ...(!['updated_at', 'created_at'].includes(cursorField) && { lookBack: 'P30D' }),
    columns: { public_id: text, [cursorField]: timestamp, created_at: timestamp, updated_at: timestamp },
  });
}

/**
 * The stream with another key. A key that tells apart what the stream's own is suspected to mix up ends that suspicion; one without
 * a column of the stream's own key is suspected itself, of mixing up rows that differ in it, or in when they were created.
 *
 * @throws {Error} when the key is empty, names a column twice or one that the stream does not have or that cannot be a key.
 */
export function withPrimaryKey(stream: Stream, key: readonly string[]): Stream {
  if (key.length === 0) throw new Error(`stream ${stream.name}: a primary key needs a column`);
  const unknown = key.filter((name) => !stream.columns.some((column) => column.name === name));
  if (unknown.length > 0) throw new Error(`stream ${stream.name} has no column ${unknown.join(', ')}`);
  const twice = key.find((name, at) => key.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`stream ${stream.name}: the primary key names ${twice} twice`);
  const unfit = stream.columns.find(({ name, kind }) => key.includes(name) && (kind === 'json' || kind === 'double'));
  if (unfit)
    throw new Error(`stream ${stream.name}: ${unfit.name} is ${unfit.kind} and cannot be part of a primary key`);
  return { ...stream, primaryKey: [...key], suspectKey: suspicionOf(stream, key) };
}

function suspicionOf({ columns, primaryKey, suspectKey }: Stream, key: readonly string[]): SuspectKey | null {
  const left = (names: readonly string[]) => names.filter((name) => !key.includes(name));
  if (left(primaryKey).length > 0) {
    const created = columns.filter(({ name }) => name === 'created_at').map(({ name }) => name);
    const by = new Set(left([...primaryKey, ...(suspectKey?.by ?? []), ...created]));
    return { by: [...by], suggest: suspectKey?.suggest ?? primaryKey };
  }
  return suspectKey !== null && left(suspectKey.suggest).length > 0 ? suspectKey : null;
}
