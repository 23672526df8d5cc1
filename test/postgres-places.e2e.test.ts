import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresConfig } from '../destinations/config.ts';
import type { Destination } from '../destinations/contract.ts';
import { postgresDestination } from '../destinations/postgres/destination.ts';
import { CA, CERT, KEY } from './api-certificates.ts';
import { queriesSuite } from './destination-suite/queries.ts';
import { refreshSuite } from './destination-suite/refresh.ts';
import { rowsSuite } from './destination-suite/rows.ts';
import { at, deals } from './destination-suite/streams.ts';
import { valuesSuite } from './destination-suite/values.ts';
import { visits } from './destination-suite/visit.ts';
import { wideningSuite } from './destination-suite/widening.ts';
import { hasPgBouncer, startPgBouncer } from './postgres-pooler.ts';
import { startPostgres, type TestServer } from './postgres-server.ts';
import { configFor, postgresTarget } from './postgres-target.ts';

/** Servers, databases and users as people set them up. */

let server: TestServer;

beforeAll(async () => {
  server = await startPostgres({
    settings: { ssl: 'on', ssl_cert_file: 'test.crt', ssl_key_file: 'test.key' },
    files: { 'test.crt': CERT, 'test.key': KEY, 'ca.crt': CA },
  });
});
afterAll(() => server.stop());

async function use<T>(destination: Destination, work: (destination: Destination) => Promise<T>): Promise<T> {
  try {
    return await work(destination);
  } finally {
    await destination.close();
  }
}

async function asAdmin(database: string, ...statements: string[]): Promise<void> {
  const admin = await server.connect(database);
  for (const statement of statements) await admin.query(statement);
  await admin.end();
}

const run = (id: string) => ({ id, command: 'sync', startedAt: at(1), fullRefresh: new Set<string>(), warn: () => {} });

describe('A database whose settings are all other than usual changes nothing:', () => {
  let database: string;
  beforeAll(async () => {
    database = await server.createDatabase();
    const settings = {
      client_encoding: 'LATIN1',
      datestyle: "'SQL, DMY'",
      intervalstyle: 'sql_standard',
      timezone: "'Asia/Karachi'",
      search_path: 'evil, pg_catalog',
      standard_conforming_strings: 'off',
      bytea_output: 'escape',
      extra_float_digits: '-15',
      default_transaction_isolation: 'serializable',
      default_transaction_deferrable: 'on',
      statement_timeout: "'2s'",
      idle_in_transaction_session_timeout: "'1s'",
      lock_timeout: "'1s'",
      enable_nestloop: 'off',
      work_mem: "'64kB'",
      lc_numeric: "'C'",
      quote_all_identifiers: 'on',
    };
    await asAdmin(
      database,
      'create schema evil',
      'create domain evil.text as pg_catalog.text check (false)',
      'create domain evil.jsonb as pg_catalog.jsonb check (false)',
      `create function evil.now() returns timestamptz language sql as $$ select 'infinity'::timestamptz $$`,
      ...Object.entries(settings).map(([name, value]) => `alter database ${database} set ${name} = ${value}`),
    );
  });
  const visit = visits(() => postgresTarget(server, database));
  rowsSuite(visit);
  refreshSuite(visit);
  wideningSuite(visit);
  queriesSuite(visit);
  valuesSuite('postgres', visit);
});

test('A database whose encoding does not hold every text is refused', async () => {
  const database = await server.createDatabase();
  const other = `latin_${database}`;
  await asAdmin(database, `create database ${other} encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0`);
  const destination = postgresDestination(configFor(server, other, 'cleargrid'));
  await use(destination, async () => {
    const refused = { kind: 'config_error', message: expect.stringMatching(/encoding is LATIN1.*UTF8 is needed/) };
    await expect(destination.check()).rejects.toMatchObject(refused);
    await expect(destination.open([deals], run('one'))).rejects.toMatchObject(refused);
  });
});

describe('A user without a right is told which one is missing:', () => {
  async function withRole(grants: (database: string) => string[]) {
    const database = await server.createDatabase();
    const role = `role_${database}`;
    await asAdmin(
      database,
      `create role ${role} login password 'role'`,
      ...grants(database).map((grant) => grant.replaceAll('ROLE', role)),
    );
    return postgresDestination({ ...configFor(server, database, 'cleargrid'), username: role, password: 'role' });
  }

  test.for<[string, (database: string) => string[], RegExp]>([
    ['a schema that is not there', () => [], /permission denied for database .*grant create on database/],
    [
      'a schema of others',
      () => ['create schema cleargrid'],
      /denied for schema cleargrid.*grant usage, create on schema/,
    ],
    [
      'a schema that may only be read',
      () => ['create schema cleargrid', 'grant usage on schema cleargrid to ROLE'],
      /denied for schema cleargrid.*grant usage, create on schema cleargrid/,
    ],
    [
      'no temporary tables',
      (database) => [
        `grant create on database ${database} to ROLE`,
        `revoke temporary on database ${database} from public`,
      ],
      /permission denied to create temporary tables.*grant temporary on database/,
    ],
  ])('%s', async ([, grants, words]) => {
    const destination = await withRole(grants);
    await use(destination, async () => {
      await expect(destination.check()).rejects.toMatchObject({
        kind: 'config_error',
        message: expect.stringMatching(words),
      });
      if (String(words).includes('temporary')) return;
      await expect(destination.open([deals], run('one'))).rejects.toMatchObject({ kind: 'config_error' });
    });
  });

  test('the right to create in the schema is enough', async () => {
    const destination = await withRole(() => [
      'create schema cleargrid',
      'grant usage, create on schema cleargrid to ROLE',
    ]);
    await use(destination, async () => {
      await destination.check();
      expect((await destination.open([deals], run('one'))).size).toBe(1);
    });
  });
});

describe('A server that cannot be used is told as what it is:', () => {
  test.for<[string, object, string, RegExp]>([
    ['a wrong password', { password: 'wrong-secret' }, 'config_error', /refuses this user/],
    ['no such database', { database: 'nowhere' }, 'config_error', /no such database/],
    ['nobody listens', { port: 1 }, 'transient_error', /cannot be reached/],
    ['an unknown host', { host: 'no-such-host.invalid' }, 'config_error', /name is not known/],
  ])('%s', async ([, changes, kind, words]) => {
    const destination = postgresDestination({ ...configFor(server, 'postgres', 'cleargrid'), ...changes });
    await use(destination, async () => {
      const check = destination.check();
      await expect(check).rejects.toMatchObject({ kind, message: expect.stringMatching(words) });
      await expect(check).rejects.not.toThrow(/wrong-secret/);
    });
  });

  test.for<[string, object, RegExp]>([
    ['neither url nor fields', { host: undefined }, /needs "url"/],
    ['a schema whose name is too long', { schema: 'ä'.repeat(32) }, /longer than the 63 bytes/],
    ['both url and fields', { url: 'postgres://a:b@c/d' }, /not both/],
    [
      'no URL',
      { url: 'nonsense', host: undefined, database: undefined, username: undefined, password: undefined },
      /is no URL/,
    ],
    [
      'a URL whose parameter would be ignored',
      {
        url: 'postgres://a:b@c/d?options=x',
        host: undefined,
        database: undefined,
        username: undefined,
        password: undefined,
      },
      /parameter options/,
    ],
  ])('%s', ([, changes, words]) => {
    const config = { ...configFor(server, 'postgres', 'cleargrid'), ...changes } as never;
    expect(() => postgresDestination(config)).toThrow(words);
  });
});

describe('TLS', () => {
  const check = (changes: object) => {
    const config = { ...configFor(server, 'postgres', 'cleargrid'), ...changes };
    return use(postgresDestination(config), (destination) => destination.check());
  };
  const ca = () => join(server.folder!, 'data', 'ca.crt');

  test('is verified fully by default, and nobody vouches for this server', async () => {
    expect(postgresConfig.parse({ type: 'postgres' }).ssl).toBe(true);
    await expect(check({ ssl: true })).rejects.toMatchObject({
      kind: 'config_error',
      message: expect.stringMatching(/certificate/),
    });
  });

  test('is accepted from a CA that is given, for the right name alone unless only the CA counts', async () => {
    await expect(check({ ssl: { ca: ca(), verify: 'full' } })).rejects.toThrow(/certificate/);
    await check({ ssl: { ca: ca(), verify: 'ca' } });
  });

  test('is not verified where that is asked for, and a CA that cannot be read is told', async () => {
    await check({ ssl: { verify: 'none' } });
    await check({ ssl: false });
    await expect(async () => check({ ssl: { ca: '/nowhere/ca.crt', verify: 'ca' } })).rejects.toThrow(
      /\/nowhere\/ca\.crt/,
    );
  });

  test('that a server does not speak is told, and nothing is sent in plain text', async () => {
    const plain = await startPostgres();
    const config = { ...configFor(plain, 'postgres', 'cleargrid'), ssl: true };
    const destination = postgresDestination(config);
    await expect(destination.check()).rejects.toMatchObject({
      kind: 'config_error',
      message: expect.stringMatching(/no TLS/),
    });
    await destination.close();
    await plain.stop();
  });

  test('is spoken to the host of a URL', async () => {
    const { host, port, user, password } = server;
    const url = `postgresql://${user}:${password}@${host}:${port}/postgres?sslmode=require`;
    const config = postgresConfig.parse({ type: 'postgres', url, ssl: { verify: 'none' } });
    await use(postgresDestination(config), (destination) => destination.check());
  });
});

describe.skipIf(!hasPgBouncer)('PgBouncer', () => {
  test('in transaction mode is recognised and refused', async () => {
    const database = await server.createDatabase();
    const pooler = await startPgBouncer(server, database, 'transaction');
    const destination = postgresDestination({ ...configFor(server, database, 'cleargrid'), ...pooler.address });
    await use(destination, async () => {
      const refused = { kind: 'config_error', message: expect.stringMatching(/pooler .* in transaction mode/) };
      await expect(destination.check()).rejects.toMatchObject(refused);
      await expect(destination.open([deals], run('one'))).rejects.toMatchObject(refused);
    });
    await pooler.stop();
  });

  test('in session mode serves', async () => {
    const database = await server.createDatabase();
    const pooler = await startPgBouncer(server, database, 'session');
    const destination = postgresDestination({ ...configFor(server, database, 'cleargrid'), ...pooler.address });
    await use(destination, async () => {
      await destination.check();
      expect((await destination.open([deals], run('one'))).size).toBe(1);
    });
    await pooler.stop();
  });
});
