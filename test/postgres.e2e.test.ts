import { afterAll, beforeAll, expect } from 'vitest';
import { destinationSuite } from './destination-suite.ts';
import { startPostgres, type TestServer } from './postgres-server.ts';
import { postgresTarget } from './postgres-target.ts';

let server: TestServer;
let database: string;

beforeAll(async () => {
  server = await startPostgres();
  database = await server.createDatabase();
});

afterAll(async () => {
  expect(await server.sessionsLeft(database)).toBe(0);
  await server.stop();
});

destinationSuite('postgres', () => postgresTarget(server, database));
