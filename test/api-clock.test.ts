import { describe, expect, it } from 'vitest';
import { createServerClock } from '../connector/api/clock.ts';
import { connect, fakeTiming, type Handler, json, LENDER, serveApi } from './api-server.ts';

/** A login whose answer tells this time, or none. */
function loginAt(date: string | null): Handler {
  return (request, response, body) => {
    response.sendDate = false;
    json(200, () => ({ lenderPublicId: LENDER, token: 'a', refreshToken: 'r' }), date === null ? {} : { date })(
      request,
      response,
      body,
    );
  };
}

describe('fault 10: the time is the server’s', () => {
  it('as the login told it, and goes on with the monotonic clock', async () => {
    const timing = fakeTiming();
    const server = await serveApi({ login: loginAt('Mon, 01 Jun 2026 12:00:00 GMT') });
    const api = await connect(server, { timing, wall: () => 0 });
    expect(api.hasServerClock).toBe(true);
    expect(api.now()).toBe('2026-06-01T12:00:00.000000Z');
    timing.pass(61_000.25);
    expect(api.now()).toBe('2026-06-01T12:01:01.000250Z');
  });

  it('or as the catalog told it when the login did not', async () => {
    const catalog = json(200, () => ({}), { date: 'Mon, 01 Jun 2026 12:00:00 GMT' });
    const api = await connect(await serveApi({ login: loginAt(null), catalog }), { wall: () => 0 });
    expect(api.hasServerClock).toBe(false);
    await api.catalog();
    expect(api.hasServerClock).toBe(true);
    expect(api.now()).toBe('2026-06-01T12:00:00.000000Z');
  });

  it('and ours when nobody told it', async () => {
    const api = await connect(await serveApi({ login: loginAt(null) }), { wall: () => Date.UTC(2026, 0, 2) });
    expect(api.now()).toBe('2026-01-02T00:00:00.000000Z');
    expect(api.hasServerClock).toBe(false);
  });

  it('also when the date cannot be read', async () => {
    const api = await connect(await serveApi({ login: loginAt('yesterday') }));
    expect(api.hasServerClock).toBe(false);
  });
});

describe('fault 23: the clock', () => {
  const timing = () => {
    const state = { monotonic: 5000, wall: Date.UTC(2026, 0, 1) };
    return { state, clock: createServerClock({ monotonic: () => state.monotonic, wall: () => state.wall }) };
  };

  it('does not notice that this machine’s clock steps by an hour', () => {
    const { state, clock } = timing();
    clock.now();
    state.wall += 3_600_000;
    state.monotonic += 1000;
    expect(clock.now()).toBe('2026-01-01T00:00:01.000000Z');
    state.wall -= 7_200_000;
    state.monotonic += 1000;
    expect(clock.now()).toBe('2026-01-01T00:00:02.000000Z');
  });

  it('never reads the same instant twice', () => {
    const { clock } = timing();
    const readings = Array.from({ length: 1000 }, () => clock.now());
    expect(new Set(readings).size).toBe(1000);
    expect(readings).toEqual(readings.toSorted());
  });

  it('is set once, and not after it has been read', () => {
    const { clock } = timing();
    clock.observe('Mon, 01 Jun 2026 12:00:00 GMT');
    clock.observe('Mon, 01 Jun 2026 18:00:00 GMT');
    expect(clock.now()).toBe('2026-06-01T12:00:00.000000Z');
    const late = timing().clock;
    late.now();
    late.observe('Mon, 01 Jun 2026 12:00:00 GMT');
    expect(late.isServers).toBe(false);
    expect(late.now()).toBe('2026-01-01T00:00:00.000001Z');
  });
});
