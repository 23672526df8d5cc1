import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import spec from '../spec.json' with { type: 'json' };
import {
  type AirbyteStream,
  airbyte,
  createSource,
  errorsOf,
  lastStates,
  only,
  recordsOf,
  statesOf,
  statusesOf,
  type Told,
} from './airbyte-process.ts';
import { createFolder } from './cli-process.ts';
import { metadata } from './metadata.ts';

/**
 * The tests of Airbyte's connector acceptance tests, by their public names, against the process; those that the public list leaves
 * empty are filled in. What needs the image is in `image.e2e.test.ts`.
 */

type Node = Record<string, unknown>;

let simulator: Simulator;
let source: ReturnType<typeof createSource>;
let streams: AirbyteStream[];
let everything: string;
let firstRead: Told;
const folder = createFolder();

beforeAll(async () => {
  simulator = await startSimulator({ rows: 300, difficult: true });
  source = createSource(simulator);
  streams = await source.discover();
  everything = await source.catalog();
  firstRead = await source.read(everything);
});
afterAll(async () => {
  await simulator.stop();
  source.remove();
  folder.remove();
});

const schema = spec.connectionSpecification as Node;

/** Every object in a JSON value with its path. */
function nodes(value: unknown, path: readonly string[] = []): { node: Node; path: readonly string[] }[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, child]) => nodes(child, [...path, key]));
  return Array.isArray(value) ? inner : [{ node: value as Node, path }, ...inner];
}

/** The definitions of properties: what stands behind a name in `properties`. */
const properties = (root: unknown) => nodes(root).filter(({ path }) => path.at(-2) === 'properties');
const configWith = (part: Node) =>
  folder.config(`${Math.random()}.json`, { ...JSON.parse(readFileSync(source.config, 'utf8')), ...part });

describe('TestSpec', () => {
  test('test_match_expected: spec prints one message, spec.json as it is', async () => {
    const { code, messages } = await airbyte('spec');
    expect({ code, messages }).toEqual({ code: 0, messages: [{ type: 'SPEC', spec }] });
  });

  test('test_config_match_spec', () => {
    const config = JSON.parse(readFileSync(source.config, 'utf8'));
    const validator = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    expect(validator.safeParse(config).error).toBeUndefined();
    expect(validator.safeParse({ ...config, email: 7 }).success).toBe(false);
  });

  test('test_required: without any of the required fields the connector fails, naming it', async () => {
    const required = schema.required as string[];
    expect(required).toEqual(['lender', 'email', 'password']);
    for (const key of required) {
      const { messages } = await airbyte('check', '--config', configWith({ [key]: undefined }));
      expect(messages).toMatchObject([
        { connectionStatus: { status: 'FAILED', message: expect.stringContaining(key) } },
      ]);
    }
  });

  test('test_optional: without every optional field but the address it works', async () => {
    const config = JSON.parse(readFileSync(source.config, 'utf8'));
    expect(Object.keys(config).sort()).toEqual(['base_url', 'email', 'lender', 'password']);
    const { messages } = await airbyte('check', '--config', source.config);
    expect(messages).toMatchObject([{ connectionStatus: { status: 'SUCCEEDED' } }]);
  });

  test('test_has_secret', () => {
    expect(properties(schema).filter(({ node }) => node.airbyte_secret === true).length).toBeGreaterThan(0);
  });

  test('test_secret_never_in_the_output', async () => {
    const secret = 'n3ver-$een "quoted"';
    const guarded = await startSimulator({ rows: 3, password: secret });
    const mine = createSource(guarded);
    try {
      const catalog = await mine.catalog();
      const wrong = mine.write({ ...JSON.parse(readFileSync(mine.config, 'utf8')), base_url: 'http://127.0.0.1:9' });
      const runs = [
        await airbyte('check', '--config', mine.config, '--debug'),
        await airbyte('discover', '--config', mine.config, '--debug'),
        await airbyte('read', '--config', mine.config, '--catalog', catalog, '--debug'),
        await airbyte('read', '--config', wrong, '--catalog', catalog, '--debug'),
        await airbyte('check', '--config', wrong, '--debug'),
      ];
      for (const { stdout, stderr } of runs) {
        for (const look of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]) {
          expect(stdout + stderr).not.toContain(look);
        }
      }
    } finally {
      await guarded.stop();
      mine.remove();
    }
  });

  test('test_enum_usage', () => {
    for (const { node } of nodes(schema)) {
      if (Array.isArray(node.enum)) expect(new Set(node.enum).size).toBe(node.enum.length);
    }
  });

  test('test_oneof_usage', () => {
    for (const { node } of nodes(schema)) {
      if (!Array.isArray(node.oneOf)) continue;
      expect(node.type).toBe('object');
      const constants = node.oneOf.map((choice: { properties: Record<string, Node> }) =>
        Object.keys(choice.properties).filter((key) => 'const' in choice.properties[key]!),
      );
      expect(new Set(constants.map((keys) => keys.join())).size).toBe(1);
      expect(constants[0]).toHaveLength(1);
    }
  });

  test('test_secret_is_properly_marked', () => {
    const names = [
      'password',
      'token',
      'secret',
      'key',
      'credentials',
      'certificate',
      'service_account',
      'app_id',
      'url',
    ];
    for (const { node, path } of properties(schema)) {
      const isSecret = names.includes(path.at(-1)!) && node.type === 'string' && !('const' in node);
      if (isSecret) expect(node, path.join('.')).toMatchObject({ airbyte_secret: true });
      if (node.airbyte_secret) expect(node.type).toBe('string');
    }
  });

  test('test_property_type_is_not_array', () => {
    for (const { node } of properties(schema)) expect(Array.isArray(node.type)).toBe(false);
  });

  test('test_object_not_empty', () => {
    for (const { node } of nodes(schema)) {
      if (node.type === 'object') expect(Object.keys((node.properties ?? node.oneOf ?? {}) as Node)).not.toEqual([]);
    }
  });

  test('test_array_type', () => {
    for (const { node } of properties(schema)) {
      if (node.type !== 'array') continue;
      expect(['object', 'string', 'number', 'integer']).toContain((node.items as Node).type);
    }
  });

  test('test_forbidden_complex_types', () => {
    const forbidden = ['not', 'anyOf', 'patternProperties', 'prefixItems', 'allOf', 'if', 'then', 'else'];
    for (const { node, path } of nodes(schema)) {
      if (path.at(-1) !== 'properties') expect(Object.keys(node).filter((key) => forbidden.includes(key))).toEqual([]);
    }
  });

  test('test_date_pattern and test_date_format', () => {
    const dates = properties(schema).filter(({ node }) => node.format !== undefined);
    expect(dates.map(({ path }) => path.at(-1))).toEqual(['start_date']);
    const { format, pattern } = dates[0]!.node as { format: string; pattern: string };
    expect(format).toBe('date-time');
    for (const written of ['2025-01-01', '2025-01-01T00:00:00', '2025-01-01T00:00:00Z'])
      expect(written).toMatch(new RegExp(pattern));
    expect('01/01/2025').not.toMatch(new RegExp(pattern));
  });

  test('test_duplicate_order', () => {
    for (const { node } of nodes(schema)) {
      const orders = Object.values((node.properties ?? {}) as Record<string, Node>).map(({ order }) => order);
      expect(new Set(orders).size).toBe(orders.length);
    }
  });

  test('test_nested_group and test_display_type: neither is used', () => {
    for (const { node } of properties(schema)) {
      expect(node).not.toHaveProperty('group');
      expect(node).not.toHaveProperty('display_type');
    }
  });

  test('test_defined_refs_exist_in_json_spec_file', () => {
    for (const { node } of nodes(spec)) expect(node).not.toHaveProperty('$ref');
  });

  test('test_oauth_flow_parameters and test_oauth_is_default_method: there is no OAuth', () => {
    expect(spec).not.toHaveProperty('advanced_auth');
    expect(spec).not.toHaveProperty('authSpecification');
  });

  test('test_additional_properties_is_true', () => {
    const said = nodes(schema).flatMap(({ node }) =>
      'additionalProperties' in node ? [node.additionalProperties] : [],
    );
    expect(said.length).toBeGreaterThan(0);
    expect(new Set(said)).toEqual(new Set([true]));
  });

  test('test_backward_compatibility: what the first version took, this one takes', () => {
    const first = JSON.parse(readFileSync(new URL('fixtures/airbyte/spec-0.1.0.json', import.meta.url), 'utf8'));
    expect(schema.required).toEqual(first.required);
    const now = new Map(properties(schema).map(({ node, path }) => [path.join('.'), node]));
    for (const [path, { type, options }] of Object.entries(
      first.properties as Record<string, { type: string; options: string[] }>,
    )) {
      expect(now.get(path)?.type, path).toBe(type);
      expect((now.get(path)?.enum as string[] | undefined) ?? [], path).toEqual(expect.arrayContaining(options));
    }
  });
});

describe('TestConnection', () => {
  test.each([
    ['succeed', {}, 'SUCCEEDED'],
    ['failed', { password: 'wrong' }, 'FAILED'],
    ['failed', { base_url: 'http://127.0.0.1:9' }, 'FAILED'],
    ['failed', { streams: ['nonsense'] }, 'FAILED'],
  ])('test_check: %s with %j has exactly one status, and exit code 0', async (_, part, status) => {
    const { code, messages } = await airbyte('check', '--config', configWith(part));
    expect(code).toBe(0);
    expect(only(messages, 'CONNECTION_STATUS')).toMatchObject([{ connectionStatus: { status } }]);
    expect(errorsOf(messages)).toEqual([]);
  });

  test('test_check: exception has exactly one error trace, no status, and exit code 1', async () => {
    const { code, messages } = await airbyte('check');
    expect(code).toBe(1);
    expect(messages).toMatchObject([
      { type: 'TRACE', trace: { type: 'ERROR', error: { failure_type: 'config_error' } } },
    ]);
  });
});

describe('TestDiscovery', () => {
  const schemas = () => streams.map(({ name, json_schema: json }) => [name, json] as const);

  test('test_discover', async () => {
    const { code, messages } = await airbyte('discover', '--config', source.config);
    expect(code).toBe(0);
    expect(only(messages, 'CATALOG')).toHaveLength(1);
    expect(streams).toHaveLength(19);
    expect(new Set(streams.map(({ name }) => name)).size).toBe(19);
  });

  test('test_streams_have_valid_json_schemas', () => {
    for (const [, json] of schemas())
      expect(() => z.fromJSONSchema(json as Parameters<typeof z.fromJSONSchema>[0])).not.toThrow();
  });

  test('test_defined_cursors_exist_in_schema', () => {
    for (const {
      default_cursor_field: [cursor],
      source_defined_cursor: defined,
      json_schema: json,
    } of streams) {
      expect(defined).toBe(true);
      expect(json.properties[cursor!]).toMatchObject({ format: 'date-time', airbyte_type: 'timestamp_with_timezone' });
    }
  });

  test('test_defined_refs_exist_in_schema and test_defined_keyword_exist_in_schema', () => {
    for (const { node } of nodes(streams))
      for (const word of ['$ref', 'allOf', 'not']) expect(node).not.toHaveProperty(word);
  });

  test('test_primary_keys_exist_in_schema', () => {
    for (const { source_defined_primary_key: key, json_schema: json } of streams) {
      expect(key).toEqual([['public_id']]);
      expect(json.properties.public_id).toMatchObject({ type: 'string' });
    }
  });

  test('test_primary_keys_data_type and nullability: every column but the key may be null', () => {
    for (const [, json] of schemas()) {
      for (const [name, { type }] of Object.entries(json.properties)) {
        expect(type.includes('null'), name).toBe(name !== 'public_id');
      }
    }
  });

  test('test_streams_has_sync_modes', () => {
    for (const { supported_sync_modes: modes, is_resumable: resumable } of streams) {
      expect({ modes, resumable }).toEqual({ modes: ['full_refresh', 'incremental'], resumable: true });
    }
  });

  test('test_additional_properties_is_true', () => {
    for (const { node } of nodes(streams))
      if ('additionalProperties' in node) expect(node.additionalProperties).toBe(true);
    for (const [, json] of schemas()) expect(json).toHaveProperty('additionalProperties', true);
  });

  test('test_backward_compatibility: no column, key or cursor of the first version is gone or of another type', () => {
    const first = JSON.parse(readFileSync(new URL('fixtures/airbyte/catalog-0.1.0.json', import.meta.url), 'utf8'));
    for (const [name, columns] of Object.entries(first as Record<string, Record<string, unknown>>)) {
      const now = streams.find((stream) => stream.name === name)!;
      for (const [column, said] of Object.entries(columns)) {
        const { type, format = null } = now.json_schema.properties[column] ?? { type: 'gone' };
        expect([type, format], `${name}.${column}`).toEqual(said);
      }
    }
  });

  test('test_catalog_has_supported_data_types', () => {
    const types = ['null', 'string', 'number', 'integer', 'boolean', 'object', 'array'];
    for (const [name, json] of schemas()) {
      for (const [column, { type, format, airbyte_type: airbyteType }] of Object.entries(json.properties)) {
        const where = `${name}.${column}`;
        for (const one of [type].flat()) expect(types, where).toContain(one);
        expect([undefined, 'date', 'date-time'], where).toContain(format);
        expect(airbyteType, where).toBe(format === 'date-time' ? 'timestamp_with_timezone' : undefined);
      }
    }
  });

  test('follows a key that the config overrides', async () => {
    const overrides = { stream_overrides: [{ name: 'borrower_deals', primary_key: ['public_id', 'created_at'] }] };
    const { messages } = await airbyte('discover', '--config', configWith(overrides));
    const deals = only(messages, 'CATALOG')[0]!.catalog!.streams.find(({ name }) => name === 'borrower_deals')!;
    expect(deals.source_defined_primary_key).toEqual([['public_id'], ['created_at']]);
    expect(deals.json_schema.properties.created_at).toMatchObject({ type: 'string' });
  });
});

describe('TestBasicRead', () => {
  test('test_read: every record fits its schema, holds all of its columns and a key', () => {
    expect(firstRead.code).toBe(0);
    expect(firstRead.stderr).toBe('');
    const validators = new Map(
      streams.map(({ name, json_schema: json }) => [
        name,
        z.fromJSONSchema(json as Parameters<typeof z.fromJSONSchema>[0]),
      ]),
    );
    for (const { stream, data, emitted_at: at } of recordsOf(firstRead.messages)) {
      const { json_schema: json } = streams.find(({ name }) => name === stream)!;
      expect(Object.keys(data).sort()).toEqual(Object.keys(json.properties).sort());
      expect(validators.get(stream)!.safeParse(data).error).toBeUndefined();
      expect(data.public_id).toEqual(expect.stringMatching(/./));
      expect(Number.isSafeInteger(at)).toBe(true);
    }
  });

  test('test_read: no stream is empty, and every column is seen', () => {
    for (const { name, json_schema: json } of streams) {
      const seen = new Set(
        recordsOf(firstRead.messages).flatMap(({ stream, data }) =>
          stream === name ? Object.keys(data).filter((column) => data[column] !== null) : [],
        ),
      );
      const unseen = Object.keys(json.properties).filter((column) => column !== '_extra' && !seen.has(column));
      expect(unseen, name).toEqual([]);
    }
  });

  test('test_read: every stream is STARTED, RUNNING and COMPLETE in this order, its last STATE before COMPLETE', () => {
    for (const { name } of streams) {
      const order = firstRead.messages.flatMap(({ record, state, trace }) => {
        if (record?.stream === name) return ['RECORD'];
        if (state?.stream.stream_descriptor.name === name) return ['STATE'];
        return trace?.stream_status?.stream_descriptor.name === name ? [trace.stream_status.status] : [];
      });
      expect(order.slice(0, 2)).toEqual(['STARTED', 'RUNNING']);
      expect(order.slice(-2)).toEqual(['STATE', 'COMPLETE']);
      expect(order.filter((status) => status === 'STARTED' || status === 'COMPLETE')).toHaveLength(2);
    }
  });

  test('test_read: sourceStats count what came since the previous STATE, as doubles that are written so', () => {
    const since = new Map<string, number>();
    for (const { record, state } of firstRead.messages) {
      if (record) since.set(record.stream, (since.get(record.stream) ?? 0) + 1);
      if (!state) continue;
      const { name } = state.stream.stream_descriptor;
      expect(state.sourceStats.recordCount).toBe(since.get(name) ?? 0);
      since.set(name, 0);
    }
    expect([...since.values()].every((count) => count === 0)).toBe(true);
    const lines = firstRead.stdout.split('\n').filter((line) => line.startsWith('{"type":"STATE"'));
    for (const line of lines) {
      expect(line).toMatch(/"sourceStats":\{"recordCount":\d+\.0,"rejectedRecordCount":\d+\.0\}\}\}$/);
    }
  });

  test('test_read: a record without a usable key is a LOG warning, a count of the STATE and no RECORD', () => {
    const rejected = statesOf(firstRead.messages).reduce(
      (sum, state) => sum + state.sourceStats.rejectedRecordCount,
      0,
    );
    expect(rejected).toBeGreaterThan(0);
    expect(recordsOf(firstRead.messages)).toHaveLength(300 * 19 - rejected);
    const warnings = only(firstRead.messages, 'LOG').filter(({ log }) => log!.level === 'WARN');
    expect(warnings.map(({ log }) => log!.message)).toContainEqual(expect.stringMatching(/left out: public_id is /));
  });

  test('test_airbyte_trace_message_on_failure: a failed stream has its own trace, and stops no other', async () => {
    simulator.setFaults([]);
    simulator.list('D01', { cursorField: 'created_at' });
    try {
      const { code, messages } = await source.read(everything);
      expect(code).toBe(1);
      expect(errorsOf(messages)).toMatchObject([
        {
          failure_type: 'system_error',
          stream_descriptor: { name: 'borrowers' },
          message: expect.stringContaining('paged by'),
        },
      ]);
      expect(statusesOf(messages, 'borrowers').map(({ status }) => status)).toEqual(['STARTED', 'INCOMPLETE']);
      for (const { name } of streams.filter((stream) => stream.name !== 'borrowers')) {
        expect(statusesOf(messages, name).at(-1)!.status).toBe('COMPLETE');
      }
    } finally {
      simulator.list('D01', { cursorField: 'updated_at' });
    }
  });

  test('test_all_supported_file_types_present: it reads no files', () => {
    for (const stream of streams) expect(stream).not.toHaveProperty('is_file_based', true);
  });
});

describe('TestFullRefresh', () => {
  test('test_sequential_reads: the second read has every record of the first', async () => {
    const catalog = await source.catalog({ mode: 'full_refresh' });
    const [first, second] = [await source.read(catalog), await source.read(catalog)];
    const texts = ({ messages }: Told) =>
      new Set(recordsOf(messages).map(({ stream, data }) => JSON.stringify([stream, data])));
    expect(texts(second)).toEqual(texts(first));
    expect(texts(first).size).toBeGreaterThan(2000);
  });
});

describe('TestIncremental', () => {
  test('test_two_sequential_reads: with the states of the first, the second has none of its records but those looked back over', async () => {
    const states = lastStates(firstRead.messages);
    expect(states).toHaveLength(19);
    const { code, messages } = await source.read(everything, states);
    expect(code).toBe(0);
    const before = Date.now() - 60 * 24 * 3_600_000;
    for (const { stream, data } of recordsOf(messages)) {
      const [cursor] = streams.find(({ name }) => name === stream)!.default_cursor_field;
      expect(Date.parse(String(data[cursor!])), stream).toBeGreaterThan(before);
    }
    expect(lastStates(messages)).toHaveLength(19);
  });

  test('test_read_sequential_slices: any state between is gone on from, and all records come', async () => {
    const { messages } = firstRead;
    const identity = ({ stream, data }: ReturnType<typeof recordsOf>[number]) => JSON.stringify([stream, data]);
    const all = new Set(recordsOf(messages).map(identity));
    const ends = messages.flatMap(({ type }, at) => (type === 'STATE' ? [at + 1] : []));
    for (const end of [0.25, 0.5, 0.75].map((part) => ends[Math.floor(ends.length * part)]!)) {
      const prefix = messages.slice(0, end);
      const rest = await source.read(everything, lastStates(prefix));
      expect(rest.code).toBe(0);
      expect(rest.messages.length).toBeLessThan(messages.length);
      const both = [...recordsOf(prefix), ...recordsOf(rest.messages)];
      expect(all.difference(new Set(both.map(identity)))).toEqual(new Set());
    }
  });

  test('test_state_with_abnormally_large_values: no record, and a STATE for each stream', async () => {
    const future = '2999-01-01T00:00:00.000000Z';
    const states = lastStates(firstRead.messages).map(({ stream, ...state }) => ({
      ...state,
      stream: { ...stream, stream_state: { ...stream.stream_state, complete: future, seen: future } },
    }));
    const { code, messages } = await source.read(everything, states);
    expect(code).toBe(0);
    expect(recordsOf(messages)).toEqual([]);
    expect(lastStates(messages)).toHaveLength(19);
  });
});

describe('TestConnectorAttributes', () => {
  test('test_streams_define_primary_key', () => {
    for (const { source_defined_primary_key: key } of streams) expect(key.length).toBeGreaterThan(0);
  });

  test('test_certified_connector_has_allowed_hosts', () => {
    expect(metadata().allowedHosts.hosts.length).toBeGreaterThan(0);
  });

  test('test_certified_connector_has_suggested_streams, which exist', () => {
    const suggested = metadata().suggestedStreams.streams;
    expect(suggested.length).toBeGreaterThan(0);
    for (const name of suggested) expect(streams.map((stream) => stream.name)).toContain(name);
  });
});

describe('TestConnectorDocumentation', () => {
  const page = readFileSync(new URL('../docs/airbyte.md', import.meta.url), 'utf8');
  const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!);
  const sectionOf = (heading: string) =>
    page
      .split(new RegExp(`^#+ ${heading}$`, 'm'))[1]!
      .split(/^#+ /m)[0]!
      .trim();

  test('test_prerequisites_content: it names every required field', () => {
    const text = sectionOf('Prerequisites').toLowerCase();
    for (const key of schema.required as string[]) {
      expect(text).toContain(String((schema.properties as Record<string, Node>)[key]!.title).toLowerCase());
    }
  });

  test('test_docs_structure', () => {
    const template = [
      'ClearGrid',
      'Prerequisites',
      'Setup guide',
      'Set up ClearGrid',
      'Set up the ClearGrid connector in Airbyte',
      'For Airbyte Cloud:',
      'For Airbyte Open Source:',
      'Supported sync modes',
      'Supported Streams',
      'Performance considerations',
      'Data type map',
      'Troubleshooting',
      'Tutorials',
      'Changelog',
    ];
    expect(headings.filter((heading) => template.includes(heading))).toEqual(template);
  });

  test('test_docs_descriptions', () => {
    expect(sectionOf('ClearGrid')).toMatch(
      /^This page contains the setup guide and reference information for the \[ClearGrid\]\(https:\S+\) source connector\./,
    );
    expect(sectionOf('Supported sync modes')).toMatch(
      /^The ClearGrid source connector supports the following \[sync modes\]\(https:\S+\):/,
    );
    for (const mode of ['full_refresh', 'incremental']) {
      expect(sectionOf('Supported sync modes').toLowerCase().replaceAll(' ', '_')).toContain(mode);
    }
    for (const { name } of streams) expect(sectionOf('Supported Streams')).toContain(name);
  });

  test('test_validate_links: what they lead to in this project exists', () => {
    const links = [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      if (link.startsWith('http')) expect(URL.canParse(link) && link.startsWith('https:')).toBe(true);
      else
        expect(
          existsSync(new URL(link.replace(/#.*$/, ''), new URL('../docs/airbyte.md', import.meta.url))),
          link,
        ).toBe(true);
    }
  });
});
