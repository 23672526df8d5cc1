import { join } from 'node:path';
import { decodeJson } from '../schemas/decode.ts';
import type { Simulator } from '../simulator/simulator.ts';
import { createFolder, type Ended, type Running, run, start } from './cli-process.ts';

/** The Airbyte commands as processes, and the messages that they print. */

export interface Message {
  readonly type: string;
  readonly record?: {
    stream: string;
    data: Record<string, unknown>;
    emitted_at: number;
    meta?: { changes: unknown[] };
  };
  readonly state?: {
    type: string;
    stream: { stream_descriptor: { name: string }; stream_state: Record<string, unknown> };
    sourceStats: { recordCount: number; rejectedRecordCount: number };
  };
  readonly trace?: {
    type: string;
    error?: { message: string; failure_type: string; stack_trace?: string; stream_descriptor?: { name: string } };
    stream_status?: { stream_descriptor: { name: string }; status: string; reasons?: unknown[] };
    estimate?: { name: string; row_estimate: number };
  };
  readonly log?: { level: string; message: string };
  readonly spec?: { connectionSpecification: Record<string, unknown> };
  readonly connectionStatus?: { status: string; message?: string };
  readonly catalog?: { streams: AirbyteStream[] };
}

export interface AirbyteStream {
  readonly name: string;
  readonly json_schema: {
    properties: Record<string, { type: string | string[]; format?: string; airbyte_type?: string }>;
  };
  readonly supported_sync_modes: string[];
  readonly source_defined_primary_key: string[][];
  readonly default_cursor_field: string[];
  readonly source_defined_cursor: boolean;
  readonly is_resumable: boolean;
}

export interface Told extends Ended {
  readonly messages: readonly Message[];
}

/** Each line is one JSON object, and nothing else is on stdout. */
export function messagesOf(stdout: string): Message[] {
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Message]));
}

export async function airbyte(...args: string[]): Promise<Told> {
  const ended = await run(args);
  return { ...ended, messages: messagesOf(ended.stdout) };
}

export const only = (messages: readonly Message[], type: string) => messages.filter((message) => message.type === type);
export const recordsOf = (messages: readonly Message[]) => only(messages, 'RECORD').map(({ record }) => record!);
export const statesOf = (messages: readonly Message[]) => only(messages, 'STATE').map(({ state }) => state!);
export const errorsOf = (messages: readonly Message[]) => messages.flatMap(({ trace }) => trace?.error ?? []);
export const statusesOf = (messages: readonly Message[], stream: string) =>
  messages.flatMap(({ trace }) => {
    const status = trace?.stream_status;
    return status?.stream_descriptor.name === stream ? [status] : [];
  });

/** The last state of each stream, as the platform gives them back. */
export function lastStates(messages: readonly Message[]): NonNullable<Message['state']>[] {
  return [...new Map(statesOf(messages).map((state) => [state.stream.stream_descriptor.name, state])).values()];
}

export interface ConnectionOptions {
  /** These streams alone. */
  readonly streams?: readonly string[];
  readonly mode?: string;
  /** What else a ConfiguredAirbyteStream holds. */
  readonly configured?: Record<string, unknown>;
  /** Changes what discover said of a stream. */
  readonly change?: (stream: AirbyteStream) => unknown;
}

/** A source that has been set up: its config, and what can be asked of it. */
export function createSource(simulator: Simulator, more: Record<string, unknown> = {}) {
  const folder = createFolder();
  const { lender, email, password, url } = simulator;
  const config = folder.config('config.json', { lender, email, password, base_url: url, ...more });
  let discovered: Promise<AirbyteStream[]> | null = null;
  let files = 0;
  const write = (content: unknown) => folder.config(`${++files}.json`, content);

  async function discover(): Promise<AirbyteStream[]> {
    discovered ??= airbyte('discover', '--config', config).then(({ messages, stderr }) => {
      const [message] = only(messages, 'CATALOG');
      if (message === undefined) throw new Error(stderr);
      return message.catalog!.streams;
    });
    return discovered;
  }

  async function catalog({
    streams,
    mode = 'incremental',
    configured = {},
    change = (s) => s,
  }: ConnectionOptions = {}) {
    const picked = (await discover()).filter(({ name }) => streams === undefined || streams.includes(name));
    return write({
      streams: picked.map((stream) => ({
        stream: change(stream),
        sync_mode: mode,
        destination_sync_mode: 'append_dedup',
        ...configured,
      })),
    });
  }

  const args = (catalogFile: string, states?: unknown) => [
    'read',
    '--config',
    config,
    '--catalog',
    catalogFile,
    ...(states === undefined ? [] : ['--state', write(states)]),
  ];

  return {
    config,
    write,
    discover,
    catalog,
    missing: join(folder.path, 'missing.json'),
    read: (catalogFile: string, states?: unknown) => airbyte(...args(catalogFile, states)),
    startRead: (catalogFile: string, states?: unknown): Running => start(args(catalogFile, states)),
    remove: folder.remove,
  };
}

/** The newest `emitted_at` and cursor of each key among records, compared with the API's truth; what differs, in words. */
export function missingOrOld(
  simulator: Simulator,
  { name, code, cursor }: { name: string; code: string; cursor: string },
  records: readonly NonNullable<Message['record']>[],
): string[] {
  const newest = new Map<string, string>();
  for (const { stream, data } of records) {
    if (stream !== name) continue;
    const [key, version] = [String(data.public_id), String(data[cursor])];
    if (version > (newest.get(key) ?? '')) newest.set(key, version);
  }
  const problems: string[] = [];
  const truth = [...simulator.truth(code)].map(({ bytes }) => decodeJson(bytes) as Record<string, string>);
  for (const record of truth) {
    const expected = record[cursor]!.replace(/Z$/, '000Z');
    const found = newest.get(record.public_id!);
    if (found !== expected) problems.push(`${record.public_id}: ${found ?? 'missing'} instead of ${expected}`);
  }
  if (newest.size > truth.length) problems.push(`${newest.size - truth.length} keys that the API does not have`);
  return problems.slice(0, 5);
}
