import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { streamNamed } from '../schemas/registry.ts';
import { start } from './cli-process.ts';
import { runToEnd } from './kill.ts';
import { type CuttableWay, cuttableWay } from './postgres-proxy.ts';
import { configFor } from './postgres-target.ts';
import { admin, config, database, differences, serve, server, simulator, usePostgres } from './postgres-world.ts';

/** Fault 1 at each named step of each kind of run, on the process itself, while rows change. */

const streams = ['borrower_sub_accounts', 'borrower_payments', 'communication_logs'].map((name) => streamNamed(name)!);
/** Paged by the time of change: what changes comes again. */
const CHANGING = ['D03', 'D07'];
const TABLE = 'cleargrid.borrower_sub_accounts';
const LOADING = 'cleargrid._cleargrid_loading_borrower_sub_accounts';
const QUOTED_LOADING = '"cleargrid"."_cleargrid_loading_borrower_sub_accounts"';
const POSITIONS = 'cleargrid._cleargrid_positions';
const POSITION_IS_STORED = 'update "cleargrid"."_cleargrid_positions"';

/** How long a run may take to come to a step. */
const PATIENCE_MS = 60_000;

usePostgres();

let way: CuttableWay;
beforeEach(async () => {
  way = await cuttableWay(server.host, server.port);
});
afterEach(() => way.close());

const query = async (sql: string) => (await admin.query(sql)).rows;

/** The API with so many rows of the stream that is killed, and a config by which runs connect through `way`. */
const load = (rows: number) => {
  const destination = { ...configFor(server, database, 'cleargrid'), host: way.host, port: way.port };
  return serve(streams, { rows: { D03: rows, D07: 100, D21: 100 }, latencyMs: 20 }, { concurrency: 16, destination });
};

const finish = async () => {
  const ended = await runToEnd(config);
  expect(ended.code, ended.stderr.slice(-2000)).toBe(0);
};

/** A run that stands still at a step, for as long as that is not released. */
interface Standstill {
  isReached(): boolean | Promise<boolean>;
  release(): unknown;
}

type Step = () => Promise<Standstill>;

/** Where a run waits for a lock of ours with a statement that begins so. */
function waiting(lock: () => Promise<() => Promise<void>>, statement: string): Step {
  const found = `select from pg_stat_activity where wait_event_type = 'Lock' and query ilike '${statement}%'`;
  return async () => ({ release: await lock(), isReached: async () => (await query(found)).length > 0 });
}

/** Where the first page of the stream has been asked for, and does not come. */
const atFirstPage: Step = async () => {
  let isAsked = false;
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = simulator.onPageRequest(({ code }) => {
    if (code !== 'D03') return;
    isAsked = true;
    return promise;
  });
  const release = () => {
    stop();
    resolve();
  };
  return { isReached: () => isAsked, release };
};

/** Where a COMMIT has taken effect and is not answered; the session has sent such a statement in that transaction. */
function unanswered(statement: string): Step {
  return async () => {
    way.keepAnswer(statement);
    return { isReached: () => way.cuts > 0, release: () => {} };
  };
}

/** Lets a run come to the step while rows change, and kills it there. */
async function killAt(step: Step, ...flags: string[]): Promise<void> {
  const standstill = await step();
  const stopChurn = simulator.startChurn({ codes: CHANGING, everyPages: 2, changes: 3 });
  const running = start(['sync', '--config', config, ...flags]);
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await standstill.isReached())) {
    if (running.process.exitCode !== null || performance.now() > deadline)
      throw new Error(`the run did not come to the step: ${(await running.ended).stderr.slice(-2000)}`);
    await wait(25);
  }
  running.process.kill('SIGKILL');
  await running.ended;
  await standstill.release();
  stopChurn();
}

/** The next run, after which all is as the API has it. */
async function completes(): Promise<void> {
  simulator.advance(2000);
  await finish();
  expect(await differences()).toEqual([]);
}

/** A lock that one of our own sessions holds until it is released. */
function holding(...statements: string[]) {
  return async () => {
    const holder = await server.connect(database);
    await holder.query('begin');
    for (const statement of statements) await holder.query(statement);
    return async () => {
      await holder.query('rollback');
      await holder.end();
    };
  };
}

/** Holds whoever runs into a trigger that calls `public.wait`. */
async function holdingAt(trigger: string, kind: 'trigger' | 'event_trigger', when = 'true') {
  await admin.query(`create function public.wait() returns ${kind} language plpgsql as
    $$ begin
      if ${when} then perform pg_advisory_xact_lock(1); end if;
      ${kind === 'trigger' ? 'return new;' : ''}
    end $$`);
  await admin.query(`${trigger} execute function public.wait()`);
  const release = await holding('select pg_advisory_xact_lock(1)')();
  return async () => {
    await release();
    await admin.query('drop function public.wait cascade');
  };
}

/** Holds whoever is about to store a position, the rows before it written. */
const holdingPositions = (when?: string) => () =>
  holdingAt(`create trigger wait before update of "position" on ${POSITIONS} for each row`, 'trigger', when);

/** In a transaction that has written rows, and not only a plan. */
const afterRows = waiting(
  holdingPositions(
    `(select sum(n_tup_ins) from pg_stat_xact_user_tables where relname like '%borrower_sub_accounts') > 0`,
  ),
  POSITION_IS_STORED,
);

const windowsOf = (row: 'new' | 'old') => `jsonb_array_length(${row}."position"->'windows')`;
/** A stream that has just begun may be split by its first commit. */
const inSplit = waiting(
  holdingPositions(`coalesce(${windowsOf('old')}, 1) between 1 and ${windowsOf('new')} - 1`),
  POSITION_IS_STORED,
);

/** Some rows of a COPY have come. */
const inCopy = waiting(async () => {
  await admin.query('create sequence public.arrived');
  const arrives = `create trigger wait before insert on ${LOADING} for each row`;
  return holdingAt(arrives, 'trigger', `nextval('public.arrived') = 200`);
}, 'copy');

const inRemoval = waiting(
  () => holdingAt(`create trigger wait before delete on ${LOADING} for each row`, 'trigger'),
  'delete from',
);

const inRename = waiting(
  () =>
    holdingAt(
      'create event trigger wait on ddl_command_start',
      'event_trigger',
      `current_query() like '% rename to %'`,
    ),
  'alter table%rename to',
);

describe('fault 1: killed at a named step of a first load,', () => {
  /** The books are there, and nothing of the table. */
  const unbegun = async () => {
    await load(15_000);
    const other = await start(['sync', '--config', config, '--streams', 'borrower_payments']).ended;
    expect(other.code, other.stderr.slice(-2000)).toBe(0);
  };

  /** Some of the rows are loaded: those of a batch or two. */
  const begun = async () => {
    await load(60_000);
    const running = start(['sync', '--config', config]);
    const isThere = async () => (await query(`select to_regclass('${LOADING}') is not null as there`))[0].there;
    while (!(await isThere()) || (await query(`select from ${LOADING} limit 1`)).length === 0) await wait(10);
    running.process.kill('SIGKILL');
    await running.ended;
    expect(await query(`select to_regclass('${TABLE}') as there`)).toEqual([{ there: null }]);
  };

  /** And one of them twice, as where a page was read again. */
  const repeated = async () => {
    await begun();
    await admin.query(`insert into ${LOADING} select * from ${LOADING} limit 1`);
  };

  test.for<[string, () => Promise<void>, Step]>([
    ['before it', unbegun, atFirstPage],
    ['in the middle of it', begun, inCopy],
    ['after rows and before their position', begun, afterRows],
    ['after a commit and before we know of it', begun, unanswered(`copy ${QUOTED_LOADING}`)],
    ['in the middle of a split', unbegun, inSplit],
    ['while its end removes older versions', repeated, inRemoval],
    ['in the middle of a rename', begun, inRename],
    ['after the commit of the rename and before we know of it', begun, unanswered('rename to "borrower_sub_accounts"')],
  ])('%s', async ([, before, step]) => {
    await before();
    await killAt(step);
    await completes();
  });
});

const loaded = async (rows = 4_000) => {
  await load(rows);
  await finish();
};

describe('fault 1: killed at a named step of an increment,', () => {
  test.for<[string, Step, number?]>([
    ['before it', atFirstPage],
    ['in the middle of a merge', waiting(holding(`select from ${TABLE} for update`), 'insert into')],
    ['after rows and before their position', afterRows],
    ['after a commit and before we know of it', unanswered('insert into "cleargrid"."borrower_sub_accounts"')],
    ['in the middle of a split', inSplit, 20_000],
  ])('%s', async ([, step, rows = 4_000]) => {
    await loaded(rows);
    // Of more than one instant, or there is nothing to split.
    for (let n = 0; n < 8; n++) {
      simulator.change('D03', rows / 10);
      simulator.advance(60_000);
    }
    await killAt(step);
    await completes();
  });
});

describe('fault 1: killed at a named step of a full refresh,', () => {
  test.for<[string, (gone: string) => Step]>([
    ['before it', () => atFirstPage],
    ['in the middle of a merge', () => waiting(holding(`lock table ${TABLE} in share mode`), 'insert into')],
    ['after rows and before their position', () => afterRows],
    ['after a commit and before we know of it', () => unanswered('insert into "cleargrid"."borrower_sub_accounts"')],
    ['in the middle of a split', () => inSplit],
    [
      'in the middle of a marking',
      (gone) => waiting(holding(`select from ${TABLE} where public_id = '${gone}' for update`), 'update'),
    ],
    ['after the commit of a marking and before we know of it', () => unanswered('set "_deleted_at"')],
  ])('%s', async ([, step]) => {
    await loaded();
    const gone = simulator.remove('D03', 40);
    await killAt(step(gone[7]!), '--full-refresh');
    const marked = async () =>
      (await query(`select count(*)::int as marked from ${TABLE} where _deleted_at is not null`))[0].marked;
    // All at one instant.
    expect([0, gone.length]).toContain(await marked());
    await completes();
    expect(await marked()).toBe(gone.length);
  });
});
