import type { Field } from '../fields.ts';
import type { Unknowns } from '../unknowns.ts';
import * as accounts from './accounts.ts';
import * as cases from './cases.ts';
import * as communications from './communications.ts';
import * as payments from './payments.ts';
import * as people from './people.ts';

const SHAPES: Readonly<Record<string, readonly Field[]>> = {
  D01: people.borrowers,
  D02: accounts.borrowerAccounts,
  D03: accounts.borrowerSubAccounts,
  D05: accounts.borrowerAccountEvents,
  D07: payments.borrowerPayments,
  D08: payments.borrowerPaymentPlans,
  D09: payments.borrowerPaymentPlanInstallments,
  D12: payments.scheduledPayments,
  D14: payments.paymentProofs,
  D15: payments.borrowerSettlements,
  D16: cases.borrowerDeals,
  D17: cases.borrowerDealActivityLogs,
  D18: cases.borrowerDealLogs,
  D19: cases.dealActivityLogs,
  D20: cases.dealViews,
  D21: communications.communicationLogs,
  D22: communications.conversations,
  D23: communications.manualCommunicationLogs,
  D26: people.userLenderDetails,
};

/** The fields of a dataset's records, in the order in which the API writes them. */
export function shapeOf(code: string, unknowns: Unknowns): readonly Field[] {
  const fields = SHAPES[code] ?? payments.undeclared;
  return fields
    .filter((field) => unknowns.partialRows === 'assumed' || !field.assumed)
    .map((field) => field.otherwise?.(unknowns) ?? field);
}
