import { configError, type Failure, systemError } from '../../destinations/failure.ts';
import { genericStream, STREAMS, withPrimaryKey } from '../../schemas/registry.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { CatalogEntry } from '../api/catalog-reader.ts';
import type { Config } from '../config/schema.ts';
import { lookBackMs, problemWithStream } from '../config/streams.ts';
import { NotAvailable } from '../source.ts';

/** What is said of a stream that this lender has not got. */
export const SKIPPED = 'not available to this lender now; skipped';

/** What is said where the live catalog could not be read. */
export const unreadCatalog = (problem: string): string =>
  `the catalog cannot be read (${problem}); every stream is taken as available. If that lasts, report it to ClearGrid`;

/** Whether what a stream failed with only shows what a catalog that could not be read would have told. */
export function isSkipped(failure: unknown, { knowsAvailable = true }: { readonly knowsAvailable?: boolean }): boolean {
  return failure instanceof NotAvailable && !knowsAvailable;
}

/** The streams of a run, and what became of those that are not. */
export interface Selection {
  readonly streams: readonly SelectedStream[];
  /** Known but not available now: left out with a warning. */
  readonly skipped: readonly string[];
  readonly warnings: readonly string[];
}

export interface SelectedStream {
  readonly stream: Stream;
  readonly lookBackMs: number;
  /** Set when the stream must not be read: the API pages it by another field than we know. */
  readonly refused: Failure | null;
}

/**
 * Picks the streams of a run: those that the config names (all by default), those that the command line picks among them, as
 * far as the live catalog has them available. A dataset that the catalog offers and nobody has declared becomes a generic stream.
 *
 * @param catalog the live catalog's datasets, or null when it could not be read: then every declared stream is taken as available.
 * @throws {Failure} `config_error` for a name that nobody knows, with the nearest one, and for a key that cannot be one.
 */
export function selectStreams(
  config: Config,
  picked: readonly string[] | null,
  catalog: readonly CatalogEntry[] | null,
): Selection {
  const generic = (catalog ?? []).flatMap(undeclared);
  const known = [...STREAMS, ...generic];
  const wanted = picked ?? config.streams ?? known.map((stream) => stream.name);
  for (const name of wanted) requireChoice(name, config.streams ?? null);

  const isAvailable = (stream: Stream) =>
    catalog === null || catalog.some(({ code, available }) => available && code === stream.dataset.code);
  const streams = known.filter((stream) => wanted.includes(stream.name) && isAvailable(stream));
  const skipped = wanted.filter((name) => !streams.some((stream) => stream.name === name));
  return {
    streams: streams.map((stream) => select(stream, config, catalog)),
    skipped,
    warnings: [
      ...(skipped.length === 0 ? [] : [`${skipped.join(', ')}: ${SKIPPED}`]),
      ...streams.filter((stream) => generic.includes(stream)).map(newDatasetNotice),
      ...(catalog ?? []).filter((entry) => isNew(entry) && undeclared(entry).length === 0).map(unreadableNotice),
    ],
  };
}

/** The stream of a dataset that is available and not declared; none where the catalog does not tell enough to ask for it. */
function undeclared(entry: CatalogEntry): Stream[] {
  const { code, section, cursorField, name } = entry;
  if (!isNew(entry) || section === null || cursorField === null) return [];
  return [genericStream({ section, code, cursorField, name })];
}

function isNew({ available, code }: CatalogEntry): boolean {
  return available && !STREAMS.some((stream) => stream.dataset.code === code);
}

/** @param configured the config's streams, or null where it takes all. */
function requireChoice(name: string, configured: readonly string[] | null): void {
  const problem = problemWithStream(name);
  if (problem !== null) throw configError(`--streams: "${name}" ${problem}`);
  if (configured !== null && !configured.includes(name)) {
    throw configError(`--streams: ${name} is not among the config's streams; add it to "streams" there first`);
  }
}

function select(stream: Stream, config: Config, catalog: readonly CatalogEntry[] | null): SelectedStream {
  const theirs = catalog?.find(({ code }) => code === stream.dataset.code)?.cursorField ?? stream.cursor;
  const refused =
    theirs === stream.cursor
      ? null
      : systemError(
          `${stream.name}: the catalog says that it is paged by ${theirs}, and this connector pages it by ${stream.cursor}; ` +
            'look for a newer version of the connector, or report it',
        );
  return { stream: asConfigured(stream, config), lookBackMs: lookBackMs(config, stream), refused };
}

/** The stream with the key that the config gives it. @throws {Failure} `config_error` for one that cannot be a key. */
export function asConfigured(stream: Stream, config: Config): Stream {
  const key = config.stream_overrides.find(({ name }) => name === stream.name)?.primary_key;
  try {
    return key === undefined ? stream : withPrimaryKey(stream, key);
  } catch (error) {
    throw configError(`stream_overrides: ${(error as Error).message}`, error);
  }
}

function newDatasetNotice(stream: Stream): string {
  return (
    `${stream.name}: dataset ${stream.dataset.code} is new to this connector; its fields are kept in _extra until a stream ` +
    'declares them (docs/adding-a-stream.md tells how)'
  );
}

function unreadableNotice({ code, section }: CatalogEntry): string {
  return (
    `dataset ${code} is new to this connector, and the catalog does not tell its ${section === null ? 'section' : 'cursor field'}: it is not ` +
    'read until a stream declares it (docs/adding-a-stream.md tells how)'
  );
}
