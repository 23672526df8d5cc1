import { STREAMS } from '../../schemas/registry.ts';
import type { Column, Stream } from '../../schemas/stream.ts';

/** `docs/datasets.md`: every stream and its columns, as the registry declares them. */
export function datasetsPage(): string {
  return `${[
    '# Datasets',
    '',
    'Generated from `schemas/` by `npm run generate`; a test fails when it is stale.',
    '',
    'Each stream becomes one table. Beside the columns below every table has `_extra` (fields that no column holds),',
    '`_changes` (what did not fit its column), `_synced_at` and `_deleted_at`. A business date has a second column,',
    '`<name>_parsed`, with the same day as a DATE.',
    '',
    '| stream | dataset | cursor | key | columns |',
    '|---|---|---|---|---|',
    ...STREAMS.map(overviewRow),
    '',
    ...STREAMS.flatMap(section),
  ].join('\n')}`;
}

function overviewRow(stream: Stream): string {
  const { section, code } = stream.dataset;
  const link = `[${stream.name}](#${stream.name})`;
  return tableRow([
    link,
    `${section}/${code}`,
    stream.cursor,
    stream.primaryKey.join(', '),
    String(stream.columns.length),
  ]);
}

function section(stream: Stream): string[] {
  return [
    `## ${stream.name}`,
    '',
    stream.description,
    ...(stream.lookBack === null ? [] : ['', `Look-back: \`${stream.lookBack}\` unless the config says otherwise.`]),
    '',
    '| column | kind | about |',
    '|---|---|---|',
    ...stream.columns.map(columnRow),
    '',
  ];
}

function columnRow(column: Column): string {
  const about = [
    column.description ?? '',
    column.name === column.field ? '' : `\`${column.field}\` in the API.`,
    column.pii ? 'Personal data.' : '',
  ];
  return tableRow([`\`${column.name}\``, column.kind, about.filter((text) => text !== '').join(' ')]);
}

const tableRow = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
