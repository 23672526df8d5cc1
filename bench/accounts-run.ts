// As the command does, before all else.
import '../connector/lean-heap.ts';
import { BATCH_LIMITS } from '../accounts/assumptions.ts';
import { planBatches } from '../accounts/batches.ts';
import { openFile } from '../accounts/input/open.ts';
import { noCounts, push } from '../accounts/push/push.ts';
import { checkedAccounts, slices } from '../accounts/push/slices.ts';
import type { Api } from '../connector/api/connect.ts';
import { systemTiming } from '../connector/timing.ts';

/** One measured process of `accounts.ts`: what to do, the input, and where a ledger may be. Tells accounts and seconds. */
const [what, path, ledgerPath] = process.argv.slice(2) as [string, string, string];
const input = await openFile(path, null, process.stdin);
const began = performance.now();
const accounts = what === 'check' ? await check() : await pushAll();
console.log(JSON.stringify({ accounts, seconds: (performance.now() - began) / 1000 }));

async function check(): Promise<number> {
  let batched = 0;
  await input.digest('lender');
  const bad = ({ line }: { line: number }) => {
    throw new Error(`line ${line} is bad`);
  };
  for await (const slice of slices(checkedAccounts(input.items()), bad)) {
    for (const batch of planBatches(slice, BATCH_LIMITS).flat(2)) batched += batch.length;
  }
  return batched;
}

/** Into an API in this process that accepts everything. */
async function pushAll(): Promise<number> {
  const { duckdbConfig } = await import('../destinations/config.ts');
  const { duckdbDestination } = await import('../destinations/duckdb/destination.ts');
  const destination = duckdbDestination(duckdbConfig.parse({ type: 'duckdb', path: ledgerPath }));
  let sent = 0;
  const now = () => new Date().toISOString().replace('Z', '000Z');
  const api: Pick<Api, 'lender' | 'now' | 'request'> = {
    lender: 'lender',
    now,
    async request(_method, _path, body) {
      sent += (body as Uint8Array).byteLength;
      return { status: 200, bytes: Buffer.from('{"code":200}'), message: null, requestId: null, retryAfterMs: null };
    },
  };
  const counts = noCounts();
  const acceptedUntil = await destination.ledger.hold({ id: 'bench', command: 'push', startedAt: now() });
  const ignore = () => {};
  await push(
    {
      ...{ api: api as Api, version: 'v3', ledger: destination.ledger, input, runId: 'bench', acceptedUntil },
      ...{ strict: false, resend: false, dryRun: false, timing: systemTiming, signal: new AbortController().signal },
      tell: { bad: ignore, refused: ignore, warning: ignore, planned: ignore, progress: ignore },
    },
    counts,
  );
  await destination.close();
  if (sent === 0) throw new Error('nothing was sent');
  return counts.accepted;
}
