import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { createFolder } from './cli-process.ts';

const execute = promisify(execFile);
const project = fileURLToPath(new URL('../', import.meta.url));
const folder = createFolder();
const prefix = join(folder.path, 'global');
const installed = (...args: string[]) => execute(join(prefix, 'bin/cleargrid-connector'), args, { cwd: folder.path });

beforeAll(async () => {
  await execute('npm', ['pack', '--silent', '--pack-destination', folder.path], { cwd: project });
  const [tarball] = readdirSync(folder.path).filter((name) => name.endsWith('.tgz'));
  const flags = ['--global', '--prefix', prefix, '--no-audit', '--no-fund', '--prefer-offline'];
  await execute('npm', ['install', ...flags, join(folder.path, tarball!)], { cwd: folder.path });
}, 600_000);
afterAll(() => folder.remove());

test('npm pack gives a package that npm install -g puts on the path', async () => {
  expect((await installed('--version')).stdout).toBe(`${manifest.version}\n`);
});

test('it is of built JavaScript alone', () => {
  const root = join(prefix, 'lib/node_modules', manifest.name);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (path) => !path.startsWith('node_modules'),
  );
  expect(files).toContain(join('dist', 'connector', 'cli.js'));
  expect(files.filter((path) => path.endsWith('.ts') || path.startsWith('test'))).toEqual([]);
});

test('its demo runs in any folder', async () => {
  const { stdout } = await installed('demo');
  expect(stdout).toContain('before');
  expect(stdout).toContain('after');
});

test('it answers spec as Airbyte asks', async () => {
  expect(JSON.parse((await installed('spec')).stdout)).toMatchObject({ type: 'SPEC' });
});
