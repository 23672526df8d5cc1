/** What the API exports, copied from its documentation: an independent witness, so nothing here comes from the stream declarations. */
export interface DatasetInfo {
  readonly code: string;
  readonly name: string | null;
  readonly section: string;
  readonly cursorField: CursorField | null;
  /** Reserved datasets are listed with `false` and answer 404. */
  readonly available: boolean;
  /** `direct`: filtered by lender, every page full. `via`: joined through a parent, pages may be short or empty. */
  readonly paging: 'direct' | 'via';
}

export type CursorField = 'updated_at' | 'created_at' | 'communicated_at';

export const SECTIONS: Readonly<Record<string, string>> = {
  S1: 'Customers & Accounts',
  S2: 'Payments & Settlements',
  S3: 'Collections Cases',
  S4: 'Communications',
  S5: 'Reference & Configuration',
};

function open(
  section: string,
  code: string,
  name: string,
  paging: 'direct' | 'via' = 'direct',
  cursorField: CursorField = 'updated_at',
): DatasetInfo {
  return { code, name, section, cursorField, available: true, paging };
}

/** The section of a reserved dataset follows from numbering (inferred; D06 could as well be S2). */
function reserved(section: string, code: string): DatasetInfo {
  return { code, name: null, section, cursorField: null, available: false, paging: 'direct' };
}

export const DATASETS: readonly DatasetInfo[] = [
  open('S1', 'D01', 'Borrowers'),
  open('S1', 'D02', 'Borrower Accounts'),
  open('S1', 'D03', 'Borrower Sub Accounts', 'via'),
  reserved('S1', 'D04'),
  open('S1', 'D05', 'Borrower Account Events', 'direct', 'created_at'),
  reserved('S1', 'D06'),
  open('S2', 'D07', 'Borrower Payments'),
  open('S2', 'D08', 'Borrower Payment Plans'),
  open('S2', 'D09', 'Borrower Payment Plan Installments'),
  reserved('S2', 'D10'),
  reserved('S2', 'D11'),
  open('S2', 'D12', 'Scheduled Payments'),
  reserved('S2', 'D13'),
  open('S2', 'D14', 'Payment Proofs'),
  open('S2', 'D15', 'Borrower Settlements'),
  open('S3', 'D16', 'Borrower Deals'),
  open('S3', 'D17', 'Borrower Deal Activity Logs', 'via', 'created_at'),
  open('S3', 'D18', 'Borrower Deal Logs', 'via', 'created_at'),
  open('S3', 'D19', 'Deal Activity Logs', 'via', 'created_at'),
  open('S3', 'D20', 'Deal Views'),
  open('S4', 'D21', 'Communication Logs', 'via', 'communicated_at'),
  open('S4', 'D22', 'Conversations', 'via'),
  open('S4', 'D23', 'Manual Communication Logs', 'via', 'communicated_at'),
  reserved('S4', 'D24'),
  open('S5', 'D26', 'User Lender Details'),
];
