import { hash } from 'node:crypto';
import { type Extra, startExtra, storableJson } from './extra.ts';
import { dateBeside, fitFor, isMisfit } from './fit.ts';
import { keyProblem } from './key.ts';
import type { Kinds } from './kinds.ts';
import type { Change, Mapping, Reject, RowValues, Value } from './row.ts';
import { type Stream, tableColumns } from './stream.ts';
import { isJsonObject } from './values.ts';

/** Maps decoded records of one stream to rows for one destination. */
export interface Mapper {
  /**
   * @param records decoded by `decodeJson`; any JSON value whatever maps without throwing.
   * @param syncedAt `_synced_at` of the rows.
   */
  map(records: readonly unknown[], syncedAt: string): Mapping;
}

/** Compiles the mapper of a stream for what a destination's types hold: no kind is looked up once records come. */
export function compileMapper(stream: Stream, kinds: Kinds): Mapper {
  const columns = stream.columns.map(({ name, field, kind }) => ({
    name,
    field,
    take: fitFor(kind, kinds),
    hasDate: kind === 'businessDate',
    // Every object answers to such a field's name, whether or not the record has it.
    inherited: field in Object.prototype,
  }));
  const declared = new Set(columns.map((column) => column.field));
  const names = tableColumns(stream);
  const keys = stream.primaryKey.map((name) => ({
    name,
    field: columns.find((column) => column.name === name)!.field,
    at: names.indexOf(name),
  }));

  function mapRecord(record: Readonly<Record<string, unknown>>, syncedAt: string, into: Collected): void {
    const row: Value[] = [];
    let extra: Extra | null = null;
    let changes: Change[] | null = null;
    let declaredFields = 0;
    let unparsedDates = 0;

    for (const { name, field, take, hasDate, inherited } of columns) {
      const value = inherited && !Object.hasOwn(record, field) ? undefined : record[field];
      if (value !== undefined) declaredFields += 1;
      if (value === undefined || value === null) {
        row.push(null);
        if (hasDate) row.push(null);
        continue;
      }
      const fitted = take(value);
      const kept = isMisfit(fitted) ? fitted.kept : fitted;
      row.push(kept);
      if (isMisfit(fitted)) {
        changes ??= [];
        changes.push({ field: name, change: fitted.change, reason: fitted.reason });
        extra ??= startExtra(record, kinds.json);
        extra.add(field, value);
      }
      if (hasDate) {
        const date = dateBeside(value, kinds.businessDate);
        row.push(date);
        if (date === null && kept !== null) unparsedDates += 1;
      }
    }

    for (const { name, field, at } of keys) {
      const change = changes?.find((entry) => entry.field === name);
      const problem = keyProblem(row[at]!, record[field], change);
      if (problem !== null) {
        reject(record, `${name} ${problem}`, into);
        return;
      }
    }

    const fields = Object.keys(record);
    if (fields.length > declaredFields) {
      extra ??= startExtra(record, kinds.json);
      for (const field of fields) if (!declared.has(field)) extra.add(field, record[field]);
    }
    const extraText = extra === null ? null : extra.text();
    if (extra !== null && extraText === null) {
      reject(record, 'what no column holds is too large for _extra', into);
      return;
    }

    row.push(extraText, changes === null ? null : JSON.stringify(changes), syncedAt);
    into.rows.push(row);
    into.changedFields += changes?.length ?? 0;
    into.unparsedDates += unparsedDates;
  }

  function reject(record: unknown, reason: string, into: Collected): void {
    const text = storableJson(record, kinds.json, 0);
    into.rejects.push({ id: hash('sha256', JSON.stringify([stream.name, text, reason])), record: text, reason });
  }

  return {
    map(records, syncedAt) {
      const into: Collected = { rows: [], rejects: [], changedFields: 0, unparsedDates: 0 };
      for (const record of records) {
        if (isJsonObject(record)) mapRecord(record, syncedAt, into);
        else reject(record, 'the record is no object', into);
      }
      return into;
    },
  };
}

interface Collected extends Mapping {
  readonly rows: RowValues[];
  readonly rejects: Reject[];
  changedFields: number;
  unparsedDates: number;
}
