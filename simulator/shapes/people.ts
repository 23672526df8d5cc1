import {
  assumed,
  choice,
  createdAt,
  type Draft,
  type Field,
  flag,
  linkKey,
  made,
  mongoKey,
  object,
  state,
  updatedAt,
} from '../fields.ts';
import { mix, pick, rollBelow } from '../random.ts';

export const FIRST_NAMES = [
  'Omar',
  'Layla',
  'Yousef',
  'Aisha',
  'Khalid',
  'Noor',
  'Fatima',
  'Hassan',
  'محمد',
  'سارة',
  'José',
  "Sha'ban",
];
export const LAST_NAMES = [
  'Al Harbi',
  'Haddad',
  'Al-Otaibi',
  'Rahman',
  'Khan',
  'العتيبي',
  'Nasser',
  'García',
  'O"Neil',
];

/** The same number for the same borrower in every dataset that names one. */
export const customerNumber = (draft: Draft) => 10_000 + draft.id;
export const customerReference = made('customer_reference_id', (draft) => `CUST-${customerNumber(draft)}`);

const lastDigits = (draft: Draft) => 1000 + (mix(draft.salt, draft.id) % 9000);
/** How it is masked is not documented. */
const masked = (name: string): Field => ({
  ...made(name, (draft) => `*****${lastDigits(draft)}`),
  otherwise: ({ masks }) => {
    if (masks === 'letters') return made(name, (draft) => `XXXXX${lastDigits(draft)}`);
    return masks === 'null' ? { name, kind: 'text', make: () => 'null' } : null;
  },
});
const phone = (draft: Draft) => `+9665${String(mix(draft.salt ^ 11, draft.id) % 100_000_000).padStart(8, '0')}`;

/**
 * D01. Documented up to `preferred_language`; the rest is named by the page's prose only (masked ids, a do-not-contact
 * flag, nested lists), so these names and inner keys are an assumption.
 */
export const borrowers: readonly Field[] = [
  mongoKey,
  choice('first_name', FIRST_NAMES),
  choice('last_name', LAST_NAMES),
  choice('country', ['SAU', 'ARE', 'BHR', 'Saudi Arabia', 'United Arab Emirates']),
  choice('preferred_language', ['ar', 'en']),
  ...assumed(
    masked('national_id'),
    masked('passport_number'),
    flag('do_not_contact', 0.05),
    object(
      'addresses',
      (draft) =>
        `[{"city":"${pick(draft.stable, ['Riyadh', 'Jeddah', 'Dubai', 'Manama'])}","country":"SAU","type":"home"}]`,
    ),
    object('phones', (draft) => `[{"number":"${phone(draft)}","type":"mobile"}]`),
    object('emails', (draft) =>
      rollBelow(draft.stable, 4) === 0 ? '[]' : `[{"email":"b${draft.id}@mail.example","type":"personal"}]`,
    ),
  ),
  createdAt,
  updatedAt,
];

/** D26. Documented up to `last_name`; what follows is an assumption. */
export const userLenderDetails: readonly Field[] = [
  linkKey,
  customerReference,
  choice('first_name', FIRST_NAMES),
  choice('last_name', LAST_NAMES),
  ...assumed(state('preferred_channel', ['SMS', 'CALL', 'WHATSAPP'])),
  createdAt,
  updatedAt,
];
