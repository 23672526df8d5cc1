import {
  choice,
  createdAt,
  type Draft,
  type Field,
  flag,
  instant,
  made,
  maybe,
  mongoKey,
  object,
  state,
  updatedAt,
} from '../fields.ts';
import { mix, pick, roll } from '../random.ts';

const phone = (salt: number, draft: Draft) =>
  `+9665${String(mix(draft.salt ^ salt, draft.id) % 100_000_000).padStart(8, '0')}`;

const communicatedAt = instant('communicated_at', (draft) => draft.cursor);

export const communicationLogs: readonly Field[] = [
  mongoKey,
  choice('communication_type', ['CALL', 'EMAIL', 'call']),
  choice('direction', ['inbound', 'outbound']),
  state('status', ['ANSWERED', 'NO_ANSWER', 'DELIVERED']),
  made('from', (draft) => phone(21, draft)),
  made('to', (draft) => phone(22, draft)),
  maybe('subject', ['Your account', 'تذكير بالدفع'], 0.8),
  {
    name: 'duration',
    kind: 'number',
    // Up to fourteen decimals, printed as a server prints its own doubles.
    make: ({ live }) => (roll(live) < 0.2 ? 'null' : JSON.stringify(Number((roll(live) * 600).toFixed(14)))),
  },
  communicatedAt,
  createdAt,
  updatedAt,
];

export const conversations: readonly Field[] = [
  mongoKey,
  choice('platform', ['EMAIL', 'SMS', 'WHATSAPP']),
  choice('purpose', ['REMINDER', 'SETTLEMENT']),
  choice('type', ['OUTBOUND', 'INBOUND']),
  choice('by', ['SYSTEM', 'AGENT']),
  choice('operation', ['SEND', 'RECEIVE']),
  state('status', ['SENT', 'QUEUED', 'FAILED']),
  choice('visibility', ['INTERNAL', 'PUBLIC']),
  object(
    'delivery_status',
    ({ live }) =>
      `{"status":"${pick(live, ['DELIVERED', 'delivered', 'bounced'])}","code":${pick(live, ['"250"', '"550"', 'null'])},"error_detail":${pick(live, ['null', '"Mailbox full"'])}}`,
  ),
  createdAt,
  updatedAt,
];

export const manualCommunicationLogs: readonly Field[] = [
  mongoKey,
  choice('communication_type', ['CALL', 'VISIT']),
  choice('interaction_source', ['AGENT', 'FIELD']),
  choice('outcome_option', ['PTP', 'RPC', 'NO_ANSWER', 'BUSY']),
  flag('is_active', 0.8),
  flag('is_ptp_broken', 0.2),
  communicatedAt,
  createdAt,
  updatedAt,
];
