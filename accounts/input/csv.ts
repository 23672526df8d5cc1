import { Readable } from 'node:stream';
import { type CsvError, type Info, parse } from 'csv-parse';
import { configError } from '../../destinations/failure.ts';
import { brokenText } from '../../schemas/values.ts';
import { type Chunks, type Item, type Items, LONGEST_BYTES } from './item.ts';
import { compileNesting, type Nest } from './nested.ts';

interface ParsedRecord {
  readonly record: readonly string[];
  readonly info: Info;
}

/** Where quotation marks do not pair, by the parser's count of lines. */
interface Broken {
  readonly line: number;
  readonly problem: string;
}

/** Items are given on in lists of this many. */
const TOGETHER = 500;

/**
 * CSV as RFC 4180 has it, in UTF-8, with the fields' names as header. An empty cell is an absent field. The line of an account is the
 * one that it begins on. Where quotation marks do not pair, nobody knows where accounts begin and end: nothing behind that is read.
 *
 * @throws {Failure} `config_error` for a header that names no field, or one that nobody knows.
 */
export async function* csvItems(chunks: Chunks): Items {
  const parser = parse({
    bom: true,
    info: true,
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    skip_empty_lines: true,
    // Else the records before the error would be lost.
    skip_records_with_error: true,
    max_record_size: LONGEST_BYTES,
  });
  let broken: Broken | null = null;
  parser.on('skip', ({ code, lines }: CsvError) => {
    const problem = `is not CSV: ${PROBLEMS[code] ?? 'it cannot be read'}; nothing behind it is read`;
    broken ??= { line: Number(lines), problem };
  });
  const source = Readable.from(copies(chunks));
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);

  let items: Item[] = [];
  let nest: Nest | null = null;
  let columns = 0;
  // The parser counts a carriage return inside quotation marks as a line of its own, also in front of a line feed.
  let returns = 0;
  let before = 0;
  for await (const { record, info } of parser as AsyncIterable<ParsedRecord>) {
    if (broken !== null && info.lines >= (broken as Broken).line) break;
    // One that takes a single line holds no break.
    const spanning = info.lines === before + 1 ? [] : record;
    before = info.lines;
    returns += countIn(spanning, '\r');
    if (nest === null) {
      const names = record.map((name) => name.trim());
      nest = compileNesting(names, 'the header');
      columns = names.length;
      continue;
    }
    const line = info.lines - returns - countIn(spanning, '\n');
    if (record.length === columns) {
      items.push({ line, value: nest(record.map(cellValue)) });
    } else items.push({ line, problem: `has ${record.length} cells where the header has ${columns}` });
    if (items.length >= TOGETHER) {
      yield items;
      items = [];
    }
  }
  if (broken !== null) items.push({ ...(broken as Broken), line: (broken as Broken).line - returns });
  else if (nest === null)
    throw configError('the input has no header: its first line must hold the names of the fields');
  yield items;
}

/** The parser reads ahead, and keeps what it was given. */
async function* copies(chunks: Chunks): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

const PROBLEMS: Readonly<Record<string, string>> = {
  CSV_INVALID_CLOSING_QUOTE: 'something stands behind a closing quotation mark',
  INVALID_OPENING_QUOTE: 'a quotation mark stands inside a cell that does not begin with one',
  CSV_QUOTE_NOT_CLOSED: 'a quotation mark is never closed',
  CSV_MAX_RECORD_SIZE: 'an account is too long',
};

/** The parser puts U+FFFD for what is not UTF-8: nobody means to send that. */
function cellValue(cell: string): unknown {
  if (cell === '') return null;
  return cell.includes('\ufffd') ? brokenText(cell, '') : cell;
}

function countIn(cells: readonly string[], char: string): number {
  let count = 0;
  for (const cell of cells) for (let at = cell.indexOf(char); at !== -1; at = cell.indexOf(char, at + 1)) count += 1;
  return count;
}
