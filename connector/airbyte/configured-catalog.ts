import { z } from 'zod';
import { streamSchema } from '../../destinations/airbyte/json-schema.ts';
import { configError } from '../../destinations/failure.ts';
import { problemWithStream } from '../config/streams.ts';
import type { Selection } from '../sync/selection.ts';
import { readJsonFile } from './json-file.ts';

/** Which sync of which generation a full refresh belongs to; null where an older platform, or PyAirbyte, does not tell. */
const numbered = z.int().nullish().default(null);

/** The parts of a ConfiguredAirbyteCatalog that a source acts on; what else there is, it must ignore. */
const catalogSchema = z.object({
  streams: z.array(
    z.object({
      stream: z.object({
        name: z.string(),
        json_schema: z.object({ properties: z.record(z.string(), z.unknown()).default({}) }),
      }),
      sync_mode: z.string(),
      generation_id: numbered,
      sync_id: numbered,
    }),
  ),
});

/** A stream as the user has configured it. */
export interface ConfiguredStream {
  readonly name: string;
  readonly fullRefresh: boolean;
  readonly generationId: number | null;
  readonly syncId: number | null;
  /** The columns that its JSON schema names. */
  readonly columns: ReadonlySet<string>;
}

const MODES = ['full_refresh', 'incremental'];

/**
 * Reads the file that `--catalog` names.
 *
 * @throws {Failure} `config_error` for what is no catalog, a stream that nobody knows or that is there twice, and a sync mode that
 *   is not offered.
 */
export async function readConfiguredCatalog(path: string): Promise<ConfiguredStream[]> {
  const parsed = catalogSchema.safeParse(await readJsonFile('--catalog', path));
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.join('.') || 'the document';
    throw configError(`--catalog ${path} is no configured catalog (at ${where}); make it from what discover prints`);
  }
  const streams = parsed.data.streams;
  const problems = streams.flatMap(({ stream: { name }, sync_mode: mode }, at) => {
    const unknown = problemWithStream(name);
    if (unknown !== null) return [`"${name}" ${unknown}`];
    if (streams.findIndex((other) => other.stream.name === name) !== at) return [`${name} is there twice`];
    return MODES.includes(mode)
      ? []
      : [`${name}: sync mode "${mode}" is not offered; choose one of ${MODES.join(', ')}`];
  });
  if (problems.length > 0) throw configError(`--catalog: ${problems.join('; ')}`);
  return streams.map(({ stream, sync_mode: mode, generation_id: generationId, sync_id: syncId }) => ({
    name: stream.name,
    fullRefresh: mode === 'full_refresh',
    generationId,
    syncId,
    columns: new Set(Object.keys(stream.json_schema.properties)),
  }));
}

/**
 * Checks that each configured stream takes all columns that the source has: nothing is dropped on the way without a word.
 *
 * @throws {Failure} `config_error` naming the streams and the columns.
 */
export function requireAllColumns(configured: readonly ConfiguredStream[], { streams }: Selection): void {
  const problems = configured.flatMap(({ name, columns }) => {
    const found = streams.find(({ stream }) => stream.name === name);
    if (found === undefined) return [];
    const missing = Object.keys(streamSchema(found.stream).properties).filter((column) => !columns.has(column));
    return missing.length === 0 ? [] : [`${name} lacks ${missing.join(', ')}`];
  });
  if (problems.length === 0) return;
  throw configError(
    `--catalog: a stream is configured with fewer columns than it has: ${problems.join('; ')}. Refresh its schema, and select all ` +
      'of its columns',
  );
}
