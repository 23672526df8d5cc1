import { describe, expect, it } from 'vitest';
import { retryDelay, withRetries } from '../connector/api/retry.ts';
import { PageFailure } from '../connector/source.ts';
import { configError } from '../destinations/failure.ts';
import { fakeTiming } from './api-server.ts';

const signal = new AbortController().signal;

describe('the wait before another try', () => {
  it('doubles from half a second to twenty, each with full jitter', () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 50, 5000].map((attempt) =>
      retryDelay({ attempt, retryAfterMs: null, random: () => 1 }),
    );
    expect(longest).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000]);
    expect(retryDelay({ attempt: 9, retryAfterMs: null, random: () => 0 })).toBe(0);
  });

  it('is never shorter than the server asks, and not the same for all', () => {
    expect(retryDelay({ attempt: 1, retryAfterMs: 30_000, random: () => 0 })).toBe(30_000);
    expect(retryDelay({ attempt: 3, retryAfterMs: 30_000, random: () => 0.5 })).toBe(31_000);
  });
});

describe('tries', () => {
  const failing = () => Promise.reject(new PageFailure('interrupted', 'broken'));

  it('end by their number', async () => {
    let tries = 0;
    const timing = fakeTiming();
    const attempt = () => {
      tries++;
      return failing();
    };
    await expect(withRetries({ tries: 3, budgetMs: 60_000 }, timing, signal, attempt)).rejects.toThrow('broken');
    expect(tries).toBe(3);
    expect(timing.sleeps).toHaveLength(2);
  });

  it('end by their budget, of which each is told what is left', async () => {
    const timing = fakeTiming();
    const left: number[] = [];
    const attempt = (leftMs: number) => {
      left.push(leftMs);
      timing.pass(400);
      return failing();
    };
    await expect(withRetries({ tries: 99, budgetMs: 1500 }, timing, signal, attempt)).rejects.toThrow('broken');
    expect(left).toEqual([1500, 850]);
  });

  it('are not made of what no try can cure', async () => {
    let tries = 0;
    const attempt = async () => {
      tries++;
      throw configError('wrong');
    };
    await expect(withRetries({ tries: 9, budgetMs: 60_000 }, fakeTiming(), signal, attempt)).rejects.toThrow('wrong');
    expect(tries).toBe(1);
  });
});
