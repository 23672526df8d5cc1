import { afterEach, describe, expect, it } from 'vitest';
import {
  FAULT_NAMES,
  type FaultSetting,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../simulator/simulator.ts';
import { logIn, truthOf } from './simulator-client.ts';

const started: Simulator[] = [];
async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ rows: { D02: 100, D03: 300 }, ...options });
  started.push(simulator);
  return simulator;
}
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.stop();
});

describe('all faults together', () => {
  it('have a line each', () => {
    for (const about of Object.values(FAULT_NAMES)) expect(about).toMatch(/^[\w"`].{5,}$/);
    expect(Object.keys(FAULT_NAMES)).toContain('all');
  });

  it('let a client through that tries each request a few times, logs in again and restarts where it was', async () => {
    const simulator = await start({ rows: { D02: 1500, D03: 1500 }, faults: ALL_BUT_WIDE });
    for (const [dataset, code] of [
      ['S1/D02', 'D02'],
      ['S1/D03', 'D03'],
    ] as const) {
      const since = new Date(Date.parse(simulator.now()) - 120_000).toISOString();
      const keys = await stubbornWalk(simulator, dataset);
      // What changed or came late meanwhile is the next run's, which looks back.
      simulator.setFaults([]);
      for (const { public_id } of (await (await logIn(simulator)).walk(dataset, { since })).records)
        keys.add(public_id);
      simulator.setFaults(ALL_BUT_WIDE);
      expect(keys).toEqual(new Set(truthOf(simulator, code).map(({ public_id }) => public_id)));
    }
    expect(Object.keys(simulator.requests().byFault).length).toBeGreaterThan(15);
  });

  it('come in the same order for the same seed', async () => {
    const faults = async () => {
      const simulator = await start({
        faults: (['500', '503', '429-bare'] as const).map((name) => ({ name, rate: 0.9 })),
        seed: 5,
      });
      const { page } = await logIn(simulator);
      for (let limit = 1; limit < 60; limit++) await page('S1/D02', { limit });
      return simulator.requests().pages.map(({ fault }) => fault);
    };
    const [one, other] = [await faults(), await faults()];
    expect(one).toEqual(other);
    expect(new Set(one).size).toBe(4);
    for (const [at, fault] of one.entries()) if (fault !== null) expect(one[at + 1] ?? null).toBeNull();
  });
});

/** A window that is too wide must be split, which the client below does not. */
const ALL_BUT_WIDE: readonly FaultSetting[] = [
  { name: '504-wide', rows: Number.POSITIVE_INFINITY },
  { name: 'all', rate: 0.3 },
];

/** The least that a client must do: at most three tries of a request, one login after a 401, a restart at the last value seen. */
async function stubbornWalk(simulator: Simulator, dataset: string): Promise<Set<unknown>> {
  const until = simulator.now();
  const keys = new Set<unknown>();
  let query: { since?: string; cursor?: string } = {};
  let last: string | undefined;
  let token = await freshToken(simulator);
  for (let restarts = 0; restarts < 40; ) {
    const page = await threeTries(async () => {
      const parameters = new URLSearchParams({ limit: '20', until, ...query });
      const response = await fetch(
        `${simulator.url}/admin/v3/lenders/${simulator.lenderPublicId}/exports/${dataset}?${parameters}`,
        {
          headers: { authorization: `Bearer ${token}` },
          signal: AbortSignal.timeout(300),
        },
      );
      if (response.status === 401) token = await freshToken(simulator);
      if (response.status !== 200) throw new Error(String(response.status));
      return JSON.parse(await response.text());
    });
    const next = page?.body.pagination.nextCursor;
    for (const record of page?.body.rows ?? []) {
      keys.add(record.public_id);
      last = record.updated_at;
    }
    if (next === null) return keys;
    if (next !== undefined && next !== query.cursor) query = { ...query, cursor: next };
    else {
      restarts++;
      query = last === undefined ? {} : { since: last };
    }
  }
  throw new Error('too many restarts');
}

async function freshToken(simulator: Simulator): Promise<string> {
  return (await threeTries(async () => (await logIn(simulator)).token)) as string;
}

async function threeTries<T>(attempt: () => Promise<T>): Promise<T | undefined> {
  for (let tries = 0; tries < 3; tries++) {
    try {
      return await attempt();
    } catch {}
  }
  return undefined;
}
