import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { PostgresConfig } from '../destinations/config.ts';
import { postgresDestination } from '../destinations/postgres/destination.ts';
import { at, deals } from './destination-suite/streams.ts';
import { newWindow, type OpenRun, type Visit, visits } from './destination-suite/visit.ts';
import { type CuttableWay, cuttableWay } from './postgres-proxy.ts';
import { startPostgres, type TestServer } from './postgres-server.ts';
import { configFor, postgresTarget } from './postgres-target.ts';

/** What tests of faults work with: a server of the file's own, a new database for each test, and a way to it that can be cut. */
export interface FaultBench {
  readonly server: TestServer;
  readonly database: string;
  readonly admin: pg.Client;
  readonly way: CuttableWay;
  readonly visit: Visit;
  /** How the destinations of this test connect, other than usual. */
  connectBy(changes: Partial<PostgresConfig>): void;
  /** Another connection of the test's own for `query`, after a restart. */
  reconnect(): Promise<void>;
  /** The stream's table, as a statement must spell it. */
  table(): string;
  query(sql: string): Promise<Record<string, unknown>[]>;
  count(): Promise<number>;
  /** A run whose stream is loaded and has one open window. */
  loaded(rows?: number): Promise<OpenRun>;
}

export function faultBench(): FaultBench {
  let server: TestServer;
  let database: string;
  let admin: pg.Client;
  let way: CuttableWay;
  let changes: Partial<PostgresConfig> = {};

  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    database = await server.createDatabase();
    admin = await server.connect(database);
    way = await cuttableWay(server.host, server.port);
    changes = {};
  });
  afterEach(async () => {
    await way.close();
    await admin.end();
  });

  const visit = visits(async () => {
    const target = await postgresTarget(server, database);
    const schema = /^"(.*)"\.""$/.exec(target.spell(''))![1]!.replaceAll('""', '"');
    return {
      ...target,
      destination: () => postgresDestination({ ...configFor(server, database, schema), ...changes }),
      async remove() {
        expect(await server.sessionsLeft(database)).toBe(0);
        await target.remove();
      },
    };
  });

  const query = async (sql: string) => (await admin.query(sql)).rows as Record<string, unknown>[];
  const table = () => visit.target.spell('deals');
  return {
    get server() {
      return server;
    },
    get database() {
      return database;
    },
    get admin() {
      return admin;
    },
    get way() {
      return way;
    },
    visit,
    connectBy(other) {
      changes = other;
    },
    async reconnect() {
      admin = await server.connect(database);
    },
    table,
    query,
    count: async () => (await query(`select count(*)::int as count from ${table()}`))[0]!.count as number,
    async loaded(rows = 3) {
      const run = await visit.open([deals]);
      await run.write(deals, [page(rows)]);
      const windows = [newWindow(null, at(60))];
      await run.write(deals, [], { changes: [{ type: 'plan', from: null, until: at(60), windows, refresh: null }] });
      return run;
    },
  };
}

export const records = (count: number, name = 'first', minute = 10) =>
  Array.from({ length: count }, (_, index) => ({ public_id: `${index}`, name, updated_at: at(minute) }));

export const page = (count: number, name?: string, minute?: number) => ({
  askedAt: at(20),
  records: records(count, name, minute),
});
