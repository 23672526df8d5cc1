import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { duckdbDestination } from '../destinations/duckdb/destination.ts';
import { LockedFailure } from '../destinations/failure.ts';
import { at, deals } from './destination-suite/streams.ts';
import { type DuckdbTarget, duckdbTarget } from './duckdb-target.ts';

const script = fileURLToPath(new URL('duckdb-process.ts', import.meta.url));

let target: DuckdbTarget;
let children: ChildProcess[] = [];

beforeEach(async () => {
  target = await duckdbTarget();
});
afterEach(async () => {
  for (const child of children) await kill(child);
  children = [];
  await target.remove();
});

type Line = Readonly<Record<string, unknown>>;

/** Starts a writer (in a shell, behind `before`), and gives its lines as they come. */
function start(mode: 'hold' | 'load', before = '', options: SpawnOptions = {}) {
  const command = `${before} exec "$0" "$1" "$2" "$3"`;
  const args = ['-c', command, process.execPath, script, target.path, mode];
  const child = spawn('bash', args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
  children.push(child);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<Line | null> => {
    const { value, done } = await lines.next();
    return done ? null : (JSON.parse(value) as Line);
  };
  return { child, nextLine };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function open(id = 'mine') {
  const destination = target.destination();
  return {
    destination,
    opened: destination.open([deals], {
      id,
      command: 'sync',
      startedAt: at(1),
      fullRefresh: new Set(),
      warn: () => {},
    }),
  };
}

describe('A DuckDB file that another process has open', () => {
  test('is refused to all others, who are told by which run and since when', async () => {
    const { nextLine, child } = start('hold');
    const { opened: run } = (await nextLine())!;
    const attempt = open();
    await expect(attempt.opened).rejects.toBeInstanceOf(LockedFailure);
    await expect(attempt.opened).rejects.toThrow(`${run} (process ${child.pid}), since ${at(0)}`);
    await expect(attempt.destination.positions()).rejects.toBeInstanceOf(LockedFailure);
    await kill(child);
    const next = open();
    expect((await next.opened).size).toBe(1);
    await next.destination.close();
  });

  test('is waited for while the other ends', async () => {
    const { nextLine, child } = start('hold');
    await nextLine();
    const { destination, opened } = open();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await kill(child);
    expect((await opened).size).toBe(1);
    await destination.close();
  });

  test('is told by its process where no run has left its name', async () => {
    const { nextLine, child } = start('hold');
    await nextLine();
    await writeFile(`${target.path}.run`, 'damaged');
    await expect(open().opened).rejects.toThrow(`process ${child.pid}`);
  });
});

describe('A DuckDB file whose writer is killed', () => {
  test('holds the rows of every batch that its position tells of, and no other, however often (fault 1)', async () => {
    let committed = -1;
    for (let round = 0; round < 10; round++) {
      const { nextLine, child } = start('load');
      expect(await nextLine()).toHaveProperty('opened');
      for (let lines = 0; lines <= round % 4; lines++) committed = (await nextLine())!.committed as number;
      await new Promise((resolve) => setTimeout(resolve, (round * 7) % 40));
      await kill(child);

      const destination = target.destination();
      const [stored] = await destination.positions();
      const { seen } = JSON.parse(stored!.document) as { seen: string };
      const batches = (Date.parse(seen) - Date.parse(at(0))) / 60_000 + 1;
      expect(batches).toBeGreaterThan(committed);
      const sql = `select count(*) as n, count(distinct public_id) as keys, max(updated_at) as last from deals`;
      for await (const row of destination.query(sql)) {
        expect(row).toEqual({ n: batches * 1000, keys: batches * 1000, last: seen });
      }
      await destination.close();
    }
    expect(committed).toBeGreaterThan(10);
  });
});

describe('A DuckDB file that cannot grow', () => {
  test('ends the run clearly, and nothing that was committed is lost (fault 15)', async () => {
    const { nextLine } = start('load', 'trap "" XFSZ; ulimit -f 6000;');
    let last: Line = {};
    let committed = 0;
    for (let line = await nextLine(); line !== null; line = await nextLine()) {
      last = line;
      if ('committed' in line) committed++;
    }
    expect(last).toMatchObject({ failed: 'transient_error', message: expect.stringMatching(/no space is left/) });
    expect(committed).toBeGreaterThan(5);

    const { nextLine: next, child } = start('load');
    await next();
    expect(await next()).toEqual({ committed });
    await kill(child);
  });
});

describe('A DuckDB file that may not be written', () => {
  const other = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

  test.each([
    ['a folder', (t: DuckdbTarget) => t.folder, 0o555],
    ['a file', (t: DuckdbTarget) => t.path, 0o444],
  ])('is refused as a matter of rights (%s)', async (what, pathOf, mode) => {
    if (what === 'a file') {
      const { opened, destination } = open();
      await opened;
      await destination.close();
    }
    await chmod(target.folder, what === 'a file' ? 0o777 : mode);
    await chmod(pathOf(target), mode);
    const { nextLine } = start('load', '', other);
    expect(await nextLine()).toMatchObject({ failed: 'config_error', message: expect.stringMatching(/read-only/) });
    await chmod(target.folder, 0o777);
  });
});

test('A destination that is opened by another name of its file is the same', async () => {
  const { opened, destination } = open('first');
  await opened;
  const path = `${target.folder}/../${target.folder.split('/').at(-1)}/warehouse.duckdb`;
  const second = duckdbDestination({ type: 'duckdb', path, schema: 'main' });
  const attempt = second.open([deals], {
    id: 'second',
    command: 'sync',
    startedAt: at(2),
    fullRefresh: new Set(),
    warn: () => {},
  });
  await expect(attempt).rejects.toThrow('first');
  await destination.close();
});
