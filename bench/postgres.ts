import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadedColumns } from '../destinations/postgres/kinds.ts';
import { list } from '../destinations/postgres/sql.ts';
import { streamNamed } from '../schemas/registry.ts';
import { AS_IN_THE_IMAGE, figure, measure, median } from './harness.ts';
import { CREATE, copyKeyed, DROP, runPsql, stagedUpsert } from './postgres/psql.ts';
import { startServer } from './postgres/server.ts';

/**
 * `sync` as a whole process into Postgres, the API in another process, against psql with a ready file of the same rows; interleaved,
 * medians of rates, and of the ratios of each round. After each round our table is compared with psql's, row by row.
 *
 * usage: npm run bench:postgres [-- --rows 1000000 --rounds 3 --ids random,ordered --steps PART,PART --plain --profile FOLDER]
 *
 * `--plain` runs it as `npx` does, and not with the settings of the image. `--profile` keeps a CPU profile of each `sync` there, which costs it some
 * of its speed.
 */
const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    ids: { type: 'string', default: 'random,ordered' },
    steps: { type: 'string', default: '' },
    plain: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const rows = Number(options.rows);
const rounds = Number(options.rounds);
const wanted = (step: string) => options.steps === '' || options.steps.split(',').some((part) => step.includes(part));

const stream = streamNamed('borrower_sub_accounts')!;
const executable = new URL('../connector/bin.js', import.meta.url).pathname;
const DAYS = 1000;
const DAY = 86_400_000;
/** Midnight, where the simulated history ends; what lies between the other two is loaded first, the rest is new to a loaded table. */
const end = Math.floor(Date.now() / DAY) * DAY;
const iso = (ms: number) => new Date(ms).toISOString();
const SPAN = {
  beginning: iso(0),
  middle: iso(end - (DAYS / 2) * DAY),
  tenth: iso(end - (DAYS / 20) * DAY),
  end: iso(end + 100 * DAY),
};

interface Result {
  /** Rows a second. */
  readonly rate: number;
  readonly clientCpu: number;
  readonly serverCpu: number;
  readonly peakMegabytes: number;
  readonly walMegabytes: number;
}

type Results = Record<string, Result[]>;

const server = await startServer();
try {
  for (const ids of options.ids.split(',') as ('random' | 'ordered')[]) {
    const results: Results = {};
    for (let round = 0; round < rounds; round++) {
      const near = await serve(ids);
      const far = wanted('100 ms') ? await serve(ids, 100) : null;
      await benchRound(near, far, results);
      await Promise.all([near.stop(), far?.stop()]);
    }
    print(ids, results);
  }
} finally {
  await server.stop();
}

async function benchRound(near: Api, far: Api | null, results: Results): Promise<void> {
  const file = (name: string) => join(server.folder, `${name}.copy`);
  const loaded = await near.tell(`file ${file('loaded')} ${SPAN.middle} ${SPAN.end}`);
  const fresh = await near.tell(`file ${file('fresh')} ${SPAN.beginning} ${SPAN.middle}`);
  const psql = (step: string, count: number, script: string) =>
    record(results, `psql ${step}`, count, 'psql', () => runPsql(server, 'psql', script));
  const ours = (step: string, count: number, api: Api, config: object, ...flags: string[]) =>
    record(results, step, count, 'ours', () => sync(api, config, count, ...flags));
  const since = { start_date: SPAN.middle };

  await anew();
  await psql('\\copy into the keyed table', loaded, copyKeyed(file('loaded')));
  await server.query('psql', [...DROP, ...CREATE].join(';\n'));
  await psql('staged upsert: new', loaded, stagedUpsert(file('loaded'), false));
  if (wanted('tenth')) {
    await emptied();
    await ours('first load of a tenth', loaded / 10, near, { start_date: SPAN.tenth });
  }
  if (far !== null) {
    // What psql has written is still on its way to the disk: neither of the two that are compared comes first after it.
    await emptied();
    await sync(near, since, loaded);
    await emptied();
    await ours('first load, 100 ms a page', loaded, far, since);
  }
  await emptied();
  await ours('first load', loaded, near, since);
  await psql('staged upsert: unchanged, guarded', loaded, stagedUpsert(file('loaded'), true));
  if (wanted('look-back')) await ours('look-back, unchanged', loaded, near, { ...since, look_back: 'P9Y' });
  if (wanted('refresh')) await ours('full refresh, unchanged', loaded, near, since, '--full-refresh');
  await psql('staged upsert: new to a loaded table', fresh, stagedUpsert(file('fresh'), false));
  await ours('new to a loaded table', fresh, near, { look_back: 'PT0S' });
  const changed = await near.tell(`change ${loaded}`);
  await near.tell(`file ${file('changed')} ${iso(end)} ${SPAN.end}`);
  await psql('staged upsert: changed', changed, stagedUpsert(file('changed'), false));
  await ours('changed', changed, near, { look_back: 'PT0S' });
  await compare();
}

async function emptied(database = 'ours'): Promise<void> {
  await server.query('postgres', `drop database if exists ${database} with (force)`);
  await server.query('postgres', `create database ${database}`);
}

async function anew(): Promise<void> {
  await emptied('psql');
  await emptied('ours');
  await server.query('psql', CREATE.join(';\n'));
}

async function record(
  results: Results,
  step: string,
  count: number,
  database: string,
  work: () => Promise<{ seconds: number; cpuSeconds: number; peakMegabytes: number }>,
): Promise<void> {
  // What the server would do sometime, in the background of whichever step comes then, is done before each.
  await server.query(database, 'vacuum');
  await server.query(database, 'checkpoint');
  const lsn = async () =>
    Number((await server.query(database, `select pg_current_wal_lsn() - '0/0' as bytes`))[0]!.bytes);
  const [wal, cpu] = [await lsn(), server.cpuSeconds()];
  const { seconds, cpuSeconds, peakMegabytes } = await work();
  const result: Result = {
    rate: count / seconds,
    clientCpu: cpuSeconds,
    serverCpu: server.cpuSeconds() - cpu,
    peakMegabytes,
    walMegabytes: ((await lsn()) - wal) / 1e6,
  };
  results[step] ??= [];
  results[step].push(result);
  console.error(`${step.padEnd(44)} ${figure(result.rate).padStart(6)} rows/s`);
}

async function sync(api: Api, config: object, count: number, ...flags: string[]) {
  const path = join(server.folder, 'config.json');
  const { url, lender, email, password } = api;
  const destination = {
    ...{ type: 'postgres', host: '127.0.0.1', port: server.port, database: 'ours', ssl: false },
    ...{ username: server.user, password: server.password },
  };
  writeFileSync(
    path,
    JSON.stringify({
      lender,
      email,
      password,
      base_url: url,
      streams: [stream.name],
      concurrency: 32,
      destination,
      ...config,
    }),
  );
  const launch = options.plain ? {} : AS_IN_THE_IMAGE;
  const profiled = options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`];
  const measured = await measure(executable, ['sync', '--config', path, ...flags], {
    ...launch,
    flags: [...(launch.flags ?? []), ...profiled],
  });
  const [told] = JSON.parse(measured.output).streams as [{ rows_written: number; rows_unchanged: number }];
  if (told.rows_written + told.rows_unchanged < count * 0.9) throw new Error(`${told.rows_written} rows of ${count}`);
  return measured;
}

/** Both tables hold the same, apart from the time of reading. */
async function compare(): Promise<void> {
  const columns = list(
    loadedColumns(stream)
      .map(({ name }) => name)
      .filter((name) => name !== '_synced_at'),
  );
  const digest = (database: string, table: string) =>
    server.query(
      database,
      `select count(*)::text as rows, sum(hashtextextended((${columns})::text, 0)::numeric)::text as digest from ${table}`,
    );
  const [theirs, our] = [await digest('psql', 'public.rows'), await digest('ours', `cleargrid.${stream.name}`)];
  if (JSON.stringify(theirs) !== JSON.stringify(our))
    throw new Error(`tables differ: ${JSON.stringify([theirs, our])}`);
}

interface Api {
  readonly url: string;
  readonly lender: string;
  readonly email: string;
  readonly password: string;
  tell(line: string): Promise<number>;
  stop(): Promise<void>;
}

async function serve(ids: 'random' | 'ordered', latencyMs = 0): Promise<Api> {
  const script = new URL('postgres/api.ts', import.meta.url).pathname;
  const settings = {
    rows: { D03: 2 * rows },
    unknowns: { viaPages: 'full', ids },
    history: { days: DAYS, end: iso(end) },
    latencyMs,
  };
  const child = spawn(process.execPath, ['--max-old-space-size=8000', script, JSON.stringify(settings)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const address = JSON.parse((await lines.next()).value as string) as Omit<Api, 'tell' | 'stop'>;
  return {
    ...address,
    tell: async (line) => {
      child.stdin.write(`${line}\n`);
      return Number((await lines.next()).value);
    },
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.stdin.end();
      }),
  };
}

function print(ids: string, results: Results): void {
  const rate = (step: string) => median((results[step] ?? []).map((result) => result.rate));
  const of = (step: string, key: keyof Result) => median(results[step]!.map((result) => result[key]));
  console.log(
    `\n${ids} ids, ${rows} rows, ${rounds} rounds; Postgres ${server.version}, Node ${process.version}, ${cpus().length} cores`,
  );
  for (const step of Object.keys(results)) {
    const rates = results[step]!.map((result) => figure(result.rate)).join(', ');
    const peak = step.startsWith('psql') ? '' : `, peak ${Math.round(of(step, 'peakMegabytes'))} MB`;
    const cost = `CPU client ${of(step, 'clientCpu').toFixed(1)} s, server ${of(step, 'serverCpu').toFixed(1)} s${peak}`;
    console.log(
      `${step.padEnd(40)} ${figure(rate(step)).padStart(6)} rows/s  WAL ${String(Math.round(of(step, 'walMegabytes'))).padStart(5)} MB  ${cost}  (${rates})`,
    );
  }
  const ratios: [string, string, string, number][] = [
    ['first load / staged upsert', 'first load', 'psql staged upsert: new', ids === 'random' ? 2.5 : 1.75],
    [
      'first load / \\copy into the keyed table',
      'first load',
      'psql \\copy into the keyed table',
      ids === 'random' ? 1.5 : 1,
    ],
    ['new / staged upsert', 'new to a loaded table', 'psql staged upsert: new to a loaded table', 1.6],
    ['changed / staged upsert', 'changed', 'psql staged upsert: changed', 1.5],
    ['unchanged / guarded staged upsert', 'look-back, unchanged', 'psql staged upsert: unchanged, guarded', 1.6],
    ['full refresh of unchanged / the same', 'full refresh, unchanged', 'psql staged upsert: unchanged, guarded', 0],
    ['100 ms a page / none', 'first load, 100 ms a page', 'first load', 0.9],
  ];
  for (const [name, step, base, goal] of ratios) {
    if (results[step] === undefined || results[base] === undefined) continue;
    // Each round by itself: what makes the machine slower for some minutes makes both sides slower.
    const each = results[step]!.map((result, round) => result.rate / results[base]![round]!.rate);
    const cpu = (of(base, 'clientCpu') + of(base, 'serverCpu')) / (of(step, 'clientCpu') + of(step, 'serverCpu'));
    console.log(
      `${name.padEnd(40)} ${median(each).toFixed(2).padStart(6)}   (${each.map(figure).join(', ')})   by CPU ${cpu.toFixed(2)}${goal > 0 ? `   (goal ${goal})` : ''}`,
    );
  }
  const [all, tenth] = ['first load', 'first load of a tenth'].map(
    (step) => results[step] && of(step, 'peakMegabytes'),
  );
  if (all !== undefined && tenth !== undefined)
    console.log(`peak memory, all rows / a tenth          ${(all / tenth).toFixed(2)}   (goal 1.2)`);
}
