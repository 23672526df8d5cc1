import { hash } from 'node:crypto';
import type { Stream } from '../../schemas/stream.ts';
import { takenOver } from '../refusals.ts';
import { selectProgress } from './bookkeeping-sql.ts';
import { commitBatch, commitPosition } from './commit-sql.ts';
import type { Costs } from './costs.ts';
import type { Parameter } from './jobs.ts';
import type { Session } from './session.ts';

/** A stream's stored position, and where it stands in the order of positions. */
export interface Stored {
  readonly document: string | null;
  readonly token: number;
  readonly sequence: number;
}

/** What this run knows of a stream's stored position. A run has the stream's lease, so nobody but its fellow tasks should change it. */
export interface Progress {
  /** As it is stored now. */
  read(): Promise<Stored>;
  /** As it was when it was last read or written. @throws {Failure} when the run lost its lease. */
  known(): Promise<Stored>;
  /** What a job that writes after `stored` is known by: no other write of any run is. */
  digest(stored: Stored, what: string): string;
  /**
   * Runs a transaction that appends this document after `stored`, and takes note of it.
   *
   * @returns its answer; null when somebody has stored another position meanwhile: then nothing was written.
   */
  advance(
    stored: Stored,
    document: string,
    sql: string,
    parameters?: Readonly<Record<string, Parameter>>,
  ): Promise<Advanced | null>;
  /** Appends a position with nothing else, also where other tasks do at the same time. */
  append(stored: Stored, document: string): Promise<Advanced | null>;
}

export type Advanced = Readonly<Record<string, unknown>>;

export interface ProgressOptions {
  readonly session: Session;
  readonly stream: Stream;
  readonly runId: string;
  /** Whether other tasks store positions of the stream too: then none is known for long. */
  readonly isShared: boolean;
  readonly token: number;
  readonly costs: Costs;
}

export function streamProgress({ session, stream, runId, isShared, token, costs }: ProgressOptions): Progress {
  const { place } = session;
  let last: Stored | null = null;

  async function query(): Promise<Stored & { readonly held: boolean }> {
    const statement = { sql: selectProgress(place), parameters: { stream: stream.name, token } };
    const options = { what: `read the position of ${stream.name}`, stream: stream.name, costs };
    const [row] = await session.rows(statement, options);
    return {
      document: (row?.position ?? null) as string | null,
      token: Number(row?.token ?? 0),
      sequence: Number(row?.sequence ?? 0),
      held: Number(row?.held ?? 0) > 0,
    };
  }

  async function read(): Promise<Stored> {
    const { held, ...stored } = await query();
    if (held) last = stored;
    return stored;
  }

  async function known(): Promise<Stored> {
    if (last !== null && !isShared) return last;
    const { held, ...stored } = await query();
    if (!held || stored.token > token) throw takenOver(stream);
    last = stored;
    return stored;
  }

  function digest(stored: Stored, what: string): string {
    const place = [session.place.project, session.place.dataset, stream.name];
    return JSON.stringify([
      ...place,
      token,
      stored.token,
      stored.sequence,
      hash('sha256', stored.document ?? ''),
      what,
    ]);
  }

  async function advance(
    stored: Stored,
    document: string,
    sql: string,
    parameters: Readonly<Record<string, Parameter>> = {},
  ): Promise<Advanced | null> {
    const sequence = stored.token === token ? stored.sequence + 1 : 1;
    const own = { stream: stream.name, position: document, token, sequence, run: runId };
    const options = {
      what: `write ${stream.name}`,
      digest: digest(stored, JSON.stringify([sql, document, parameters])),
      stream: stream.name,
      costs,
    };
    last = null;
    const [answer] = await session.rows({ sql, parameters: { ...own, ...parameters } }, options);
    if (answer?.committed !== true) return null;
    // A transaction may leave the position as it is.
    last = answer.held === true ? stored : { document, token, sequence };
    return answer;
  }

  return {
    read,
    known,
    digest,
    advance,
    append: (stored, document) => advance(stored, document, isShared ? commitPosition(place) : commitBatch(place, {})),
  };
}
