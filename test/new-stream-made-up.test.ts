import { describe, expect, test } from 'vitest';
import { madeUp } from '../connector/new-stream/made-up.ts';

describe('a made-up value', () => {
  test.each([
    ['64e54b7fc9ce0a077a000000', /^[\da-f]{24}$/],
    ['5e0c1a2b-0d5b-4c88-9b3f-61e0f2a7d514', /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/],
    ['2026-06-05T00:00:00.000Z', /^\d{4}-\d\d-\d\dT00:00:00\.000Z$/],
    ['2026-06-05T11:22:33+03:00', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+03:00$/],
    ['31/12/2026', /^\d\d\/\d\d\/\d{4}$/],
    ['SUB-2026-30912-02', /^[A-Z]{3}-\d{4}-\d{5}-\d\d$/],
    ['+966550000001', /^\+\d{12}$/],
    ['omar@bank.com', /^[a-z]{4}@mail\.example$/],
    ['https://bank.com/omar/1', /^https:\/\/files\.example\/[a-z]{8}$/],
    [375000, /^[1-9]\d{5}$/],
    [-12.5, /^-[1-9]\d\.[1-9]$/],
    [JSON.rawJSON('0.10'), /^0\.\d[1-9]$/],
  ])('for %s has its shape', (value, shape) => {
    const made = madeUp(value);
    expect(typeof made === 'string' ? made : JSON.stringify(made)).toMatch(shape);
  });

  test('keeps the names in an object, but not those that are data', () => {
    const made = madeUp({ oldStage: 'stage_new', '+966550000001': true }) as Record<string, unknown>;
    expect(Object.keys(made)).toEqual(['oldStage', expect.stringMatching(/^\+\d{12}$/)]);
    expect(Object.keys(made)[1]).not.toBe('+966550000001');
  });
});
