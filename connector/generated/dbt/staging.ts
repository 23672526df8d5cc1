import { type Column, parsedName, type Stream } from '../../../schemas/stream.ts';
import { minorUnitsName, stagingColumnDocs } from './columns.ts';
import { columnLines, HEADER, isEnabled, jinjaText, yamlText } from './yaml.ts';

/** The name of a stream's staging model. */
export function stagingName(stream: Stream): string {
  return `stg_cleargrid__${stream.name}`;
}

/** `models/staging/staging.yml`: what the staging models are and hold. */
export function stagingYaml(streams: readonly Stream[]): string {
  return `${[
    `# ${HEADER}`,
    'models:',
    ...streams.flatMap((stream) => [
      `  - name: ${yamlText(stagingName(stream))}`,
      `    description: ${yamlText(`${stream.description} Without deleted rows.`)}`,
      '    columns:',
      ...stagingColumnDocs(stream).flatMap((column) => columnLines(column, '      ')),
    ]),
  ].join('\n')}\n`;
}

/** The SQL of a stream's staging model: its columns, amounts in the currency's unit beside those in minor units, rows that are there. */
export function stagingSql(stream: Stream): string {
  const currency = stream.columns.find(({ name, kind }) => name === 'currency' && kind === 'text')?.name ?? null;
  const columns = [
    ...stream.columns.flatMap((column) => selected(column, currency)),
    ...['_extra', '_changes', '_synced_at'].map(quoted),
  ];
  return `${[
    `-- ${HEADER}`,
    `{{ config(enabled=${isEnabled(stream.name)}) }}`,
    '{%- set q = adapter.quote %}',
    '',
    'select',
    columns.map((column) => `    ${column}`).join(',\n'),
    `from {{ source('cleargrid', ${jinjaText(stream.name)}) }}`,
    `where ${quoted('_deleted_at')} is null`,
  ].join('\n')}\n`;
}

function selected({ name, kind }: Column, currency: string | null): string[] {
  if (kind === 'businessDate') return [quoted(name), quoted(parsedName(name))];
  if (kind !== 'minorUnits') return [quoted(name)];
  const named = currency === null ? '' : `, currency=${jinjaText(currency)}`;
  return [
    `{{ cleargrid.amount(${jinjaText(name)}${named}) }} as ${quoted(name)}`,
    `${quoted(name)} as ${quoted(minorUnitsName(name))}`,
  ];
}

const quoted = (name: string) => `{{ q(${jinjaText(name)}) }}`;
