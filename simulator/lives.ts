/**
 * What is known of each record besides its text, by `_id`: its times in milliseconds and how often it changed. The
 * cursor value is NaN once the record is removed.
 */
export interface Lives {
  readonly length: number;
  readonly cursor: Float64Array;
  readonly created: Float64Array;
  readonly updated: Float64Array;
  readonly version: Uint16Array;
  /** Makes room for one more record and gives its `_id`. */
  add(): number;
}

export function createLives(capacity: number): Lives {
  let length = 0;
  const make = (size: number) => ({
    cursor: new Float64Array(size),
    created: new Float64Array(size),
    updated: new Float64Array(size),
    version: new Uint16Array(size),
  });
  let columns = make(Math.max(16, capacity));

  function grow(): void {
    const larger = make(2 * columns.cursor.length);
    larger.cursor.set(columns.cursor);
    larger.created.set(columns.created);
    larger.updated.set(columns.updated);
    larger.version.set(columns.version);
    columns = larger;
  }

  return {
    get length() {
      return length;
    },
    get cursor() {
      return columns.cursor;
    },
    get created() {
      return columns.created;
    },
    get updated() {
      return columns.updated;
    },
    get version() {
      return columns.version;
    },
    add() {
      if (length === columns.cursor.length) grow();
      return length++;
    },
  };
}
