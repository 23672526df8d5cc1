import { z } from 'zod';
import { configSchema } from './schema.ts';

/** Looking things up in the config's schema by path: which keys are known somewhere, and which values are secret. */

export type Path = readonly (string | number)[];

/** The part of a JSON Schema that is looked at here. */
interface Node {
  readonly type?: string;
  readonly const?: unknown;
  readonly airbyte_secret?: boolean;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly oneOf?: readonly Node[];
  readonly anyOf?: readonly Node[];
}

const root = z.toJSONSchema(configSchema, { target: 'draft-7', io: 'input' }) as Node;

/** The names of the keys that may stand in the object at `path`. */
export function knownKeys(config: unknown, path: Path): string[] {
  return [...new Set(nodesAt(config, path).flatMap((node) => Object.keys(node.properties ?? {})))];
}

/** Whether text at `path` can only be meant as a number or a boolean. */
export function isNeverText(config: unknown, path: Path): boolean {
  const nodes = nodesAt(config, path);
  return nodes.length > 0 && nodes.every((node) => node.type !== 'string');
}

/** Whether the value at `path` is a plain one that no secret can have been mistaken for: only such a value may be repeated. */
export function isPrintable(config: unknown, path: Path): boolean {
  const nodes = nodesAt(config, path);
  return nodes.length > 0 && nodes.every((node) => isScalar(node) && node.airbyte_secret !== true);
}

/** Every text of `config` that stands where the schema wants a secret. */
export function secretTexts(config: unknown): string[] {
  return textsBelow(config, [root]);
}

function textsBelow(value: unknown, nodes: readonly Node[]): string[] {
  if (typeof value === 'string') return nodes.some((node) => node.airbyte_secret === true) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsBelow(inner, below(nodes, value, key)));
}

function nodesAt(config: unknown, path: Path): readonly Node[] {
  let nodes: readonly Node[] = [root];
  let value = config;
  for (const key of path) {
    nodes = below(nodes, value, key);
    value = valueAt(value, [key]);
  }
  return nodes.flatMap((node) => alternatives(node, value));
}

function below(nodes: readonly Node[], value: unknown, key: string | number): Node[] {
  return nodes
    .flatMap((node) => alternatives(node, value))
    .map((node) => (Array.isArray(value) ? node.items : node.properties?.[key]))
    .filter((node) => node !== undefined);
}

/** The nodes of a choice that `value` may be meant for: all of them, unless a constant tells. */
function alternatives(node: Node, value: unknown): readonly Node[] {
  const choices = node.oneOf ?? node.anyOf;
  if (choices === undefined) return [node];
  const chosen = choices.filter((choice) =>
    Object.entries(choice.properties ?? {}).some(([key, { const: constant }]) => {
      return constant !== undefined && valueAt(value, [key]) === constant;
    }),
  );
  return chosen.length > 0 ? chosen : choices;
}

function isScalar(node: Node): boolean {
  return ['string', 'number', 'integer', 'boolean'].includes(node.type ?? '');
}

/** The value at `path`, or undefined. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined),
    value,
  );
}
