import { styleText } from 'node:util';
import type { Change } from '../commands/demo-rows.ts';
import type { StreamSummary } from '../summary.ts';
import { type Screen, table } from './table.ts';
import { count, moment } from './words.ts';

/** What a run wrote, a row a stream. */
export function tablesText(streams: readonly StreamSummary[], screen: Screen): string {
  return table(
    [{ title: 'Table' }, { title: 'Rows written', align: 'right' }, { title: 'Requests', align: 'right' }],
    streams.map((stream) => [stream.stream, count(stream.rows_written), count(stream.requests)]),
    screen,
  );
}

const LONGEST_KEY = 16;
const LONGEST_TEXT = 19;

/** Each changed row: its columns that differ, with both values side by side. */
export function changesText(changes: readonly Change[], screen: Screen): string {
  const rows = Map.groupBy(changes, (change) => `${change.stream} ${ending(change.key)}`);
  return [...rows]
    .map(([title, columns]) =>
      table(
        [{ title }, { title: 'before' }, { title: 'after' }],
        columns.map(({ column, before, after }) => [
          column,
          styleText('red', readable(before), { stream: screen }),
          styleText('green', readable(after), { stream: screen }),
        ]),
        screen,
      ),
    )
    .join('\n\n');
}

/** Keys differ at their end. */
function ending(key: string): string {
  return key.length <= LONGEST_KEY ? key : `..${key.slice(2 - LONGEST_KEY)}`;
}

function readable(value: string): string {
  const text = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? moment(value) : value;
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 2)}..`;
}
