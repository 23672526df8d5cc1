import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { STREAMS } from '../schemas/registry.ts';
import type { SimulatorOptions } from '../simulator/options.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import {
  airbyte,
  type ConnectionOptions,
  createSource,
  errorsOf,
  lastStates,
  type Message,
  messagesOf,
  missingOrOld,
  only,
  recordsOf,
  statesOf,
  statusesOf,
} from './airbyte-process.ts';
import { run } from './cli-process.ts';

const SUB_ACCOUNTS = { name: 'borrower_sub_accounts', code: 'D03', cursor: 'updated_at' };

/** The last 15 minutes before the last record hold fewer than this. */
const LOOKED_BACK_OVER = 5;

let simulator: Simulator;
let source: ReturnType<typeof createSource>;
afterEach(async () => {
  await simulator?.stop();
  source?.remove();
});

async function serve(options: SimulatorOptions, more: Record<string, unknown> = {}): Promise<void> {
  simulator = await startSimulator(options);
  source = createSource(simulator, more);
}

/** How many records came again, of an API whose records do not change. */
const repeated = (records: ReturnType<typeof recordsOf>) =>
  records.length - new Set(records.map(({ data }) => data.public_id)).size;

const catalogOf = (options: ConnectionOptions = {}) => source.catalog({ streams: [SUB_ACCOUNTS.name], ...options });

describe('what read cannot do is one TRACE of config_error, and exit code 1', () => {
  const refusal = async (
    read: Promise<{ code: number | null; messages: readonly Message[] }>,
    message: string | RegExp,
  ) => {
    const { code, messages } = await read;
    expect(code).toBe(1);
    expect(recordsOf(messages)).toEqual([]);
    expect(errorsOf(messages)).toMatchObject([
      { failure_type: 'config_error', message: expect.stringMatching(message) },
    ]);
    return errorsOf(messages)[0]!;
  };

  test('a catalog that is missing, no JSON, no catalog, or asks for what there is not', async () => {
    await serve({ rows: 3 });
    await refusal(source.read(source.missing), 'cannot be read');
    await refusal(source.read(source.write('text')), 'no configured catalog');
    await refusal(source.read(source.write({ streams: [{}] })), 'no configured catalog \\(at streams.0.stream\\)');
    await refusal(
      source.read(await catalogOf({ mode: 'cdc' })),
      'sync mode "cdc" is not offered; choose one of full_refresh, incremental',
    );
    const renamed = (name: string) => catalogOf({ change: (stream) => ({ ...stream, name }) });
    await refusal(
      source.read(await renamed('borrower_sub_acounts')),
      'is no stream; did you mean "borrower_sub_accounts"',
    );
    const fewer = await catalogOf({
      change: ({ json_schema: { properties, ...json }, ...stream }) => {
        const { due_date: _, ...left } = properties;
        return { ...stream, json_schema: { ...json, properties: left } };
      },
    });
    await refusal(source.read(fewer), 'borrower_sub_accounts lacks due_date. Refresh its schema');
  });

  test('a state that cannot be read or belongs to something else; the message says what to do', async () => {
    await serve({ rows: 3 });
    const catalog = await catalogOf();
    const [state] = lastStates((await source.read(catalog)).messages);
    const changed = (part: Record<string, unknown>) => [
      { ...state, stream: { ...state!.stream, stream_state: { ...state!.stream.stream_state, ...part } } },
    ];
    await refusal(source.read(catalog, 'text'), 'no list of states');
    await refusal(source.read(catalog, [{ type: 'GLOBAL', global: {} }]), 'entry 0 is of type GLOBAL');
    await refusal(source.read(catalog, [{ data: { cursor: 1 } }]), 'entry 0 is of type LEGACY');
    for (const [part, message] of [
      [{ windows: 'none' }, 'position is damaged \\(at windows\\)'],
      [{ version: 2 }, 'written by a newer version'],
      [{ lender: 'somebody else' }, 'belongs to another lender'],
      [{ table: 'a warehouse' }, 'belongs to a table of a warehouse'],
      [{ cursor_field: 'created_at' }, 'kept by created_at'],
      [{ key: ['public_id', 'created_at'] }, 'its key was \\(public_id, created_at\\)'],
    ] as const) {
      const error = await refusal(source.read(catalog, changed(part)), message);
      expect(error.message).toContain('clear its data or refresh it');
      expect(error.stream_descriptor).toEqual({ name: SUB_ACCOUNTS.name });
    }
  });

  test('a stream that is not available now, alone: the others are read', async () => {
    await serve({ rows: 3 });
    const catalog = await source.catalog({ streams: ['borrowers', SUB_ACCOUNTS.name] });
    simulator.list('D01', { available: false });
    const { code, messages } = await source.read(catalog);
    expect(code).toBe(1);
    expect(errorsOf(messages)).toMatchObject([
      { failure_type: 'config_error', stream_descriptor: { name: 'borrowers' } },
    ]);
    expect(statusesOf(messages, 'borrowers').at(-1)!.status).toBe('INCOMPLETE');
    expect(recordsOf(messages)).toHaveLength(3);
  });

  test('and with --debug the trace has a stack', async () => {
    await serve({ rows: 0 });
    const { messages } = await airbyte('read', '--config', source.config, '--catalog', source.missing, '--debug');
    expect(errorsOf(messages)[0]!.stack_trace).toContain('    at ');
  });
});

describe('states', () => {
  test('may come with the nulls and keys that PyAirbyte adds, for other streams too, and may be none at all', async () => {
    await serve({ rows: 20 });
    const catalog = await catalogOf();
    const first = await source.read(catalog, []);
    expect(recordsOf(first.messages)).toHaveLength(20);
    const extra = { global_: null, data: null, destinationStats: null, more: { any: 1 } };
    const states = [
      ...lastStates(first.messages).map((state) => ({ ...state, ...extra })),
      {
        type: 'STREAM',
        stream: { stream_descriptor: { name: 'gone', namespace: null }, stream_state: null },
        ...extra,
      },
    ];
    const second = await source.read(catalog, states);
    expect(second.code).toBe(0);
    expect(recordsOf(second.messages).length).toBeLessThan(LOOKED_BACK_OVER);
    const [fromNothing] = states;
    const empty = { ...fromNothing, stream: { stream_descriptor: { name: SUB_ACCOUNTS.name }, stream_state: {} } };
    expect(recordsOf((await source.read(catalog, [empty])).messages)).toHaveLength(20);
  });

  test('after a change, bring the changed records, and those looked back over', async () => {
    await serve({ rows: 200 });
    const catalog = await catalogOf();
    const { messages } = await source.read(catalog);
    const keys = simulator.change('D03', 3);
    simulator.advance(2_000);
    const second = await source.read(catalog, lastStates(messages));
    const again = recordsOf(second.messages).map(({ data }) => data.public_id);
    expect(again).toEqual(expect.arrayContaining(keys));
    expect(again.length).toBeLessThan(keys.length + LOOKED_BACK_OVER);
  });

  test('of any prefix of the output can be gone on from: no gap, no record twice but those of one instant', async () => {
    await serve({ rows: { D03: 30_000 }, unknowns: { viaPages: 'full' } });
    const catalog = await catalogOf();
    const { messages } = await source.read(catalog);
    expect(missingOrOld(simulator, SUB_ACCOUNTS, recordsOf(messages))).toEqual([]);
    const ends = messages.flatMap(({ type }, at) => (type === 'STATE' ? [at + 1] : []));
    expect(ends.length).toBeGreaterThan(3);
    for (const end of ends) {
      const prefix = messages.slice(0, end);
      const rest = await source.read(catalog, lastStates(prefix));
      expect(rest.code).toBe(0);
      const records = [...recordsOf(prefix), ...recordsOf(rest.messages)];
      expect(missingOrOld(simulator, SUB_ACCOUNTS, records)).toEqual([]);
      expect(repeated(records)).toBeLessThan(LOOKED_BACK_OVER);
    }
    const distinct = new Set(statesOf(messages).map(({ stream }) => JSON.stringify(stream)));
    expect(distinct.size).toBe(ends.length);
  });

  test.each(['incremental', 'full_refresh'])('survive a kill -9 after each one of them: %s', async (mode) => {
    await serve({ rows: { D03: 20_000 }, unknowns: { viaPages: 'full' }, latencyMs: 20 });
    const catalog = await catalogOf({ mode, configured: { generation_id: 3, minimum_generation_id: 3, sync_id: 7 } });
    let taken: Message[] = [];
    let kills = 0;
    for (let ended = false; !ended; ) {
      const running = source.startRead(catalog, lastStates(taken));
      const lines: string[] = [];
      for await (const line of createInterface({ input: running.process.stdout })) {
        lines.push(line);
        if (line.startsWith('{"type":"STATE"')) {
          running.process.kill('SIGKILL');
          break;
        }
      }
      const { code } = await running.ended;
      const messages = messagesOf(lines.join('\n'));
      const last = messages.findLastIndex(({ type }) => type === 'STATE');
      taken = [...taken, ...messages.slice(0, last + 1)];
      const state = lastStates(taken)[0]!.stream.stream_state as { windows: unknown[] };
      ended = state.windows.length === 0;
      if (code === null) kills++;
      expect(kills).toBeLessThan(60);
    }
    expect(kills).toBeGreaterThan(2);
    expect(repeated(recordsOf(taken))).toBeLessThan(LOOKED_BACK_OVER);
    expect(missingOrOld(simulator, SUB_ACCOUNTS, recordsOf(taken))).toEqual([]);
  });

  test('of a full refresh are gone on from by the same sync alone; any other reads everything', async () => {
    await serve({ rows: 50 });
    const refresh = (configured: Record<string, unknown>) => catalogOf({ mode: 'full_refresh', configured });
    const first = await source.read(await refresh({ generation_id: 1, sync_id: 1 }));
    const states = lastStates(first.messages);
    // A record may come twice where a window was cut.
    const distinct = (messages: readonly Message[]) =>
      new Set(recordsOf(messages).map(({ data }) => data.public_id)).size;
    const count = async (catalog: string) => distinct((await source.read(catalog, states)).messages);
    expect(distinct(first.messages)).toBe(50);
    expect(await count(await refresh({ generation_id: 1, sync_id: 1 }))).toBeLessThan(LOOKED_BACK_OVER);
    expect(await count(await refresh({ generation_id: 1, sync_id: 2 }))).toBe(50);
    expect(await count(await refresh({ generation_id: 2, sync_id: 1 }))).toBe(50);
    expect(await count(await refresh({}))).toBe(50);
    expect(await count(await catalogOf())).toBeLessThan(LOOKED_BACK_OVER);
  });
});

test('with --debug the trace of a stream that failed says where, and without it only why', async () => {
  await serve({ rows: 5 });
  const catalog = await catalogOf();
  simulator.onPageRequest(() => simulator.list('D03', { available: false }));
  for (const flags of [[], ['--debug']]) {
    simulator.list('D03', { available: true });
    const { code, messages } = await airbyte('read', '--config', source.config, '--catalog', catalog, ...flags);
    expect(code).toBe(1);
    const [trace] = errorsOf(messages);
    expect(trace).toMatchObject({ stream_descriptor: { name: SUB_ACCOUNTS.name }, failure_type: 'config_error' });
    expect(String(trace!.stack_trace).includes('fetchPage')).toBe(flags.length > 0);
  }
});

describe('while it reads', () => {
  test('a rate limit is a RUNNING status with its reason and the time at which it ends', async () => {
    await serve({ rows: 20 });
    const catalog = await catalogOf();
    simulator.failNext(1, '429-seconds', { code: 'D03' });
    const { code, messages } = await source.read(catalog);
    expect(code).toBe(0);
    const limited = statusesOf(messages, SUB_ACCOUNTS.name).find(({ reasons }) => reasons !== undefined)!;
    expect(limited).toMatchObject({
      status: 'RUNNING',
      reasons: [{ type: 'RATE_LIMITED', rate_limited: { quota_reset: expect.any(Number) } }],
    });
    expect(statusesOf(messages, SUB_ACCOUNTS.name).at(-1)!.status).toBe('COMPLETE');
  });

  test('how many records there are is an ESTIMATE, where the API counts them and the stream starts from nothing', async () => {
    await serve({ rows: 70, latencyMs: 30 });
    const catalog = await source.catalog({ streams: ['borrowers', 'borrower_deals', SUB_ACCOUNTS.name] });
    const { messages } = await source.read(catalog);
    const estimates = messages.flatMap(({ trace }) => trace?.estimate ?? []);
    const direct = STREAMS.filter(({ dataset }) => dataset.paging === 'direct').map(({ name }) => name);
    for (const { name, row_estimate: rows } of estimates) {
      expect(direct).toContain(name);
      expect(rows).toBe(70);
    }
    expect(estimates.map(({ name }) => name)).toContain('borrower_deals');
    const second = await source.read(catalog, lastStates(messages));
    expect(second.messages.some(({ trace }) => trace?.type === 'ESTIMATE')).toBe(false);
  });

  test('records that change and pages that fail come in the end as the API has them', async () => {
    await serve({ rows: { D03: 8_000 }, faults: ['all'] });
    const catalog = await catalogOf();
    const { code, messages } = await source.read(catalog);
    expect(code).toBe(0);
    simulator.setFaults([]);
    simulator.advance(2_000);
    const last = await source.read(catalog, lastStates(messages));
    expect(missingOrOld(simulator, SUB_ACCOUNTS, [...recordsOf(messages), ...recordsOf(last.messages)])).toEqual([]);
  });

  test('SIGTERM ends it with a STATE to go on from', async () => {
    await serve({ rows: { D03: 60_000 }, unknowns: { viaPages: 'full' }, latencyMs: 50 }, { concurrency: 2 });
    const catalog = await catalogOf();
    const running = source.startRead(catalog);
    await once(createInterface({ input: running.process.stdout }), 'line');
    await wait(700);
    running.process.kill('SIGTERM');
    const { code, stdout } = await running.ended;
    expect(code).toBe(143);
    const messages = messagesOf(stdout);
    expect(statusesOf(messages, SUB_ACCOUNTS.name).at(-1)!.status).toBe('INCOMPLETE');
    const last = messages.findLastIndex(({ type }) => type === 'STATE');
    expect(messages.slice(last).some(({ type }) => type === 'RECORD')).toBe(false);
    const rest = await source.read(catalog, lastStates(messages));
    expect(missingOrOld(simulator, SUB_ACCOUNTS, [...recordsOf(messages), ...recordsOf(rest.messages)])).toEqual([]);
  });

  test('a stop tells no end of a stream whose turn had not come', async () => {
    await serve({ rows: 2_000, latencyMs: 300 }, { concurrency: 1, streams_at_once: 1 });
    const catalog = await source.catalog({ streams: ['borrowers', 'borrower_deals', SUB_ACCOUNTS.name] });
    const running = source.startRead(catalog);
    await running.firstLine();
    running.process.kill('SIGTERM');
    const { code, stdout } = await running.ended;
    expect(code).toBe(143);
    const told = messagesOf(stdout).flatMap(({ trace }) => trace?.stream_status ?? []);
    const [first] = told;
    expect(told.at(-1)!.status).toBe('INCOMPLETE');
    for (const { stream_descriptor: descriptor } of told) expect(descriptor).toEqual(first!.stream_descriptor);
  });

  test('a reader that is slow is waited for, and nothing is fetched meanwhile beyond the budget', async () => {
    await serve({ rows: { D03: 120_000 }, unknowns: { viaPages: 'full' } });
    const catalog = await catalogOf();
    const running = source.startRead(catalog);
    const pages = () => simulator.requests().pages.length;
    // Not before the windows are cut: that alone waits for what the reader has not taken.
    while (pages() < 30) await wait(10);
    running.process.stdout.pause();
    let [before, now] = [-1, pages()];
    while (before !== now) {
      before = now;
      await wait(1_500);
      now = pages();
    }
    expect(now).toBeLessThan(85);
    running.process.stdout.resume();
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    expect(stdout.split('{"type":"RECORD"').length - 1).toBeGreaterThanOrEqual(120_000);
  });

  test('its young generation stays as small as Node starts it: loading the command does not grow it before', async () => {
    await serve({ rows: 3 });
    const tell = `data:text/javascript,${encodeURIComponent(
      "import v8 from 'node:v8'; process.on('exit', () => process._rawDebug(JSON.stringify(v8.getHeapSpaceStatistics())))",
    )}`;
    const args = ['read', '--config', source.config, '--catalog', await catalogOf()];
    const { code, stderr } = await run(args, { node: ['--import', tell] });
    expect(code).toBe(0);
    const spaces = JSON.parse(stderr) as { space_name: string; space_size: number }[];
    const young = spaces.find(({ space_name: name }) => name === 'new_space')!;
    expect(young.space_size).toBeLessThan(4e6);
  });

  test('a reader that goes away ends it with 1, at once', async () => {
    await serve({ rows: { D03: 50_000 }, unknowns: { viaPages: 'full' } });
    const catalog = await catalogOf();
    const running = source.startRead(catalog);
    await running.firstLine();
    running.process.stdout.destroy();
    const { code } = await running.ended;
    expect(code).toBe(1);
  });

  test('nothing but messages is on stdout, in one line each, and LOG tells how it went', async () => {
    await serve({ rows: 5 });
    const { messages, stderr, stdout } = await source.read(await source.catalog());
    expect(stderr).toBe('');
    expect(stdout.endsWith('\n')).toBe(true);
    expect(new Set(messages.map(({ type }) => type))).toEqual(new Set(['TRACE', 'RECORD', 'STATE', 'LOG']));
    expect(only(messages, 'LOG').map(({ log }) => log!.message)).toContain(
      'borrowers: succeeded, 5 rows read, 5 written',
    );
  });
});
