import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { figure, measure, median, serve } from './harness.ts';

/**
 * How fast accounts are read, checked and batched, from each format, and with how much memory; and how fast they are pushed, with the
 * ledger in DuckDB, into an API that accepts them as fast as it can read them. Each round is a process of its own; medians. Then the
 * memory that the command itself takes for a dry run of half and of five times as many.
 *
 * usage: npm run bench:accounts [-- ACCOUNTS [ROUNDS]]
 */
const accounts = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 3);
const script = new URL('accounts-run.ts', import.meta.url).pathname;

const HEADER =
  'status,debtorCompanyId,firstName,lastName,language,idNumber,phones.0.number,phones.0.type,emails.0.email,accountId,subAccountId,' +
  'merchant,dateDue,principal,interest,fees,paidAmount,loanType\n';

function accountOf(number: number) {
  return {
    status: 1,
    debtorCompanyId: `C-${number}`,
    firstName: 'Layla',
    lastName: `Haddad ${number % 977}`,
    language: 'en',
    idNumber: `7841990${String(number).padStart(8, '0')}`,
    phones: [{ number: `+9715${String(number).padStart(8, '0')}`, type: 'mobile' }],
    emails: [{ email: `person.${number}@example.com` }],
    accountId: `ACC-${number >> 1}`,
    subAccountId: `ACC-${number >> 1}-0${number & 1}`,
    merchant: 'Example Electronics',
    dateDue: '15/06/2026',
    principal: `${1000 + (number % 9000)}.50`,
    interest: '120.50',
    fees: '30',
    paidAmount: '0',
    loanType: 1 + (number % 8),
  };
}

function csvLine(account: ReturnType<typeof accountOf>): string {
  const { phones, emails, ...rest } = account;
  const [phone, email] = [phones[0]!, emails[0]!];
  const cells = Object.values({ ...rest }).map(String);
  return `${[...cells.slice(0, 6), phone.number, phone.type, email.email, ...cells.slice(6)].join(',')}\n`;
}

async function write(
  path: string,
  first: string,
  line: (number: number) => string,
  last: string,
  lines = accounts,
): Promise<void> {
  const file = createWriteStream(path);
  file.write(first);
  for (let number = 0; number < lines; number++) if (!file.write(line(number))) await once(file, 'drain');
  file.end(last);
  await once(file, 'close');
}

/** Of the command as people run it, in megabytes. */
async function dryRunPeak(input: string, lines: number): Promise<number> {
  const { url, lender, email, password, stop } = await serve({ rows: {} });
  try {
    const config = join(folder, 'config.json');
    const destination = { type: 'duckdb', path: join(folder, 'none.duckdb') };
    await writeFile(config, JSON.stringify({ lender, email, password, base_url: url, destination }));
    const command = new URL('../connector/bin.js', import.meta.url).pathname;
    const flags = ['push', '--config', config, '--input', input, '--dry-run'];
    const { output, peakMegabytes } = await measure(command, flags);
    const { to_send: counted } = JSON.parse(output) as { to_send: number };
    if (counted !== lines) throw new Error(`${counted} lines of ${lines} were checked`);
    return peakMegabytes;
  } finally {
    await stop();
  }
}

const folder = await mkdtemp(join(tmpdir(), 'cleargrid-bench-'));
// As the executable does: without it, each process would strip and compile the source anew.
process.env.NODE_COMPILE_CACHE ??= join(folder, 'compiled');
try {
  const files = { ndjson: join(folder, 'a.ndjson'), json: join(folder, 'a.json'), csv: join(folder, 'a.csv') };
  const jsonLine = (number: number) => `${JSON.stringify(accountOf(number))}\n`;
  await write(files.ndjson, '', jsonLine, '');
  await write(files.json, '[', (number) => `${number === 0 ? '' : ','}${JSON.stringify(accountOf(number))}`, ']');
  await write(files.csv, HEADER, (number) => csvLine(accountOf(number)), '');

  for (const [name, what, path] of [
    ['NDJSON checked and batched', 'check', files.ndjson],
    ['JSON array checked and batched', 'check', files.json],
    ['CSV checked and batched', 'check', files.csv],
    ['NDJSON pushed, with ledger', 'push', files.ndjson],
  ] as const) {
    const rates: number[] = [];
    const perCpu: number[] = [];
    const peaks: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const { output, cpuSeconds, peakMegabytes } = await measure(script, [
        what,
        path,
        join(folder, `${round}.duckdb`),
      ]);
      const told = JSON.parse(output) as { accounts: number; seconds: number };
      if (told.accounts !== accounts) throw new Error(`${name}: ${told.accounts} accounts of ${accounts}`);
      rates.push(told.accounts / told.seconds);
      perCpu.push(told.accounts / cpuSeconds);
      peaks.push(peakMegabytes);
    }
    const rate = `${figure(median(rates)).padStart(6)} accounts/s (${rates.map(figure).join(', ')})`;
    const cpu = `${figure(median(perCpu))} a second of CPU`;
    console.log(`${name.padEnd(31)} ${rate}, ${cpu}, peak ${Math.round(median(peaks))} MB`);
  }

  const peaks: number[] = [];
  for (const lines of [accounts / 2, accounts * 5]) {
    await write(files.ndjson, '', jsonLine, '', lines);
    peaks.push(await dryRunPeak(files.ndjson, lines));
    console.log(`push --dry-run of ${figure(lines).padStart(5)} lines    peak ${Math.round(peaks.at(-1)!)} MB`);
  }
  console.log(`ten times the lines take ${figure(peaks[1]! / peaks[0]!)} times the memory`);
} finally {
  await rm(folder, { recursive: true });
}
