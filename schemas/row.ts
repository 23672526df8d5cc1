/** One value of a row, as `KindValues` says for its column's kind. */
export type Value = string | number | bigint | boolean | null;

/** One record mapped to its stream: values in the order of `tableColumns(stream)`, `_deleted_at` left out. */
export type RowValues = readonly Value[];

/** A record that cannot be a row, with what is needed to mend it by hand. */
export interface Reject {
  /** SHA-256 of stream, record and reason, in hex: the same reject twice is one reject. */
  readonly id: string;
  /** The record as JSON text; where a database's JSON type could not hold it, that text as a JSON string. Any database's text takes it. */
  readonly record: string;
  /** Why, in words, without any value of the record. */
  readonly reason: string;
}

/** An entry of `_changes`, in Airbyte's words. */
export interface Change {
  /** The column's name. */
  readonly field: string;
  readonly change: 'NULLED' | 'TRUNCATED';
  readonly reason:
    | 'SOURCE_SERIALIZATION_ERROR'
    | 'DESTINATION_FIELD_SIZE_LIMITATION'
    | 'DESTINATION_RECORD_SIZE_LIMITATION'
    | 'DESTINATION_SERIALIZATION_ERROR'
    | 'DESTINATION_TYPECAST_ERROR';
}

/** What records became. */
export interface Mapping {
  readonly rows: readonly RowValues[];
  readonly rejects: readonly Reject[];
  /** Entries of `_changes` over all rows. */
  readonly changedFields: number;
  /** Business dates whose text is no date: kept as text, their DATE column null. */
  readonly unparsedDates: number;
}
