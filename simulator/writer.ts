import type { CursorField, DatasetInfo } from './datasets.ts';
import { createDifficult } from './difficult.ts';
import type { Draft, Field } from './fields.ts';
import type { Lives } from './lives.ts';
import { mix, mixText } from './random.ts';
import type { Unknowns } from './unknowns.ts';

/** JSON text by field name, which stands in for what the field would hold; `undefined` leaves the field out. */
export type Edits = Readonly<Record<string, string | undefined>>;

export interface WriterOptions {
  readonly info: DatasetInfo;
  readonly shape: readonly Field[];
  readonly seed: number;
  readonly lives: Lives;
  readonly cursorField: CursorField;
  /** Whether every third record holds a value that is hard to land. */
  readonly difficult: boolean;
  readonly unknowns: Pick<Unknowns, 'ids' | 'sharedDealKeys'>;
}

export interface Writer {
  /** The current version of a record as JSON text. */
  write(id: number): string;
  /** The record's key as its shape makes it, whatever difficult value stands in its place. */
  keyOf(id: number): string;
  /** Replaces values from now on, over earlier edits of the same record, and instead of any difficult value. */
  edit(id: number, edits: Edits): void;
}

export function createWriter(options: WriterOptions): Writer {
  const { info, shape, seed, lives, unknowns } = options;
  // Every fiftieth record has the key of the one before it, with another `created_at`.
  const sharedKeys = unknowns.sharedDealKeys && info.code === 'D16';
  const salt = mix(seed, mixText(info.code));
  const edited = new Map<number, Edits>();
  const heads = shape.map(({ name }, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  const key = shape[0] as Field;
  const keyOf = (id: number) => JSON.parse(key.make(draftOf(id))) as string;
  const difficult = options.difficult ? createDifficult(shape, options.cursorField, keyOf) : () => null;

  function draftOf(id: number): Draft {
    const version = lives.version[id] as number;
    const total = 50_000 + (mix(salt, id) % 20_000) * 250;
    const paid = Math.min(total, Math.floor((total * ((mix(salt ^ 9, id) % 90) + 3 * version)) / 25_000) * 250);
    const principal = Math.floor((total - paid) * 0.85);
    const interest = Math.floor((total - paid) * 0.12);
    return {
      salt,
      seed,
      id,
      keyId: sharedKeys && id % 50 === 1 ? id - 1 : id,
      version,
      hasRandomId: unknowns.ids === 'random',
      created: lives.created[id] as number,
      updated: lives.updated[id] as number,
      cursor: lives.cursor[id] as number,
      stable: { state: mix(salt, id) },
      live: { state: mix(salt ^ (version + 100), id) },
      total,
      paid,
      principal,
      interest,
      fee: total - paid - principal - interest,
    };
  }

  function writePlain(draft: Draft): string {
    let text = '';
    for (let at = 0; at < shape.length; at++) text += (heads[at] as string) + (shape[at] as Field).make(draft);
    return `${text}}`;
  }

  function writeEdited(draft: Draft, edits: Edits): string {
    const members = new Map(shape.map(({ name, make }): [string, string | undefined] => [name, make(draft)]));
    for (const [name, text] of Object.entries(edits)) members.set(name, text);
    const texts = [...members].flatMap(([name, text]) =>
      text === undefined ? [] : [`${JSON.stringify(name)}:${text}`],
    );
    return `{${texts.join(',')}}`;
  }

  return {
    write(id) {
      const edits = edited.get(id) ?? difficult(id);
      return edits === null ? writePlain(draftOf(id)) : writeEdited(draftOf(id), edits);
    },
    keyOf,
    edit(id, edits) {
      edited.set(id, { ...edited.get(id), ...edits });
    },
  };
}
