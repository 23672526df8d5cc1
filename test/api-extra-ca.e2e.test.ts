import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { CA, CERT, KEY } from './api-certificates.ts';
import { serveApi } from './api-server.ts';

/** Logs in to https://api.test, whatever its address is said to be, and prints the lender or the failure. */
const LOG_IN = `
import dns from 'node:dns';
dns.lookup = (name, options, done) => process.nextTick(done, null, [{ address: '127.0.0.1', family: 4 }]);
const { connectApi } = await import(${JSON.stringify(new URL('../connector/api/connect.ts', import.meta.url).href)});
const signal = new AbortController().signal;
await connectApi({
  environment: 'production', baseUrl: process.argv[1], lender: 'acme', email: 'e', password: 'p', concurrency: 1, signal,
}).then(async (api) => (console.log(api.lender), api.close()), (failure) => console.log(failure.message));
`;

it('fault 22: NODE_EXTRA_CA_CERTS makes a company’s own authority trusted', { timeout: 30_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cleargrid-ca-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'ca.pem');
  await writeFile(file, CA);
  const { port } = await serveApi({}, { key: KEY, cert: CERT });

  const logIn = async (extra: Record<string, string>) => {
    const env = { PATH: process.env.PATH, ...extra };
    const args = ['--input-type=module', '--eval', LOG_IN, `https://api.test:${port}`];
    return (await promisify(execFile)(process.execPath, args, { env })).stdout.trim();
  };
  expect(await logIn({})).toContain('does not trust');
  expect(await logIn({ NODE_EXTRA_CA_CERTS: file })).toBe('5e0c0000-0000-4000-8000-000000000001');
});
