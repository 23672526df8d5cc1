import { z } from 'zod';
import { configSchema } from './schema.ts';

type Node = Record<string, unknown>;

/**
 * The Airbyte ConnectorSpecification, derived from the config's schema and put as Airbyte's own tests ask: draft-7,
 * `additionalProperties: true` everywhere (at run time the schema is strict), choices as `oneOf` with a `const`, and none of
 * `anyOf`, `allOf`, `not`.
 */
export function connectorSpec(): Node {
  const schema = z.toJSONSchema(configSchema, { target: 'draft-7', io: 'input' }) as Node;
  return {
    documentationUrl: 'https://docs.airbyte.com/integrations/sources/cleargrid',
    supportsIncremental: true,
    connectionSpecification: { ...asAirbyteReads(schema), title: 'ClearGrid' },
  };
}

/** Number bounds that only say what a double can count to. */
const SAFE = Number.MAX_SAFE_INTEGER;

function asAirbyteReads(node: Node): Node {
  const { anyOf, oneOf, properties, items, maximum, ...rest } = node;
  const read: Node = { ...rest };
  if (maximum !== undefined && maximum !== SAFE) read.maximum = maximum;
  // A choice between a scalar and an object has no form that Airbyte's tests accept: it is described in words alone.
  if (anyOf !== undefined) return read;
  if (isNode(items)) read.items = asAirbyteReads(items);
  if (Array.isArray(oneOf)) {
    read.type = 'object';
    read.oneOf = oneOf.map((choice: Node) => ({ title: nameOf(choice), ...asAirbyteReads(choice) }));
  }
  if (isNode(properties)) {
    read.properties = Object.fromEntries(
      Object.entries(properties).map(([key, property], order) => [
        key,
        { title: titleOf(key), ...asAirbyteReads(property as Node), order },
      ]),
    );
    read.additionalProperties = true;
  }
  return read;
}

/** The constant that tells a choice from the others. */
function nameOf(choice: Node): unknown {
  return Object.values(choice.properties as Record<string, Node>).find((property) => 'const' in property)?.const;
}

/** `project_id` as `Project id`. */
function titleOf(key: string): string {
  const words = key.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
