import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { laterBy } from '../connector/sync/instants.ts';
import type { Position } from '../destinations/position.ts';
import { decodeJson } from '../schemas/decode.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { createSource, type Message, missingOrOld, recordsOf, statesOf } from './airbyte-process.ts';
import { createFolder, run, start } from './cli-process.ts';
import { startPostgres } from './postgres-server.ts';
import { configFor } from './postgres-target.ts';

/** What Airbyte's own suites leave open, by the names under which that is told, as far as no other file of tests has it. */

const STREAM = { name: 'borrower_sub_accounts', code: 'D03', cursor: 'updated_at' };

/** The last 15 minutes before the last record hold fewer than this. */
const LOOKED_BACK_OVER = 5;

let simulator: Simulator;
let folder: ReturnType<typeof createFolder>;
beforeEach(() => {
  folder = createFolder();
});
afterEach(async () => {
  await simulator.stop();
  folder.remove();
});

const truth = () => [...simulator.truth(STREAM.code)].map(({ bytes }) => decodeJson(bytes) as Record<string, string>);

function configOf(destination: unknown): string {
  const { lender, email, password, url } = simulator;
  return folder.config('config.json', {
    ...{ lender, email, password, base_url: url, streams: [STREAM.name], destination },
  });
}

describe('boundary rows sharing one timestamp across a window edge', () => {
  const ROWS = 6_000;
  const SHARED = 2_500;

  /** A state that has read nothing yet, whose windows meet at these instants. */
  function stateWith(message: NonNullable<Message['state']>, edges: readonly string[]) {
    const position = message.stream.stream_state as Position;
    const ends = [...edges, position.until];
    const windows = ends.map((until, at) => ({ since: ends[at - 1] ?? null, until, cursor: null, last: null }));
    const state = { ...position, windows, complete: null, seen: null };
    return { ...message, stream: { ...message.stream, stream_state: state } };
  }

  test.each([
    { edges: 'at that instant', of: (shared: string) => [shared] },
    { edges: 'before and at it', of: (shared: string) => [laterBy(shared, -1), shared] },
    { edges: 'at it and behind it', of: (shared: string) => [shared, laterBy(shared, 1)] },
    { edges: 'behind it', of: (shared: string) => [laterBy(shared, 1)] },
  ])('come once, with windows that meet $edges', async ({ of }) => {
    simulator = await startSimulator({ rows: { D03: ROWS }, history: { sharedInstant: SHARED } });
    // One request at a time cuts no window: whatever comes twice comes of the edges.
    const source = createSource(simulator, { concurrency: 1 });
    try {
      const counts = Map.groupBy(truth(), ({ updated_at }) => updated_at!);
      const [shared, rows] = [...counts].sort(([, a], [, b]) => b.length - a.length)[0]!;
      expect(rows).toHaveLength(SHARED);
      const catalog = await source.catalog({ streams: [STREAM.name] });
      const [first] = statesOf((await source.read(catalog)).messages);
      const { code, messages } = await source.read(catalog, [stateWith(first!, of(shared.replace('Z', '000Z')))]);
      expect(code).toBe(0);
      const records = recordsOf(messages);
      expect(missingOrOld(simulator, STREAM, records)).toEqual([]);
      const sharing = records.filter(({ data }) => data[STREAM.cursor] === shared.replace('Z', '000Z'));
      expect(sharing).toHaveLength(SHARED);
      expect(records.length).toBeLessThan(ROWS + LOOKED_BACK_OVER);
    } finally {
      source.remove();
    }
  });
});

test('grants and dependent views surviving an overwrite: a reader of both sees all rows at every instant of a full refresh', async () => {
  const ROWS = 3_000;
  const [server] = await Promise.all([
    startPostgres(),
    startSimulator({ rows: { D03: ROWS }, latencyMs: 100 }).then((started) => {
      simulator = started;
    }),
  ]);
  try {
    const database = await server.createDatabase();
    const admin = await server.connect(database);
    const config = configOf(configFor(server, database, 'cleargrid'));
    expect((await run(['sync', '--config', config])).code).toBe(0);
    for (const statement of [
      'create role reader',
      'grant usage on schema cleargrid to reader',
      `grant select (public_id, _deleted_at) on cleargrid.${STREAM.name} to reader`,
      `create view public.live as select public_id from cleargrid.${STREAM.name} where _deleted_at is null`,
      'create view public.count as select count(*)::int as rows from public.live',
      `create materialized view public.kept as select public_id from cleargrid.${STREAM.name}`,
      'grant select on public.live, public.count to reader',
      'set role reader',
    ]) {
      await admin.query(statement);
    }
    const seen = async () => {
      const table = `(select count(public_id)::int from cleargrid.${STREAM.name} where _deleted_at is null)`;
      return (await admin.query(`select ${table} as table, rows as view from public.count`)).rows[0];
    };
    expect(await seen()).toEqual({ table: ROWS, view: ROWS });

    simulator.remove(STREAM.code, 20);
    simulator.insert(STREAM.code, 30);
    simulator.advance(2_000);
    const overwrite = start(['sync', '--config', config, '--full-refresh']);
    let looked = 0;
    let isRunning = true;
    const ended = overwrite.ended.finally(() => {
      isRunning = false;
    });
    for (; isRunning; looked++) expect((await seen()).view).toBeGreaterThanOrEqual(ROWS - 20);
    expect((await ended).code).toBe(0);
    expect(looked).toBeGreaterThan(10);
    expect(await seen()).toEqual({ table: ROWS + 10, view: ROWS + 10 });
    await admin.query('reset role');
    await admin.query('refresh materialized view public.kept');
    await admin.end();
  } finally {
    await server.stop();
  }
});
