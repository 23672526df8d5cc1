import type { Stream } from '../../../schemas/stream.ts';
import { sourcesYaml } from './sources.ts';
import { stagingName, stagingSql, stagingYaml } from './staging.ts';

/** The files of the dbt package that follow from the streams, by their path in the project. */
export function dbtFiles(streams: readonly Stream[]): Readonly<Record<string, string>> {
  return {
    'dbt/models/sources.yml': sourcesYaml(streams),
    'dbt/models/staging/staging.yml': stagingYaml(streams),
    ...Object.fromEntries(
      streams.map((stream) => [`dbt/models/staging/${stagingName(stream)}.sql`, stagingSql(stream)]),
    ),
  };
}
