import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { duckdbConfig } from '../destinations/config.ts';
import { duckdbDestination } from '../destinations/duckdb/destination.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { fullAccount, ndjson } from './accounts-example.ts';
import { createFolder, run } from './cli-process.ts';

/** Nothing of an account but its ids, and no secret, in anything that push and reconcile say or store. */

const PASSWORD = 'Xq-password-Xq';
/** Each personal field of an account holds this mark, or one of `FIGURES` where it must be a number or a date. */
const MARK = 'Xq';
const FIGURES = [
  '784199077777771',
  '+971507777771',
  '971507777771',
  '0507777771',
  '07/07/1977',
  '77777.77',
  '17/07/2027',
];
const PERSONAL = new RegExp([MARK, ...FIGURES].map((text) => text.replace(/[+.]/g, '\\$&')).join('|'));
/** What the proof compares stands in the ledger. */
const PERSONAL_STORED = new RegExp(
  [MARK, ...FIGURES.slice(0, 5)].map((text) => text.replace(/[+.]/g, '\\$&')).join('|'),
);

const marked = {
  ...fullAccount,
  debtorCompanyId: 'Xq-company',
  firstName: 'Xq Layla',
  lastName: 'Haddad Xq',
  idNumber: '784199077777771',
  passportNumber: 'Xq1234567',
  birthDate: '07/07/1977',
  nationality: 'Xqish',
  phones: [{ number: '+971507777771', type: 'mobile' }],
  emails: [{ email: 'Xq@example.com', type: 'personal' }],
  addresses: [{ street: '1 Xq St', city: 'Xqtown', area: 'Xqarea', zip: 'Xq1', country: 'ARE', type: 'home' }],
  merchant: 'Xq Electronics',
  dateDue: '17/07/2027',
  principal: '77777.77',
  additionalData: { branch: 'Xq-3' },
};

/** Each is wrong in a way of its own, by a value that is personal. */
const wrong: readonly object[] = [
  { firstName: { Xq: 'Xq' } },
  { lastName: ['Xq'] },
  { language: 'Xq' },
  { birthDate: '77/07/1977 Xq' },
  { dateDue: 'Xq' },
  { principal: '77777.77 Xq' },
  { loanType: 'Xq' },
  { status: 'Xq' },
  { phones: [{ number: '0507777771' }] },
  { phones: '+971507777771' },
  { emails: [{ email: 'Xq' }] },
  { addresses: [{ country: 'Xq' }] },
  { additionalData: 'Xq' },
  { '+971507777771': 1 },
  { 'Xq Layla Haddad': 1 },
  { phones: [{ number: '+971507777771', 'Xq Xq': 1 }] },
  { emiratesId: '784199077777771' },
];

let folder: ReturnType<typeof createFolder>;
let simulator: Simulator;
beforeEach(async () => {
  folder = createFolder();
  const quotes = ({ accountId, firstName, phones, idNumber, principal, birthDate }: Record<string, unknown>) =>
    accountId === 'A-2'
      ? [`${firstName} ${JSON.stringify(phones)} (${idNumber}) owes ${principal}, born ${birthDate}`, 'Xq Layla']
      : [];
  simulator = await startSimulator({ rows: {}, password: PASSWORD, accounts: { delayMs: 0, refuse: quotes } });
});
afterEach(async () => {
  await simulator.stop();
  folder.remove();
});

test.each(['v3', 'v1'])(
  'nothing of an account but its ids, and no secret, is said or stored, through %s',
  async (version) => {
    const path = join(folder.path, 'ledger.duckdb');
    const { lender, email, url } = simulator;
    const config = folder.config('config.json', {
      ...{ lender, email, password: PASSWORD, base_url: url, accounts_api: version },
      destination: { type: 'duckdb', path },
    });
    const file = (name: string, text: string) => {
      writeFileSync(join(folder.path, name), text);
      return join(folder.path, name);
    };
    const good = [1, 2, 3].map((number) => ({ ...marked, accountId: `A-${number}`, subAccountId: `S-${number}` }));
    const bad = wrong.map((changes, at) => ({ ...marked, accountId: `B-${at}`, subAccountId: `S-B${at}`, ...changes }));
    const input = file('a.ndjson', `${ndjson([...good, ...bad])}Xq Layla,+971507777771\n["Xq"]\n{"Xq":\n`);
    const lowered = file(
      'b.ndjson',
      ndjson([
        { ...good[0], status: 2, paidAmount: '1' },
        { ...good[0], status: 2 },
      ]),
    );

    const told: string[] = [];
    const codes: (number | null)[] = [];
    for (const args of [
      ['push', '--input', input, '--dry-run'],
      ['push', '--input', input, '--strict'],
      ['push', '--input', input],
      ['push', '--input', input, '--resend'],
      ['push', '--input', lowered],
      ['push', '--input', file('c.csv', 'Xq Layla,+971507777771,784199077777771\n')],
      ['push', '--input', file('d.csv', 'accountId,firstName,dateDue\nA-9,"Xq"Layla,x\n')],
      ['push', '--input', file('e.csv', 'accountId,firstName,dateDue\nA-9,Xq,Layla,Xq\n')],
      ['push', '--input', file('f.json', '["Xq Layla", {"firstName":"Xq"}, Xq]')],
      ['push', '--query', `select ('Xq' || account_id)::int as status, 'A' as "accountId" from _cleargrid_pushes`],
      ['push', '--query', `select error('Xq' || account_id) as status, 'A' as "accountId" from _cleargrid_pushes`],
      ['reconcile', '--wait', '0s'],
      ['reconcile', '--wait', '0s', '--json', '--since', '2020-01-01'],
    ]) {
      const [command, ...flags] = args;
      if (command === 'reconcile') simulator.change('D03', 1, { total_amount: 1 });
      const ended = await run([command!, '--config', config, '--debug', ...flags]);
      codes.push(ended.code);
      told.push(`${args.join(' ').slice(0, 20)}: ${ended.stdout}\n${ended.stderr}`);
    }
    expect(codes).toEqual([1, 1, 1, 1, 0, 2, 1, 1, 1, 2, 2, 1, 1]);
    const all = told.join('\n').replaceAll(folder.path, '');
    expect(all).toContain('"account_id":"A-2"');
    expect(all).toContain('refused by ClearGrid');
    expect(all.match(/"account_id":"B-\d+"/g)!.length).toBeGreaterThan(wrong.length);
    for (const text of told) expect(text).not.toMatch(PERSONAL);
    expect(all).not.toMatch(/Bearer|eyJ|refreshToken/);

    const destination = duckdbDestination(duckdbConfig.parse({ type: 'duckdb', path }));
    const stored: unknown[] = [await destination.runs.recent(100)];
    for await (const row of destination.query('select * from _cleargrid_pushes')) stored.push(row);
    await destination.close();
    expect(stored.length).toBeGreaterThan(3);
    expect(JSON.stringify(stored)).not.toMatch(PERSONAL_STORED);
    expect(readFileSync(path).toString('latin1')).not.toMatch(PERSONAL_STORED);
  },
);
