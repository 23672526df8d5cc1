import { basename, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * What to type in this folder to start this program again: by its name where that is on the path, by npx inside of a checkout, else
 * by its file and the Node that runs it now, since the one on the path may be too old.
 */
export function programName(started = process.argv[1] ?? '', folder = process.cwd()): string {
  const isInstalled = basename(started) === 'cleargrid-connector' && !started.includes(`node_modules${sep}.bin`);
  if (isInstalled) return 'cleargrid-connector';
  const isInside = !relative(ROOT, folder).startsWith('..');
  return isInside ? 'npx cleargrid-connector' : `${quoted(process.execPath)} ${quoted(started)}`;
}

/** A path as a shell takes it. */
export function quoted(path: string): string {
  return /^[\w./:\\-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
