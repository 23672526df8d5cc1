import { z } from 'zod';
import { configError } from '../../destinations/failure.ts';
import type { Position } from '../../destinations/position.ts';
import type { Stream } from '../../schemas/stream.ts';
import { parsePosition } from '../sync/judge.ts';
import type { ConfiguredStream } from './configured-catalog.ts';
import { readJsonFile } from './json-file.ts';

/**
 * A stream's state is its position, as the destinations store it, without a table. A full refresh puts beside it which sync it
 * belongs to: by that its own state is told from all others, which a full refresh does not go on from.
 */

const stateSchema = z.object({
  type: z.string().nullish(),
  stream: z
    .object({
      stream_descriptor: z.object({ name: z.string() }),
      stream_state: z.looseObject({}).nullish(),
    })
    .nullish(),
});

/** The states by stream, unread; a stream without one starts. */
export type States = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/**
 * Reads the file that `--state` names: a list of AirbyteStateMessages, in which readers of the protocol leave keys of their own.
 *
 * @throws {Failure} `config_error` for what is none.
 */
export async function readStates(path: string | null): Promise<States> {
  const value = path === null ? [] : await readJsonFile('--state', path);
  const entries = z.array(stateSchema).safeParse(isEmptyObject(value) ? [] : value);
  if (!entries.success) {
    const where = entries.error.issues[0]?.path.join('.') || 'the document';
    throw configError(`--state ${path} is no list of states (at ${where}); give it the states that read has printed`);
  }
  const states = entries.data.map(({ type, stream }, at) => {
    if ((type ?? 'STREAM') !== 'STREAM' || !stream) {
      throw configError(
        `--state ${path}: entry ${at} is of type ${type ?? 'LEGACY'}; only states of type STREAM are understood`,
      );
    }
    return [stream.stream_descriptor.name, stream.stream_state ?? {}] as const;
  });
  return new Map(states.filter(([, state]) => !isEmptyObject(state)));
}

/** What each STATE of this stream holds beside its position. */
export function besidePosition({ fullRefresh, generationId, syncId }: ConfiguredStream): object {
  return fullRefresh ? { full_refresh: { generation_id: generationId, sync_id: syncId } } : {};
}

/**
 * The position that a stream goes on from, or null: it starts. A full refresh goes on only from what the same one has left, be it
 * unfinished, or finished in a sync that is tried again.
 *
 * @throws {Failure} `config_error` when the state is damaged, of a newer version, or of another lender, cursor field or key.
 */
export function positionOf(
  states: States,
  configured: ConfiguredStream,
  stream: Stream,
  lender: string,
): Position | null {
  const state = states.get(stream.name);
  if (state === undefined) return null;
  const { full_refresh: refresh, ...document } = state;
  if (configured.fullRefresh && !isSameRefresh(refresh, configured)) return null;

  const parsed = parsePosition(JSON.stringify(document));
  if ('problem' in parsed) throw refusal(stream, parsed.problem);
  const { position } = parsed;
  const problem = mismatch(position, stream, lender);
  if (problem !== null) throw refusal(stream, problem);
  const isFinished = position.windows.length === 0 && position.complete !== null;
  return configured.fullRefresh && isFinished && configured.syncId === null ? null : position;
}

function isSameRefresh(refresh: unknown, { generationId, syncId }: ConfiguredStream): boolean {
  const { generation_id: generation, sync_id: sync } = (refresh ?? {}) as Record<string, unknown>;
  return generation === generationId && sync === syncId;
}

function mismatch(position: Position, stream: Stream, lender: string): string | null {
  if (position.lender !== lender)
    return `its state belongs to another lender (${position.lender}; this login is ${lender})`;
  if (position.table !== null) return 'its state belongs to a table of a warehouse, which sync keeps';
  if (position.refresh !== null) return 'its state belongs to a full refresh of a warehouse, which sync keeps';
  if (position.cursor_field !== stream.cursor) {
    return `its state is kept by ${position.cursor_field}, and the stream now by ${stream.cursor}`;
  }
  if (position.key.join() !== stream.primaryKey.join()) {
    return `its key was (${position.key.join(', ')}) and is now (${stream.primaryKey.join(', ')})`;
  }
  return null;
}

function refusal(stream: Stream, problem: string) {
  return configError(
    `${stream.name}: ${problem}. Nothing was read. To read the stream again in full, clear its data or refresh it`,
  );
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}
