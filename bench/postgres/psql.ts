import { spawn } from 'node:child_process';
import { loadedColumns, nativeColumns } from '../../destinations/postgres/kinds.ts';
import { definitions, list, quote } from '../../destinations/postgres/sql.ts';
import { streamNamed } from '../../schemas/registry.ts';
import type { BenchServer } from './server.ts';

/** What a person would do by hand with a ready file, through psql: the same columns, the same key. */

const stream = streamNamed('borrower_sub_accounts')!;
const columns = loadedColumns(stream).map(({ name }) => name);
const TABLE = 'public.rows';

/** Makes the keyed table and the unlogged staging table. */
export const CREATE = [
  `create table ${TABLE} (\n${definitions(nativeColumns(stream), stream.primaryKey)},\n  primary key (${list(stream.primaryKey)})\n)`,
  `create unlogged table public.staged (\n${definitions(loadedColumns(stream), [])}\n)`,
];

export const DROP = ['drop table if exists public.rows', 'drop table if exists public.staged'];

/** `\copy` of the file into the keyed table. */
export const copyKeyed = (file: string) => `\\copy ${TABLE} (${list(columns)}) from '${file}'`;

/** `\copy` of the file into the staging table, then one upsert of all of it; with a guard, rows that are the same are left alone. */
export function stagedUpsert(file: string, guarded: boolean): string {
  const set = columns.filter((name) => !stream.primaryKey.includes(name));
  const compared = set.filter((name) => name !== '_synced_at');
  const guard = guarded ? `\nwhere (${list(compared, 't')}) is distinct from (${list(compared, 'excluded')})` : '';
  return `truncate public.staged;
\\copy public.staged from '${file}'
insert into ${TABLE} as t (${list(columns)}) select ${list(columns)} from public.staged
on conflict (${list(stream.primaryKey)}) do update set ${set.map((name) => `${quote(name)} = excluded.${quote(name)}`).join(', ')}${guard};`;
}

/** The shell tells what its child has used. */
const WITH_TIMES = 'psql "$@"; code=$?; times >&3; exit $code';

/** Runs a script in a process of its own and measures all of it. */
export function runPsql(
  { port, user, password }: BenchServer,
  database: string,
  script: string,
): Promise<{ seconds: number; cpuSeconds: number; peakMegabytes: number }> {
  const url = `postgresql://${user}:${password}@127.0.0.1:${port}/${database}`;
  const args = ['--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', url];
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn('bash', ['-c', WITH_TIMES, 'psql', ...args], { stdio: ['pipe', 'inherit', 'inherit', 'pipe'] });
    let times = '';
    child.stdio[3]!.on('data', (chunk: Buffer) => {
      times += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      const seconds = (performance.now() - began) / 1000;
      if (code === 0) resolve({ seconds, cpuSeconds: childSeconds(times), peakMegabytes: 0 });
      else reject(new Error(`psql ended with ${code}`));
    });
    child.stdin!.end(`${script}\n`);
  });
}

/** Of `times`, whose second line is about children: `0m1.234s 0m0.567s`, user and system. */
function childSeconds(times: string): number {
  const [, children = ''] = times.split('\n');
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );
}
