import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { LockedFailure } from '../failure.ts';
import { locked } from '../refusals.ts';

/** The run that has a database open for writing. */
export interface Holder {
  readonly runId: string;
  readonly command: string;
  readonly startedAt: string;
}

/**
 * A small file beside the database that says which run has it open: DuckDB itself tells no more than a process. It is no lock, and
 * one that a killed run left behind is harmless: it is only read while the file is locked.
 */

const noteSchema = z.object({ run_id: z.string(), command: z.string(), started_at: z.string() });

function notePath(database: string): string {
  return `${database}.run`;
}

/** That nobody can be told who holds the file is no reason not to hold it. */
export async function writeNote(database: string, { runId, command, startedAt }: Holder): Promise<void> {
  const note: z.input<typeof noteSchema> = { run_id: runId, command, started_at: startedAt };
  await writeFile(notePath(database), `${JSON.stringify(note)}\n`).catch(() => {});
}

async function readNote(database: string): Promise<Holder | null> {
  try {
    const note = noteSchema.parse(JSON.parse(await readFile(notePath(database), 'utf8')));
    return { runId: note.run_id, command: note.command, startedAt: note.started_at };
  } catch {
    return null;
  }
}

export async function removeNote(database: string): Promise<void> {
  await rm(notePath(database), { force: true }).catch(() => {});
}

/** The refusal of a file that somebody has open, as far as is known who. */
export async function inUse(path: string, process: string | null): Promise<LockedFailure> {
  const holder = existsSync(path) ? await readNote(path) : null;
  if (holder) return locked(`the database ${path}`, { runId: holder.runId, since: holder.startedAt, process });
  const who = process === null ? 'another part of this program' : `another program (process ${process})`;
  return new LockedFailure(`the database ${path} is open in ${who}; nothing was done. Close it there, and run again.`);
}
