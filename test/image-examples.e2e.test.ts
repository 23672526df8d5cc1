import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Summary } from '../connector/summary.ts';
import { startSimulator } from '../simulator/simulator.ts';
import { createFolder } from './cli-process.ts';
import { HAS_CRON, startCron } from './cron.ts';
import { dockerOutput, HAS_DOCKER, hostAddress } from './docker-engine.ts';
import { buildImage } from './image.ts';
import { startPostgres } from './postgres-server.ts';
import { configFor } from './postgres-target.ts';

/** The examples under `docker/` that run the image on one machine, run as they stand. */

const path = (name: string) => fileURLToPath(new URL(`../docker/${name}`, import.meta.url));
const COMPOSE = '/usr/bin/docker-compose';

describe.skipIf(!HAS_DOCKER)('of the examples', () => {
  beforeAll(buildImage, 900_000);

  test.skipIf(!existsSync(COMPOSE))(
    'compose.yaml needs one command and no account to bring rows',
    async () => {
      const compose = async (...args: string[]) => {
        const child = spawn(COMPOSE, ['-p', `cleargrid-${process.pid}`, '-f', path('compose.yaml'), ...args], {
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        const [stdout, stderr, [code]] = await Promise.all([
          text(child.stdout),
          text(child.stderr),
          once(child, 'close'),
        ]);
        expect(code, stderr.slice(-2000)).toBe(0);
        return stdout;
      };
      const count = 'select count(*) from cleargrid.borrowers';
      try {
        for (const written of [1000, 0]) {
          const { status, streams } = JSON.parse(await compose('run', '--rm', '-T', 'connector')) as Summary;
          expect(status).toBe('succeeded');
          expect(streams).toHaveLength(19);
          expect(streams.find(({ stream }) => stream === 'borrowers')!.rows_written).toBe(written);
        }
        const psql = ['exec', '-T', 'postgres', 'psql', '-U', 'postgres', '-At', '-c', count];
        expect((await compose(...psql)).trim()).toBe('1000');
      } finally {
        await compose('down', '--volumes');
      }
    },
    300_000,
  );

  test.skipIf(!HAS_CRON)(
    'the crontab is started by a real cron, runs once where it is due twice, and leaves its log and its summary',
    async () => {
      const folder = createFolder();
      const [simulator, server, host] = await Promise.all([
        startSimulator({ rows: 100, host: '0.0.0.0' }),
        startPostgres(),
        hostAddress(),
      ]);
      const database = await server.createDatabase();
      const { lender, email, url } = simulator;
      folder.config('config.json', {
        ...{ lender, email, password: '${CLEARGRID_PASSWORD}' },
        base_url: `http://${host}:${new URL(url).port}`,
        allow_insecure_http: true,
        destination: { ...configFor(server, database, 'cleargrid'), host },
      });
      writeFileSync(join(folder.path, 'env'), `CLEARGRID_PASSWORD=${simulator.password}\n`);
      const log = join(folder.path, 'cleargrid.log');
      const [line, ...others] = readFileSync(path('crontab'), 'utf8').match(/^5 .*$/gm)!;
      expect(others).toEqual([]);
      const due = line!
        .replace(/^5 \* \* \* \* root /, '* * * * * root ')
        .replace('/run/cleargrid.lock', join(folder.path, 'lock'))
        .replaceAll('/etc/cleargrid', folder.path)
        .replace('/var/log/cleargrid.log', log);
      const crontab = readFileSync(path('crontab'), 'utf8').replace(line!, `${due}\n${due}`);
      const stop = startCron(folder.path, `DOCKER_HOST=${process.env.DOCKER_HOST ?? ''}\n${crontab}`);
      try {
        const logged = () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []);
        const summaries = () => logged().filter((entry) => entry.includes('"run_id"') && entry.includes('"streams"'));
        while (summaries().length === 0) await wait(200);
        await stop();
        const mine = ['ps', '--quiet', '--filter', `volume=${join(folder.path, 'config.json')}`];
        while ((await dockerOutput(...mine)) !== '') await wait(200);
        expect(summaries().map((entry) => JSON.parse(entry).status)).toEqual(['succeeded']);
        const entries = logged().map((entry) => JSON.parse(entry));
        expect(entries.filter(({ level }) => level === 'info').length).toBeGreaterThan(0);
        const admin = await server.connect(database);
        const { rows } = await admin.query(
          `select (select count(*)::int from cleargrid.borrowers) as rows, (select count(*)::int from cleargrid._cleargrid_runs) as runs`,
        );
        await admin.end();
        expect(rows).toEqual([{ rows: 100, runs: 1 }]);
      } finally {
        await stop();
        await Promise.all([simulator.stop(), server.stop()]);
        folder.remove();
      }
    },
    150_000,
  );
});
