import { describe, expect, it, onTestFinished } from 'vitest';
import type { Api } from '../connector/api/connect.ts';
import { readEnvelope } from '../connector/api/envelope.ts';
import { HTTP_LIMITS } from '../connector/api/http.ts';
import { PageFailure } from '../connector/source.ts';
import type { Dataset } from '../schemas/stream.ts';
import type { FaultName } from '../simulator/faults.ts';
import type { SimulatorOptions } from '../simulator/options.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import type { Unknowns } from '../simulator/unknowns.ts';
import { connect, D03, PAGE } from './api-server.ts';
import { otherAnswers } from './simulator-unknowns.ts';

const signal = new AbortController().signal;

const DRAWN: readonly FaultName[] = [
  ...(['reset-before-headers', 'reset-mid-body', 'short-body', 'truncated-json', 'html-200', 'empty-200'] as const),
  ...(['429-seconds', '500', '502', '503', '504', '504-html', 'expired-token', '401-storm'] as const),
];

async function simulate(options: SimulatorOptions): Promise<Simulator> {
  const simulator = await startSimulator({ rows: 3000, ...options });
  onTestFinished(() => simulator.stop());
  return simulator;
}

const logIn = (simulator: Simulator, limits = HTTP_LIMITS): Promise<Api> =>
  connect(simulator, { email: simulator.email, password: simulator.password, limits });

/** Every record of a dataset, each page asked for until it comes. */
async function walk(api: Api, dataset: Dataset): Promise<unknown[]> {
  const records: unknown[] = [];
  let cursor: string | null = null;
  for (let tries = 0; tries < 1000; tries++) {
    try {
      const page = await api.fetchPage(dataset, { ...PAGE, limit: 40, cursor }, signal);
      const { records: more, nextCursor } = readEnvelope(page.bytes);
      records.push(...more);
      if (nextCursor === null) return records;
      cursor = nextCursor;
    } catch (error) {
      if (!(error instanceof PageFailure || error instanceof SyntaxError)) throw error;
    }
  }
  throw new Error('the walk has no end');
}

const truth = (simulator: Simulator, code: string) => [...simulator.truth(code)].map(({ json }) => json);

describe('against the simulated API', () => {
  it('a walk with every fault of a page on its way brings every record', async () => {
    const simulator = await simulate({
      rows: { D03: 4000 },
      faults: ['gzip' as const, ...DRAWN.map((name) => ({ name, rate: 0.5 }))],
    });
    const api = await logIn(simulator);
    expect(await walk(api, D03)).toEqual(truth(simulator, 'D03'));
    expect(Object.keys(simulator.requests().byFault).sort()).toEqual(DRAWN.toSorted());
  });

  it.each<Partial<Unknowns>>([
    {},
    { catalogMore: true },
    { catalogShape: 'datasets' },
    { catalogShape: 'rows', catalogKeys: 'short' },
    { catalogShape: 'keyed' },
    { catalogShape: 'bare', catalogKeys: 'short' },
    { catalogShape: 'datasets', catalogPage: 7 },
  ])('the catalog is read whole when it is %o', async (unknowns) => {
    const api = await logIn(await simulate({ rows: 0, unknowns }));
    const { datasets } = await api.catalog();
    expect(datasets).toHaveLength(25);
    expect(datasets!.filter(({ available }) => available)).toHaveLength(19);
    expect(datasets!.find(({ code }) => code === 'D21')).toMatchObject({
      section: 'S4',
      cursorField: 'communicated_at',
    });
    expect(datasets!.find(({ code }) => code === 'D10')).toMatchObject({ available: false, cursorField: null });
  });

  it.each(otherAnswers().filter(({ name }) => name === 'authFailure' || name === 'wrongCredentials'))(
    'wrong credentials are a config_error where $name=$text, and a refresh that fails leads to a login',
    async ({ unknowns }) => {
      const simulator = await simulate({ rows: { D03: 10 }, unknowns, faults: ['refresh-fails'] });
      const refused = connect(simulator, { email: simulator.email, password: 'wrong' });
      await expect(refused).rejects.toMatchObject({
        kind: 'config_error',
        message: expect.stringMatching(/login.*(email|password)/s),
      });
      const api = await logIn(simulator);
      simulator.expireTokens();
      expect(await walk(api, D03)).toHaveLength(10);
    },
  );

  it('a renewed refresh token is used, and the time is the server’s', async () => {
    const simulator = await simulate({ clockOffsetMs: -86_400_000, unknowns: { refreshRotates: true } });
    const api = await logIn(simulator);
    expect(api.lender).toBe(simulator.lenderPublicId);
    expect(Math.abs(Date.parse(api.now()) - Date.parse(simulator.now()))).toBeLessThan(60_000);
    for (let renewals = 0; renewals < 3; renewals++) {
      simulator.expireTokens();
      await api.fetchPage(D03, PAGE, signal);
    }
    expect(simulator.requests().byRoute).toMatchObject({ login: 1, refresh: 3 });
  });
});
