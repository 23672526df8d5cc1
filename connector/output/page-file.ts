import { randomUUID } from 'node:crypto';
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { configError, type Failure, transientError } from '../../destinations/failure.ts';

/**
 * Where a page is to be written: a file that is there, or a new name in a folder that is.
 *
 * @throws {Failure} `config_error` for anything else: a device or a pipe would be replaced by the page.
 */
export async function pageFile(out: string): Promise<string> {
  if (out === '-') throw configError('--out: the page goes to a file and not to stdout; name one');
  const path = await realpath(out).catch(() => resolve(out));
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) throw configError(`--out: ${path} is a folder; name a file in it`);
  if (found !== null && !found.isFile()) throw configError(`--out: ${path} is no ordinary file; name another one`);
  const folder = await stat(dirname(path)).catch(() => null);
  if (!folder?.isDirectory())
    throw configError(`--out: the folder ${dirname(path)} does not exist; make it, or name another one`);
  return path;
}

/** Writes it whole or not at all: whoever reads the file sees the old page or the new one. */
export async function writePage(path: string, html: string): Promise<void> {
  const beside = join(dirname(path), `.cleargrid-${randomUUID()}`);
  try {
    await writeFile(beside, html, { flag: 'wx', flush: true });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw unwritable(path, error as NodeJS.ErrnoException);
  }
}

function unwritable(path: string, error: NodeJS.ErrnoException): Failure {
  const code = error.code ?? 'an unknown error';
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return transientError(`--out: ${path} cannot be written (${code}): make room there, or name another place`, error);
  if (code === 'ENAMETOOLONG')
    return configError('--out: the name of the file is too long; give it a shorter one', error);
  return configError(
    `--out: ${path} cannot be written (${code}); let this user write to the folder ${dirname(path)}, or name another one`,
    error,
  );
}
