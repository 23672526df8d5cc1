import { readFile, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Holder } from './database.ts';

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

export async function readNote(database: string): Promise<Holder | null> {
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
