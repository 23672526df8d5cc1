import type { Value } from '../../schemas/row.ts';
import { exactNumber } from '../exact-numbers.ts';
import type { Client } from './client.ts';
import { type SchemaField, typeOf } from './kinds.ts';

/** What queries answer, from the API's text form to values. */

interface Page {
  readonly schema?: { readonly fields?: readonly SchemaField[] };
  readonly rows?: readonly { readonly f: readonly Cell[] }[];
  readonly pageToken?: string;
}

interface Cell {
  readonly v: unknown;
}

type Decode = (value: string) => Value;

export type ResultRow = Readonly<Record<string, unknown>>;

const PAGE_ROWS = 10_000;

/** The rows of a query's job, page by page. */
export async function* resultRows(
  client: Client,
  location: string,
  jobId: string,
  what: string,
): AsyncGenerator<ResultRow> {
  let pageToken: string | undefined;
  do {
    const query = {
      location,
      maxResults: PAGE_ROWS,
      'formatOptions.useInt64Timestamp': true,
      ...(pageToken === undefined ? {} : { pageToken }),
    };
    const path = `/queries/${encodeURIComponent(jobId)}`;
    const page: Page = await client.call<Page>({ method: 'GET', path, query }, what);
    const fields = page.schema?.fields ?? [];
    for (const { f } of page.rows ?? []) yield record(fields, f);
    pageToken = page.pageToken;
  } while (pageToken !== undefined);
}

function record(fields: readonly SchemaField[], cells: readonly Cell[]): ResultRow {
  return Object.fromEntries(fields.map((field, at) => [field.name, fieldValue(field, cells[at]?.v ?? null)]));
}

function fieldValue(field: SchemaField, value: unknown): unknown {
  if (value === null) return null;
  if (field.mode === 'REPEATED') {
    return (value as readonly Cell[]).map(({ v }) => fieldValue({ ...field, mode: 'NULLABLE' }, v));
  }
  if (field.type === 'RECORD' || field.type === 'STRUCT') {
    return record(field.fields ?? [], (value as { f: readonly Cell[] }).f);
  }
  return (DECODES[typeOf({ name: field.name, type: field.type })] ?? asText)(String(value));
}

const asText: Decode = (text) => text;

const DECODES: Readonly<Record<string, Decode>> = {
  INT64: exactNumber,
  NUMERIC: exactNumber,
  BIGNUMERIC: exactNumber,
  FLOAT64: (text) => (Number.isFinite(Number(text)) ? Number(text) : text),
  BOOL: (text) => text === 'true',
  TIMESTAMP: (micros) => instantText(BigInt(micros)),
};

/** Microseconds since 1970 as `YYYY-MM-DDTHH:MM:SS.ffffffZ`. */
function instantText(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const second = new Date(Number((micros - fraction) / 1000n));
  return second.toISOString().replace(/\.000Z$/, `.${fraction.toString().padStart(6, '0')}Z`);
}
