import { expect, test } from 'vitest';
import { linesOf } from '../connector/causes.ts';

test('one cause of several streams is told once, and a command in it names them all', () => {
  const told = ['deals', 'payments'].map((stream) => ({ stream, message: `${stream}: gone; run --streams ${stream}` }));
  expect(linesOf(told)).toEqual(['deals, payments: gone; run --streams deals,payments']);
});

test('what is to be copied for each stream stays by itself', () => {
  const told = ['deals', 'payments'].map((stream) => ({
    stream,
    message: `${stream}: let it be {"name":"${stream}"}`,
  }));
  expect(linesOf(told)).toEqual(['deals: let it be {"name":"deals"}', 'payments: let it be {"name":"payments"}']);
});
