import type { Mapping, RowValues, Value } from '../../schemas/row.ts';
import { type Column, parsedName, type Stream, tableColumns } from '../../schemas/stream.ts';

/** Writes mapped rows of one stream as RECORD messages. */
export interface RecordWriter {
  /**
   * @param askedAt the instant at which their page was asked for. It is their `emitted_at`, so that of two versions of a row the
   *   one that was read later wins, in whatever order windows are read.
   */
  lines(mapping: Mapping, askedAt: string): string;
}

export function recordWriter(stream: Stream): RecordWriter {
  const head = `{"type":"RECORD","record":{"stream":${JSON.stringify(stream.name)},"emitted_at":`;
  const columns = stream.columns.flatMap(writersOf);
  const names = columns.map(({ name }, at) => `${at === 0 ? '' : ','}${JSON.stringify(name)}:`);
  const writers = columns.map(({ write }) => write);
  const extraAt = tableColumns(stream).indexOf('_extra');

  return {
    lines({ rows }, askedAt) {
      const start = `${head}${Date.parse(askedAt)},"data":{`;
      let text = '';
      for (const row of rows) {
        text += start;
        for (let at = 0; at < writers.length; at++) {
          const value = row[at]!;
          text += names[at]! + (value === null ? 'null' : writers[at]!(value));
        }
        text += `,"_extra":${row[extraAt] ?? 'null'}}${metaOf(row, extraAt + 1)}}}\n`;
      }
      return text;
    },
  };
}

type Write = (value: Exclude<Value, null>) => string;

function writersOf({ name, kind }: Column): { name: string; write: Write }[] {
  switch (kind) {
    case 'text':
      return [{ name, write: quoted }];
    case 'businessDate':
      return [
        { name, write: quoted },
        { name: parsedName(name), write: plain },
      ];
    case 'timestamp':
      return [{ name, write: plain }];
    default:
      // Numbers, decimal text, true and false, JSON text: all as they are.
      return [{ name, write: String }];
  }
}

/** Text in which nothing needs to be escaped, as nearly all is. */
const UNESCAPED = /^[^"\\\u0000-\u001f\ud800-\udfff]*$/;

function quoted(value: Exclude<Value, null>): string {
  const text = value as string;
  return UNESCAPED.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** A date or an instant: made by us. */
const plain: Write = (value) => `"${value}"`;

/** Here the source itself leaves out what does not fit; for a type that is not met the protocol has one word only. */
function metaOf(row: RowValues, changesAt: number): string {
  const changes = row[changesAt];
  if (typeof changes !== 'string') return '';
  return `,"meta":{"changes":${changes.replace(/"DESTINATION_(?!TYPECAST)/g, '"SOURCE_')}}`;
}
