import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createBookkeeping } from '../../destinations/bigquery/bookkeeping-sql.ts';
import { createLedger } from '../../destinations/bigquery/ledger-sql.ts';
import { inPlace, stagingName, tableNames } from '../../destinations/bigquery/names.ts';
import { loadSchema } from '../../destinations/bigquery/ndjson.ts';
import { createSeen, createTable } from '../../destinations/bigquery/tables-sql.ts';
import { borrowerDeals } from '../../schemas/streams/borrower_deals.ts';
import { borrowerSubAccounts } from '../../schemas/streams/borrower_sub_accounts.ts';
import { userLenderDetails } from '../../schemas/streams/user_lender_details.ts';
import { statements } from '../bigquery-statements.ts';
import { freePort } from '../postgres-server.ts';

/**
 * Every statement that is sent to BigQuery, through GoogleSQL's own front end, as goccy/bigquery-emulator has it. What that refuses
 * is told, and so is what it resolves and the emulator then cannot run. Run by a person: `npm run check:googlesql`.
 */

interface Field {
  readonly name: string;
  readonly type: string;
}

const PLACE = { project: 'a-project', dataset: 'cleargrid' };
const STREAMS = [borrowerSubAccounts, borrowerDeals, userLenderDetails];
const NUMBERS = ['token', 'sequence', 'limit', 'first', 'last', 'next', 'written', 'unseen', 'unmarked'];
/** Lists of texts; `k0` and so on are the values of a key. */
const LISTS = /^(streams|runs|k\d+)$/;
/**
 * What the emulator says of a statement that GoogleSQL has resolved, and it cannot run. UPDATE ... FROM is a feature of GoogleSQL that
 * it leaves off and BigQuery has: https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax#update_using_joins
 */
const BEYOND_IT = /^failed to (exec|query)|^MERGE: source must be|\bsql: expected|Update with joins not supported/;

const { stdout } = await promisify(execFile)(join(import.meta.dirname, 'googlesql.sh'), { maxBuffer: 1e8 });
const [port, grpc] = [await freePort(), await freePort()];
const place = [`--project=${PLACE.project}`, `--dataset=${PLACE.dataset}`];
const emulator = spawn(stdout.trim().split('\n').at(-1)!, [...place, `--port=${port}`, `--grpc-port=${grpc}`], {
  stdio: 'ignore',
});
const base = `http://127.0.0.1:${port}/bigquery/v2/projects/${PLACE.project}`;
let refused = 0;
try {
  await untilReady();
  for (const [tableId, fields] of tables()) {
    const tableReference = { projectId: PLACE.project, datasetId: PLACE.dataset, tableId };
    const refusal = await post(`/datasets/${PLACE.dataset}/tables`, { tableReference, schema: { fields } });
    if (refusal !== null) throw new Error(`the table ${tableId} cannot be made: ${refusal}`);
  }
  const counts = { accepted: 0, 'not run': 0, REFUSED: 0 };
  for (const [name, sql] of statements()) {
    for (const statement of parts(sql)) {
      const jobReference = { projectId: PLACE.project, jobId: randomUUID() };
      const refusal = await post('/jobs', { jobReference, configuration: { dryRun: true, query: query(statement) } });
      const verdict = refusal === null ? 'accepted' : BEYOND_IT.test(refusal) ? 'not run' : 'REFUSED';
      counts[verdict]++;
      refused = counts.REFUSED;
      if (refusal !== null) console.log(`${verdict} ${name}: ${refusal.slice(0, 300)}\n  ${statement.slice(0, 100)}`);
    }
  }
  console.log(counts);
} finally {
  emulator.kill();
  await once(emulator, 'exit');
}
process.exitCode = refused === 0 ? 0 : 1;

async function untilReady(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (emulator.exitCode !== null) throw new Error(`the emulator ended with ${emulator.exitCode}`);
    if (
      await fetch(`${base}/datasets`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return;
    await sleep(200);
  }
  throw new Error('the emulator does not answer');
}

/** All tables that the statements name, with the columns that they are made with. */
function tables(): Map<string, readonly Field[]> {
  const made = STREAMS.flatMap((stream) => {
    const names = tableNames(stream);
    return [
      createTable(stream, inPlace(PLACE, names.table), null, 'day'),
      createSeen(stream, inPlace(PLACE, names.seen)),
    ];
  });
  const found = new Map<string, readonly Field[]>();
  for (const sql of [createBookkeeping(PLACE), createLedger(PLACE), ...made]) {
    for (const [, table, columns] of sql.matchAll(/create table if not exists \S+`([^`]+)` \(\n(.*?)\n\)/gs)) {
      found.set(
        table!,
        [...columns!.matchAll(/^ {2}`([^`]+)` (\w+)/gm)].map(([, name, type]) => ({ name: name!, type: type! })),
      );
    }
  }
  for (const stream of STREAMS) {
    for (const name of [tableNames(stream).loading, stagingName(stream, '0123456789abcdef')]) {
      found.set(name, loadSchema(stream));
    }
  }
  return found;
}

/** The statements of a script, each by itself: the emulator stops at the first that it cannot run. Variables become parameters. */
function parts(script: string): string[] {
  return script
    .split(/;\n/)
    .map((part) =>
      part
        .trim()
        .replace(/^if .*? then\n\s*/s, '')
        .replace(/^set \w+ =/, 'select')
        .replace(/\bfound\.(\w+)/g, '@$1')
        .replace(/(?<![@\w`.])(next|written)(?=[,;)\n ]|$)/g, '@$1'),
    )
    .filter((part) => !/^(declare|begin|commit|rollback|return|end if)\b|@@row_count/.test(part));
}

function query(sql: string): object {
  const names = new Set([...sql.matchAll(/(?<!@)@([a-z]+\d*)/g)].map(([, name]) => name!));
  const queryParameters = [...names].map((name) => {
    if (LISTS.test(name)) {
      const parameterType = { type: 'ARRAY', arrayType: { type: 'STRING' } };
      return { name, parameterType, parameterValue: { arrayValues: [{ value: 'a' }] } };
    }
    return {
      name,
      parameterType: { type: NUMBERS.includes(name) ? 'INT64' : 'STRING' },
      parameterValue: { value: '1' },
    };
  });
  return { query: sql, useLegacySql: false, parameterMode: 'NAMED', queryParameters };
}

/** @returns why it was refused; null where it was not. */
async function post(path: string, body: object): Promise<string | null> {
  const answer = await fetch(base + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  const told = JSON.parse(text) as {
    error?: { message?: string };
    status?: { errorResult?: { message?: string } };
  };
  if (answer.ok && !told.status?.errorResult) return null;
  return (told.error ?? told.status?.errorResult)?.message ?? text;
}
