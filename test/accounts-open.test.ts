import { appendFileSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openFile, openRows } from '../accounts/input/open.ts';
import { fullAccount } from './accounts-example.ts';
import { collect, pieces } from './accounts-pieces.ts';

describe('an input', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cleargrid-input-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function file(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  }

  const nothing = pieces('', 1);

  test('is read in the format that its ending says, or that was asked for', async () => {
    const one = [{ line: 1, value: { accountId: 'A' } }];
    for (const [name, text, line] of [
      ['a.json', '[{"accountId":"A"}]', 1],
      ['a.csv', 'accountId\nA\n', 2],
      ['a.jsonl', '{"accountId":"A"}', 1],
    ] as const) {
      const input = await openFile(file(name, text), null, nothing);
      expect(await collect(input.items())).toEqual([{ ...one[0], line }]);
      expect(await collect(input.items())).toHaveLength(1);
      await input.close();
    }
    const asked = await openFile(file('b.txt', '[{"accountId":"A"}]'), 'json', nothing);
    expect(await collect(asked.items())).toEqual(one);
    await asked.close();
  });

  test('has a digest of its bytes and the lender', async () => {
    const digest = async (name: string, text: string, lender: string) => {
      const input = await openFile(file(name, text), null, nothing);
      return input.digest(lender).finally(() => input.close());
    };
    const first = await digest('a', '{}', 'lender');
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await digest('b', '{}', 'lender')).toBe(first);
    expect(await digest('a', '{} ', 'lender')).not.toBe(first);
    expect(await digest('a', '{}', 'another')).not.toBe(first);
  });

  test('from standard input or a query can be read again, and leaves no file', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('cleargrid-push-'));
    const stdin = await openFile('-', null, pieces('{"accountId":"A"}\n', 3));
    const rows = await openRows(
      (async function* () {
        yield { accountId: 12, 'phones.0.number': '+1', additionalData: '{"a":1.50}', merchant: null };
        yield { accountId: 13, 'phones.0.number': null, additionalData: null, merchant: 'x' };
      })(),
    );
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('cleargrid-push-'))).toEqual(before);
    for (let time = 0; time < 2; time++) {
      expect(await collect(stdin.items())).toEqual([{ line: 1, value: { accountId: 'A' } }]);
      const [first, second] = await collect(rows.items());
      expect(JSON.stringify(first)).toContain('"accountId":12,"phones":[{"number":"+1"}],"additionalData":{"a":1.50}}');
      expect(second).toEqual({ line: 2, value: { accountId: 13, merchant: 'x' } });
    }
    expect(await stdin.digest('l')).not.toBe(await rows.digest('l'));
    await stdin.close();
    await rows.close();
  });

  test.runIf(process.platform === 'linux')('from standard input is copied for this user alone', async () => {
    const stdin = await openFile('-', null, pieces('{"accountId":"A"}\n', 3));
    const modes = readdirSync('/proc/self/fd').flatMap((name) => {
      const descriptor = join('/proc/self/fd', name);
      try {
        return readlinkSync(descriptor).includes('/cleargrid-push-') ? [statSync(descriptor).mode & 0o777] : [];
      } catch {
        return []; // It was open only to list the others.
      }
    });
    expect(modes).toEqual([0o600]);
    await stdin.close();
  });

  test('that changes while it is read is told', async () => {
    const path = file('a.ndjson', `${JSON.stringify(fullAccount)}\n`);
    const input = await openFile(path, null, nothing);
    const items = input.items()[Symbol.asyncIterator]();
    await items.next();
    appendFileSync(path, '{}\n');
    await expect(collect({ [Symbol.asyncIterator]: () => items })).rejects.toThrow('changed while it was read');
    await input.close();
  });

  test.each([
    ['missing.csv', 'does not exist'],
    ['', 'is a folder'],
    ['a\0b', 'cannot be read (ERR_INVALID_ARG_VALUE)'],
  ])('that cannot be opened is refused: %s', async (name, message) => {
    await expect(openFile(join(folder, name), null, nothing)).rejects.toThrow(message);
  });

  test.runIf(process.platform === 'linux')('that cannot be read on is told as what it is', async () => {
    const input = await openFile('/proc/self/mem', 'ndjson', nothing);
    await expect(input.digest('l')).rejects.toThrow('the input cannot be read (EIO)');
    await input.close();
    const broken = async function* () {
      yield Buffer.from('{}\n');
      throw Object.assign(new Error('Layla'), { code: 'EIO' });
    };
    await expect(openFile('-', null, broken())).rejects.toThrow('the input cannot be read (EIO)');
  });

  test('that nobody can copy is told, with the folder', async () => {
    vi.stubEnv('TMPDIR', file('a', ''));
    await expect(openFile('-', null, pieces('{}', 1))).rejects.toThrow(/cannot be copied to .*TMPDIR/);
    vi.unstubAllEnvs();
  });
});
