import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Summary } from '../connector/summary.ts';
import { streamNamed } from '../schemas/registry.ts';
import { type Running, run, start } from './cli-process.ts';
import { admin, config, database, differences, serve, server, simulator, usePostgres } from './postgres-world.ts';
import { canSilence, silence } from './silence.ts';

/** Faults 14 and 17: connections of which one side is gone, or the way between them, and nobody is told. */

const stream = streamNamed('borrower_sub_accounts')!;
const ROWS = 120_000;
const needsIptables = canSilence ? '' : ' (skipped: packets cannot be dropped here, which takes iptables and root)';

let undo: () => void;

usePostgres({ embedded: true });
beforeEach(async () => {
  undo = () => {};
  await serve([stream], { rows: { D03: ROWS }, latencyMs: 400, unknowns: { viaPages: 'full' } }, { concurrency: 2 });
});
afterEach(() => undo());

/** A first load in its middle. */
async function loading(): Promise<Running> {
  const running = start(['sync', '--config', config]);
  while (simulator.requests().pages.length < ROWS / 4000) {
    if (running.process.exitCode !== null) throw new Error((await running.ended).stderr);
    await wait(50);
  }
  return running;
}

/** The ports of all sessions but the tests' own, or of those with this name. */
async function ports(name = 'cleargrid%'): Promise<number[]> {
  const sql = 'select client_port from pg_stat_activity where datname = $1 and application_name like $2';
  return (await admin.query(sql, [database, name])).rows.map(({ client_port }) => client_port as number);
}

/** Cuts these connections off, and measures how long the server holds on to their sessions. */
function cutOff(clients: readonly number[]): { readonly secondsUntilEnded: Promise<number> } {
  undo = silence(server.port, clients);
  const gone = performance.now();
  return {
    secondsUntilEnded: (async () => {
      while ((await ports()).some((port) => clients.includes(port))) await wait(200);
      return (performance.now() - gone) / 1000;
    })(),
  };
}

test.skipIf(!canSilence)(
  `a run whose machine is gone holds its locks for less than a minute${needsIptables}`,
  async () => {
    const running = await loading();
    const [{ run_id }] = (await admin.query('select run_id from cleargrid._cleargrid_runs')).rows as [
      { run_id: string },
    ];
    const { secondsUntilEnded } = cutOff(await ports());
    running.process.kill('SIGKILL');
    await running.ended;
    const refused = await run(['sync', '--config', config]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain(run_id);
    expect(await secondsUntilEnded).toBeLessThan(60);

    simulator.advance(2_000);
    const next = await run(['sync', '--config', config]);
    expect(next.code).toBe(0);
    expect(await differences()).toEqual([]);
  },
);

test.skipIf(!canSilence).each([
  ['whose connections are gone', 'cleargrid%'],
  ['of which those that write are gone, as where a firewall forgets them', 'cleargrid'],
])(`a run %s makes new ones within a minute, and ends well${needsIptables}`, async (_, name) => {
  const running = await loading();
  const before = await ports();
  const gone = performance.now();
  const { secondsUntilEnded } = cutOff(await ports(name));
  // The first new connection of the run: what it had is given up.
  while ((await ports()).every((port) => before.includes(port))) {
    expect((performance.now() - gone) / 1000).toBeLessThan(60);
    await wait(200);
  }
  const { code, stdout, stderr } = await running.ended;
  expect([code, stderr.includes('"error"') ? stderr : '']).toEqual([0, '']);
  expect((JSON.parse(stdout) as Summary).streams[0]).toMatchObject({ status: 'succeeded', rows_written: ROWS });
  expect(await secondsUntilEnded).toBeLessThan(60);
  expect(await differences()).toEqual([]);
});
