import type { Documented } from './columns.ts';

export const HEADER = 'Generated from schemas/ by `npm run generate`; a test fails when it is stale.';

/** A text as YAML takes it whatever it holds: JSON's strings are YAML's. */
export const yamlText = (said: string) => JSON.stringify(said);

/** A text inside of an expression of Jinja. */
export const jinjaText = (said: string) => `'${said.replaceAll("'", "\\'")}'`;

/** Whether a stream is asked for: the value of `enabled`. */
export const isEnabled = (stream: string) => `${jinjaText(stream)} not in var('cleargrid_disabled_streams')`;

/** A column's entry without what follows it. */
export function columnLines({ name, description, pii }: Documented, indent: string): string[] {
  return [
    `${indent}- name: ${yamlText(name)}`,
    `${indent}  description: ${yamlText(description)}`,
    ...(pii ? [`${indent}  config: { meta: { contains_pii: true } }`] : []),
  ];
}
