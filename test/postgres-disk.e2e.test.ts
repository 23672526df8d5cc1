import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Destination } from '../destinations/contract.ts';
import { postgresDestination } from '../destinations/postgres/destination.ts';
import { at, deals } from './destination-suite/streams.ts';
import { newPosition, newWindow, pageOf } from './destination-suite/visit.ts';
import { startPostgres, type TestServer } from './postgres-server.ts';
import { configFor } from './postgres-target.ts';

/** Fault 15 on a real server, whose tables lie on a disk that is too small. */

let server: TestServer;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const run = (id: string) => ({ id, command: 'sync', startedAt: at(1), fullRefresh: new Set<string>(), warn: () => {} });

async function use<T>(destination: Destination, work: (destination: Destination) => Promise<T>): Promise<T> {
  try {
    return await work(destination);
  } finally {
    await destination.close();
  }
}

async function asAdmin(...statements: string[]): Promise<void> {
  const admin = await server.connect('postgres');
  for (const statement of statements) await admin.query(statement);
  await admin.end();
}

describe('fault 15: a full disk', () => {
  /** A disk of 24 MB, if this user may mount one. */
  async function mountSmallDisk(): Promise<{ path: string; enlarge(): void; unmount(): void } | null> {
    if (server.folder === null || process.getuid?.() !== 0) return null;
    const path = join(server.folder, 'small');
    await mkdir(path);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', path]).status === 0;
    if (!mounted) return null;
    spawnSync('chown', ['postgres', path]);
    return {
      path,
      enlarge: () => void spawnSync('mount', ['-o', 'remount,size=400m', path]),
      unmount: () => void spawnSync('umount', ['-l', path]),
    };
  }

  test('ends the run cleanly, and the next one goes on where it was', async ({ skip }) => {
    const disk = await mountSmallDisk();
    if (disk === null) return skip('no disk can be mounted here');
    await asAdmin(`create tablespace small location '${disk.path}'`);
    await asAdmin('create database small_disk tablespace small');
    try {
      const fill = async (destination: Destination, from: number, to: number) => {
        const table = (await destination.open([deals], run(`from ${from}`))).get('deals')!;
        for (let at20 = from; at20 < to; at20++) {
          const records = Array.from({ length: 2000 }, (_, index) => ({
            public_id: `${at20}-${index}`,
            name: 'x'.repeat(1000),
          }));
          const page = table.prepare(pageOf(deals, destination.kinds, { askedAt: at(20), records }));
          const windows = [newWindow(null, at(60))];
          const begin = { type: 'begin', position: newPosition(deals, { until: at(60), windows }) } as const;
          const cursor = { type: 'window', until: at(60), becomes: [{ ...windows[0]!, cursor: `${at20}` }] } as const;
          await table.commit({ pages: [page], changes: at20 === 0 ? [begin, cursor] : [cursor], refresh: null });
        }
        return table;
      };
      const full = postgresDestination(configFor(server, 'small_disk', 'cleargrid'));
      const refused = use(full, (destination) => fill(destination, 0, 40));
      await expect(refused).rejects.toMatchObject({
        kind: 'transient_error',
        message: expect.stringMatching(/no space left/),
      });

      disk.enlarge();
      await wait(100);
      await use(postgresDestination(configFor(server, 'small_disk', 'cleargrid')), async (destination) => {
        const [stored] = await destination.positions();
        const next = Number(JSON.parse(stored!.document).windows[0].cursor) + 1;
        expect(next).toBeGreaterThan(0);
        const table = await fill(destination, next, 40);
        await table.commit({ pages: [], changes: [{ type: 'window', until: at(60), becomes: [] }], refresh: null });
        let rows = 0;
        for await (const { count } of destination.query('select count(*) as count from cleargrid.deals'))
          rows = Number(count);
        expect(rows).toBe(80_000);
      });
    } finally {
      await asAdmin('drop database if exists small_disk with (force)', 'drop tablespace if exists small').catch(
        () => {},
      );
      disk.unmount();
    }
  });
});
