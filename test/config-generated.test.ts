import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { connectorSpec } from '../connector/config/spec.ts';
import { generatedFiles } from '../connector/generated/files.ts';

const project = new URL('../', import.meta.url);

test.each(Object.entries(generatedFiles()))('%s is what `npm run generate` writes now', (path, text) => {
  const file = new URL(path, project);
  expect(existsSync(file) ? readFileSync(file, 'utf8') : null).toBe(text);
});

describe('the spec', () => {
  type Node = Record<string, unknown>;
  const schema = connectorSpec().connectionSpecification as Node;

  function nodes(node: unknown): Node[] {
    if (typeof node !== 'object' || node === null) return [];
    return [...(Array.isArray(node) ? [] : [node as Node]), ...Object.values(node).flatMap(nodes)];
  }

  test('is draft-7, and lets unknown keys through in every object', () => {
    expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
    for (const node of nodes(schema))
      if ('properties' in node && node.type) expect(node.additionalProperties).toBe(true);
  });

  test('offers choices as oneOf of objects with a constant, never as anyOf, allOf or not', () => {
    for (const node of nodes(schema)) {
      for (const word of ['anyOf', 'allOf', 'not']) expect(node).not.toHaveProperty(word);
      for (const choice of (node.oneOf ?? []) as Node[]) {
        expect(choice.type).toBe('object');
        expect(nodes(choice.properties).some((property) => 'const' in property)).toBe(true);
      }
    }
  });

  test('flags exactly the secrets as secret, and hides the destination', () => {
    const secrets = (node: Node): string[] =>
      Object.entries((node.properties ?? {}) as Record<string, Node>).flatMap(([key, property]) => [
        ...(property.airbyte_secret === true ? [key] : []),
        ...[property, ...((property.oneOf ?? []) as Node[])].flatMap(secrets).map((inner) => `${key}.${inner}`),
      ]);
    expect(secrets(schema)).toEqual([
      'password',
      'destination.url',
      'destination.password',
      'destination.credentials_json',
    ]);
    expect((schema.properties as Record<string, Node>).destination!.airbyte_hidden).toBe(true);
  });

  test('titles every property and keeps their order', () => {
    const properties = Object.values(schema.properties as Record<string, Node>);
    expect(properties.map((property) => property.order)).toEqual(properties.map((_, at) => at));
    for (const property of properties) expect(property.title).toEqual(expect.any(String));
  });
});
