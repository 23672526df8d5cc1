import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { verifyText } from '../connector/output/verify.ts';
import type { StreamSummary, Summary, Verdict } from '../connector/summary.ts';
import { newCounts } from '../connector/sync/context.ts';
import { streamSummary } from '../connector/sync/outcome.ts';

const screen = Object.assign(new PassThrough(), { columns: 80 }) as unknown as NodeJS.WriteStream;

const equal: Verdict = {
  ...{ verdict: 'equal', since: null, until: '2026-06-01T11:45:00.000000Z', api: 1_000_000, table: 1_000_000 },
  ...{ rejects: 0, undated: 0, spans: [], repaired: 0 },
};

function entry(stream: string, verify: Verdict | null, more: Partial<StreamSummary> = {}): StreamSummary {
  return { ...streamSummary(stream, 'succeeded', newCounts(), null, null), ...(verify && { verify }), ...more };
}

test('what verify found fits 80 columns, and says what differs and what to do', () => {
  const message =
    'borrowers: the table differs from the API in 1 span of updated_at. To read just those again, run: ' +
    'cleargrid-connector verify --config FILE --streams borrowers --repair';
  const failed = { status: 'failed', error: { kind: 'config_error', message, request_id: null } } as const;
  const summary: Summary = {
    ...{ run_id: 'r1', command: 'verify', version: '0.1.0', status: 'failed', warnings: [] },
    ...{ started_at: '2026-06-01T12:00:00.000000Z', ended_at: '2026-06-01T12:00:40.000000Z' },
    streams: [
      entry('borrower_payment_plan_installments', equal),
      entry('borrower_deals', { ...equal, table: 999_990, rejects: 10 }),
      entry('payment_proofs', { ...equal, repaired: 2, undated: 3 }),
      entry('borrowers', { ...equal, verdict: 'differs', table: 999_999 }, failed),
      entry('deal_views', null, { status: 'skipped' }),
    ],
  };
  const lines = verifyText(summary, screen)
    .replace(/\u001b\[\d+m/g, '')
    .split('\n');
  expect(lines.slice(0, 6).every((line) => line.length <= 80)).toBe(true);
  expect(lines).toEqual([
    'Stream                              Up to, UTC        API      Table',
    'borrower_payment_plan_installments  2026-06-01  1,000,000  1,000,000  equal',
    'borrower_deals                      2026-06-01  1,000,000    999,990  equal',
    'payment_proofs                      2026-06-01  1,000,000  1,000,000  mended',
    'borrowers                           2026-06-01  1,000,000    999,999  differs',
    'deal_views                          -                   -          -  skipped',
    '',
    '10 records of the API in _cleargrid_rejects and not in the table',
    '  (borrower_deals)',
    '3 rows without a value in the cursor field, which are not compared',
    '  (payment_proofs)',
    expect.stringMatching(/^borrowers failed .*--streams borrowers --repair$/),
    '3 of 5 streams equal, in 40 s (run r1)',
  ]);
});
