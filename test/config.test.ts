import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig, parseConfig } from '../connector/config/load.ts';
import { secretsOf } from '../connector/config/secrets.ts';
import { lookBackMs } from '../connector/config/streams.ts';
import { Failure } from '../destinations/failure.ts';
import { streamNamed } from '../schemas/registry.ts';

const folder = mkdtempSync(join(tmpdir(), 'cleargrid-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LOGIN = { lender: 'acme', email: 'etl@acme.example', password: 'hunter2-hunter2' };

function refusal(config: unknown, env: Record<string, string> = {}): string {
  try {
    parseConfig(config, env, 'c.json');
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).kind).toBe('config_error');
    return (error as Failure).message;
  }
  throw new Error('the config was taken');
}

describe('a good config', () => {
  test('gets the documented defaults', () => {
    expect(parseConfig(LOGIN, {}, 'c.json')).toEqual({
      ...LOGIN,
      environment: 'production',
      allow_insecure_http: false,
      stream_overrides: [],
      concurrency: 16,
      streams_at_once: 4,
      accounts_api: 'v3',
    });
  });

  test('may stay without a destination, and fills in the defaults of the one it has', () => {
    expect(parseConfig(LOGIN, {}, 'c.json').destination).toBeUndefined();
    expect(parseConfig({ ...LOGIN, destination: { type: 'duckdb' } }, {}, 'c.json').destination).toEqual({
      type: 'duckdb',
      path: './cleargrid.duckdb',
      schema: 'main',
    });
  });

  test.each([
    ['2025-01-01', '2025-01-01T00:00:00.000000Z'],
    ['2025-01-01T00:00:00Z', '2025-01-01T00:00:00.000000Z'],
    ['2025-01-01T02:30:00.25+03:00', '2024-12-31T23:30:00.250000Z'],
    ['2024-02-29T12:00:00', '2024-02-29T12:00:00.000000Z'],
  ])('start_date %s becomes %s', (given, normalized) => {
    expect(parseConfig({ ...LOGIN, start_date: given }, {}, 'c.json').start_date).toBe(normalized);
  });

  test.each(['http://127.0.0.1:4010', 'http://localhost:1', 'http://[::1]:80', 'https://api.example:8443'])(
    'base_url may be %s',
    (url) => {
      expect(parseConfig({ ...LOGIN, base_url: url }, {}, 'c.json').base_url).toBe(url);
    },
  );

  test('plain http elsewhere is taken when it is asked for', () => {
    const config = { ...LOGIN, base_url: 'http://api.example', allow_insecure_http: true };
    expect(parseConfig(config, {}, 'c.json').base_url).toBe('http://api.example');
  });

  test('may name a stream that nobody has declared by its code', () => {
    expect(parseConfig({ ...LOGIN, streams: ['d24', 'borrower_deals'] }, {}, 'c.json').streams).toContain('d24');
  });
});

describe('${NAME}', () => {
  test('is taken from the environment anywhere in a text, once', () => {
    const config = { ...LOGIN, email: '${USER_NAME}@${HOST}', password: '${SECRET}' };
    const env = { USER_NAME: 'etl', HOST: 'acme.example', SECRET: 'a${HOST}b' };
    expect(parseConfig(config, env, 'c.json')).toMatchObject({ email: 'etl@acme.example', password: 'a${HOST}b' });
  });

  test('becomes a number or a boolean where only that can be meant', () => {
    const destination = { type: 'postgres', host: 'db', database: 'd', username: 'u', port: '${PORT}', ssl: '${SSL}' };
    const config = parseConfig(
      { ...LOGIN, password: '${DIGITS}', concurrency: '${N}', destination },
      { DIGITS: '12345', N: '8', PORT: '6543', SSL: 'false' },
      'c.json',
    );
    expect(config).toMatchObject({ password: '12345', concurrency: 8, destination: { port: 6543, ssl: false } });
  });

  test('after another dollar sign stands for itself', () => {
    expect(parseConfig({ ...LOGIN, password: 'a$${HOST}' }, {}, 'c.json').password).toBe('a${HOST}');
  });

  test('that is not set is a problem at its path, and the only one there', () => {
    const message = refusal({ ...LOGIN, password: '${NOPE}', concurrency: '${ALSO}' });
    expect(message).toContain('2 problems');
    expect(message).toContain('password: the environment variable NOPE is not set');
    expect(message).toContain('concurrency: the environment variable ALSO is not set');
  });

  test.each(['${}', 'a${}b', '${ }', '${1ST}', '${A-B}'])('without a name is a problem at its path: %s', (password) => {
    const message = refusal({ ...LOGIN, password });
    expect(message).toContain('password: holds ${...} without the name of an environment variable');
    expect(message).not.toContain(password);
  });

  test('is not repeated when its value is wrong', () => {
    expect(refusal({ ...LOGIN, environment: '${E}' }, { E: 'confidential' })).not.toContain('confidential');
  });
});

describe('each problem is named with its path', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['a missing key', { lender: undefined }, 'lender: is missing'],
    ['an unknown key', { pasword: 'x' }, 'pasword: is no known key; did you mean "password"?'],
    [
      'an unknown key inside',
      { destination: { type: 'duckdb', pth: 'x' } },
      'destination.pth: is no known key; did you mean "path"?',
    ],
    ['an unknown key that is near nothing', { zzzzzzzzz: 1 }, 'zzzzzzzzz: is no known key'],
    ['text for a number', { concurrency: 'many' }, 'concurrency: must be a number, not text'],
    ['a number for text', { lender: 5 }, 'lender: must be text (it is 5)'],
    ['half a number', { concurrency: 1.5 }, 'concurrency: must be a whole number (it is 1.5)'],
    ['null', { email: null }, 'email: must be text, not null'],
    ['nothing in a text', { email: '' }, 'email: must not be empty'],
    ['too small', { concurrency: 0 }, 'concurrency: must be at least 1 (it is 0)'],
    ['too large', { concurrency: 65 }, 'concurrency: must be at most 64 (it is 65)'],
    [
      'a port out of range',
      { destination: { type: 'postgres', url: 'x', port: 99_999 } },
      'destination.port: must be at most 65535',
    ],
    [
      'another environment',
      { environment: 'stagin' },
      'environment: must be "production" or "staging"; did you mean "staging"?',
    ],
    ['the 31st of February', { start_date: '2025-02-31' }, 'start_date: is no real date and time (it is "2025-02-31")'],
    ['a day first', { start_date: '31/02/2025' }, 'start_date: must be an ISO-8601 date or instant'],
    ["25 o'clock", { start_date: '2025-01-01T25:00:00Z' }, 'start_date: is no real date and time'],
    ['no duration', { look_back: '15m' }, 'look_back: must be an ISO-8601 duration'],
    ['a duration of nothing', { look_back: 'P' }, 'look_back: must be an ISO-8601 duration'],
    [
      'a time of nothing',
      { stream_overrides: [{ name: 'borrowers', look_back: 'PT' }] },
      'stream_overrides[0].look_back: must be an ISO-8601 duration',
    ],
    ['an absurd duration', { look_back: 'P1000Y' }, 'look_back: must not be longer than P10Y'],
    ['a negative duration', { look_back: '-PT5M' }, 'look_back: must not be negative'],
    ['plain http', { base_url: 'http://api.example' }, 'base_url: plain http to another host'],
    [
      'a path',
      { base_url: 'https://api.example/admin/v3' },
      'base_url: must be scheme, host and port alone (https://api.example)',
    ],
    ['no URL', { base_url: 'api.example' }, 'base_url: must be a URL'],
    ['an unknown stream', { streams: ['borower_deals'] }, 'streams[0]: is no stream; did you mean "borrower_deals"?'],
    ['a declared code', { streams: ['D16'] }, 'streams[0]: is no stream: dataset D16 is called "borrower_deals"'],
    ['a stream twice', { streams: ['borrowers', 'borrowers'] }, 'streams[1]: is there twice'],
    ['no stream at all', { streams: [] }, 'streams: must not be empty'],
    ['an override of nothing', { stream_overrides: [{}] }, 'stream_overrides[0].name: is missing'],
    [
      'an override of an unknown stream',
      { stream_overrides: [{ name: 'deals' }] },
      'stream_overrides[0].name: is no stream',
    ],
    [
      'an unknown key column',
      { stream_overrides: [{ name: 'borrower_deals', primary_key: ['publicid'] }] },
      'stream_overrides[0].primary_key[0]: is no column of borrower_deals; did you mean "public_id"?',
    ],
    [
      'two overrides of one stream',
      { stream_overrides: [{ name: 'borrowers' }, { name: 'borrowers' }] },
      'stream_overrides[1].name: has an override already',
    ],
    [
      'an unknown destination',
      { destination: { type: 'postgress' } },
      'destination.type: must be "duckdb" or "postgres" or "bigquery"; did you mean "postgres"?',
    ],
    ...[':memory:', 'md:acme', 'ducklake:x', 's3://bucket/x.duckdb'].map(
      (path): [string, Record<string, unknown>, string] => [
        `the path ${path}`,
        { destination: { type: 'duckdb', path } },
        'destination.path: must name a file on this machine, such as ./cleargrid.duckdb',
      ],
    ),
    ['a destination without type', { destination: {} }, 'destination.type: is missing'],
    [
      'a part of a choice',
      { destination: { type: 'postgres', url: 'x', ssl: { verify: 'fully' } } },
      'destination.ssl.verify: must be "full" or "ca" or "none"; did you mean "full"?',
    ],
    [
      'neither part of a choice',
      { destination: { type: 'postgres', url: 'x', ssl: 'on' } },
      'destination.ssl: must be true or false or an object, not text',
    ],
    [
      'a half address',
      { destination: { type: 'postgres', host: 'db' } },
      'destination.database: is missing, and there is no destination.url',
    ],
    [
      'two addresses',
      { destination: { type: 'postgres', url: 'x', host: 'db' } },
      'destination.host: stands beside destination.url',
    ],
    [
      'a port that the URL would win over',
      { destination: { type: 'postgres', url: 'x', port: 6543 } },
      'destination.port: stands beside destination.url',
    ],
  ])('%s', (_, part, expected) => {
    expect(refusal({ ...LOGIN, ...part })).toContain(`\n  ${expected}`);
  });

  test('all of them in one message', () => {
    const message = refusal({
      lender: 1,
      start_date: '2025-02-31',
      destination: { type: 'duckdb', path: 7 },
      streams: ['x'],
    });
    for (const path of ['lender', 'email', 'password', 'start_date', 'destination.path', 'streams[0]'])
      expect(message).toContain(`\n  ${path}: `);
    expect(message).toContain('c.json has 6 problems:');
  });

  test.each([[[]], ['text'], [null], [3]])('a config that is %j is no object', (config) => {
    expect(refusal(config)).toContain('config: must be an object');
  });
});

describe('what could be a secret is never repeated', () => {
  const SECRET = 'hunter2';
  test.each<[string, unknown]>([
    ['in an unknown key', { ...LOGIN, passwort: SECRET }],
    ['as a destination', { ...LOGIN, destination: `postgres://u:${SECRET}@h` }],
    ["in a list's place", { ...LOGIN, streams: SECRET }],
    ['in a base URL', { ...LOGIN, base_url: `https://u:${SECRET}@api.example` }],
    ['in a wrong type', { ...LOGIN, email: 1, password: [SECRET] }],
    ["in a destination's password", { ...LOGIN, destination: { type: 'postgres', url: SECRET, password: SECRET } }],
  ])('%s', (_, config) => {
    expect(refusal(config)).not.toContain(SECRET);
  });

  test('nor the text around the place where JSON breaks', async () => {
    await expect(refusalOfFile(`{"password": "${SECRET}" "x": 1}`)).resolves.not.toContain(SECRET);
  });
});

describe('a config file', () => {
  test.each([
    ['{"lender": "acme",}', 'line 1, column 19'],
    ['{\n  "password": hunter2\n}', 'line 2, column 15'],
    ['{\n  "lender": "acme"\n  "email": "x"\n}', 'line 3, column 3'],
    ['{"lender": "acme"', 'line 1, column 18'],
    ['{ // a comment\n}', 'line 1, column 3'],
    ['  \n', 'the file is empty'],
  ])('that is no JSON is told with the place: %j', async (text, place) => {
    await expect(refusalOfFile(text)).resolves.toContain(`is not JSON: `);
    await expect(refusalOfFile(text)).resolves.toContain(place);
  });

  test('that has a key twice is told its path and both lines, and never the values', async () => {
    const twice =
      '{\n  "password": "hunter2",\n  "streams": ["a"],\n  "destination": { "path": 1, "type": "duckdb",\n "path": 2 },\n  "password": "other"\n}';
    const message = await refusalOfFile(twice);
    expect(message).toContain('\n  password: is there twice, on lines 2 and 6: take one out');
    expect(message).toContain('\n  destination.path: is there twice, on lines 4 and 5');
    expect(message).not.toMatch(/hunter2|other/);
    const oneLine = await refusalOfFile('{ "password": "hunter2", "password": "other" }');
    expect(oneLine).toContain('\n  password: is there twice, both on line 1: take one out');
  });

  test('may begin with a byte order mark', async () => {
    await expect(loadConfig(write(`\uFEFF${JSON.stringify(LOGIN)}`), {})).resolves.toMatchObject(LOGIN);
  });

  test('that is missing, or a folder, is said to be', async () => {
    await expect(loadConfig(join(folder, 'nope.json'), {})).rejects.toThrow('does not exist; check --config');
    await expect(loadConfig(folder, {})).rejects.toThrow('is a folder');
  });
});

async function refusalOfFile(text: string): Promise<string> {
  return loadConfig(write(text), {}).then(
    () => 'taken',
    (error: Failure) => error.message,
  );
}

function write(text: string): string {
  const path = join(folder, 'config.json');
  writeFileSync(path, text);
  return path;
}

describe('look-back', () => {
  const minutes = (config: Record<string, unknown>, stream: string) =>
    lookBackMs(parseConfig({ ...LOGIN, ...config }, {}, 'c.json'), streamNamed(stream)!) / 60_000;

  test('is 15 minutes, and 30 days for streams on the time of an event', () => {
    expect(minutes({}, 'borrowers')).toBe(15);
    expect(minutes({}, 'communication_logs')).toBe(30 * 24 * 60);
  });

  test('of the config goes before that of the declaration, and that of an override before both', () => {
    const config = { look_back: 'PT1H', stream_overrides: [{ name: 'borrowers', look_back: 'PT2H' }] };
    expect(minutes(config, 'communication_logs')).toBe(60);
    expect(minutes(config, 'borrowers')).toBe(120);
  });
});

describe('secrets', () => {
  const secrets = (destination?: unknown) =>
    secretsOf(parseConfig(destination === undefined ? LOGIN : { ...LOGIN, destination }, {}, 'c.json'));

  test('are the password and whatever the destination keeps', () => {
    expect(secrets()).toEqual([LOGIN.password]);
    expect(secrets({ type: 'postgres', host: 'h', database: 'd', username: 'u', password: 'pg-pass' })).toContain(
      'pg-pass',
    );
  });

  test('are found inside a URL, as it stands and decoded', () => {
    expect(secrets({ type: 'postgres', url: 'postgres://u:p%40ss@h/db' })).toEqual(
      expect.arrayContaining(['postgres://u:p%40ss@h/db', 'p%40ss', 'p@ss']),
    );
  });

  test('are found inside a service account, whole and by lines', () => {
    const privateKey = '-----BEGIN PRIVATE KEY-----\nMIIEvAIBADANBgkqhkiG\n-----END PRIVATE KEY-----\n';
    const json = JSON.stringify({ type: 'service_account', private_key: privateKey });
    const found = secrets({ type: 'bigquery', project_id: 'p', dataset: 'd', credentials_json: json });
    expect(found).toEqual(expect.arrayContaining([json, privateKey, 'MIIEvAIBADANBgkqhkiG']));
    expect(found).not.toContain('service_account');
  });
});
