import type { Stream } from '../../../schemas/stream.ts';
import { type Documented, tableColumnDocs } from './columns.ts';
import { columnLines, HEADER, isEnabled, yamlText } from './yaml.ts';

/**
 * `models/sources.yml`: the tables, their columns, the tests of their keys, and two kinds of freshness. That of a table is when something
 * last changed in it, which may be long ago in one that is up to date: it only warns. Whether the connector does its work is told by its
 * runs. A table without rows is not stale.
 */
export function sourcesYaml(streams: readonly Stream[]): string {
  return `${[
    `# ${HEADER}`,
    'sources:',
    '  - name: cleargrid',
    '    description: "The tables that the ClearGrid connector writes."',
    `    database: "{{ var('cleargrid_database', target.database) }}"`,
    `    schema: "{{ var('cleargrid_schema', 'main' if target.type == 'duckdb' else 'cleargrid') }}"`,
    '    config:',
    '      # When something last changed: rows that did not change keep their _synced_at, so a quiet table grows old and is up to date.',
    '      loaded_at_query: "select coalesce(max(_synced_at), current_timestamp) from {{ this }}"',
    '      freshness:',
    '        warn_after: { count: 7, period: day }',
    '    tables:',
    ...runs,
    ...streams.flatMap(table),
  ].join('\n')}\n`;
}

const runs: readonly string[] = [
  '      - name: _cleargrid_runs',
  '        description: "What the connector did, one row a run, and one for each task of a job; as fresh as the last sync in which no stream failed. A task ends well only once all streams are up to date, whichever task read them: one that did tells it for all."',
  '        config:',
  `          loaded_at_query: "select max(ended_at) from {{ this }} where command = 'sync' and status = 'succeeded'"`,
  '          freshness:',
  '            warn_after: { count: 3, period: hour }',
  '            error_after: { count: 24, period: hour }',
  '        columns:',
  ...[
    { name: 'run_id', description: "The run's id.", pii: false },
    { name: 'command', description: 'sync, push or another command.', pii: false },
    { name: 'version', description: "The connector's version.", pii: false },
    { name: 'started_at', description: 'When it began.', pii: false },
    { name: 'ended_at', description: 'When it ended; null while it is at work, or where it was killed.', pii: false },
    { name: 'status', description: 'running, succeeded, failed or stopped.', pii: false },
    {
      name: 'summary',
      description: 'What it did, stream by stream, as JSON; of a task its share, and in task which one it was.',
      pii: false,
    },
  ].flatMap((column) => columnLines(column, '          ')),
];

function table(stream: Stream): string[] {
  const { name, description } = stream;
  return [
    `      - name: ${yamlText(name)}`,
    `        description: ${yamlText(description)}`,
    `        config: { enabled: "{{ ${isEnabled(name)} }}" }`,
    ...keyTogether(stream),
    '        columns:',
    ...tableColumnDocs(stream).flatMap((column) => [
      ...columnLines(column, '          '),
      ...columnTests(stream, column),
    ]),
  ];
}

function columnTests({ primaryKey, suspectKey }: Stream, { name }: Documented): string[] {
  if (!primaryKey.includes(name)) return [];
  const isUnique = primaryKey.length === 1 && suspectKey === null;
  return [`            data_tests: [${isUnique ? 'unique, not_null' : 'not_null'}]`];
}

/** A key that may turn out to stand for several rows is tested as the one that would be configured then, which holds for either. */
function keyTogether({ primaryKey, suspectKey }: Stream): string[] {
  const key = suspectKey?.suggest ?? primaryKey;
  if (key.length === 1) return [];
  return [
    '        data_tests:',
    '          - unique_together:',
    `              arguments: { columns: [${key.map(yamlText).join(', ')}] }`,
  ];
}
