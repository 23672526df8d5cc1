import { expect, test } from 'vitest';
import { ConnectionLost } from '../destinations/postgres/errors.ts';
import { createRetries } from '../destinations/postgres/retry.ts';

const SHORT = { patienceMs: 150 };

/** An attempt that fails so often, and counts. */
function failing(times: number, error: unknown) {
  const attempt = async () => {
    attempt.made++;
    if (attempt.made <= times) throw error;
    return 'done';
  };
  attempt.made = 0;
  return attempt;
}

const always = (error: unknown) => failing(Number.POSITIVE_INFINITY, error);
const lock = Object.assign(new Error('lock timeout'), { code: '55P03' });

test('what passes is tried again until it succeeds', async () => {
  const attempt = failing(2, new ConnectionLost());
  expect(await createRetries().untilDone(attempt, { patienceMs: 5_000 })).toBe('done');
  expect(attempt.made).toBe(3);
});

test('a server that was waited for in vain is not waited for again, until something has succeeded', async () => {
  const retries = createRetries();
  await expect(retries.untilDone(always(new ConnectionLost()), SHORT)).rejects.toThrow(ConnectionLost);
  const next = always(new ConnectionLost());
  await expect(retries.untilDone(next)).rejects.toThrow(ConnectionLost);
  expect(next.made).toBe(1);
  await retries.untilDone(failing(0, null));
  const later = failing(1, new ConnectionLost());
  expect(await retries.untilDone(later)).toBe('done');
});

test.each([
  ['a lock that somebody holds on one table', lock, {}],
  ['what is part of another attempt, which goes on', new ConnectionLost(), { within: true }],
])('%s takes no patience from others', async (_, error, more) => {
  const retries = createRetries();
  await expect(retries.untilDone(always(error), { ...SHORT, ...more })).rejects.toBe(error);
  const next = failing(1, new ConnectionLost());
  expect(await retries.untilDone(next)).toBe('done');
});

test('a host whose name is not known is waited for once it was reached, and before that is misspelt', async () => {
  const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND db'), { code: 'ENOTFOUND' });
  const retries = createRetries();
  const first = failing(1, unknown);
  await expect(retries.untilDone(first)).rejects.toBe(unknown);
  expect(first.made).toBe(1);
  await retries.untilDone(failing(0, null));
  expect(await retries.untilDone(failing(1, unknown))).toBe('done');
});
