import { streamSchema } from '../../destinations/airbyte/json-schema.ts';
import type { Stream } from '../../schemas/stream.ts';

/** An AirbyteStream: what `discover` says of a stream. Every stream is offered alike: the API pages all of them the same way. */
export function airbyteStream(stream: Stream): object {
  return {
    name: stream.name,
    json_schema: streamSchema(stream),
    supported_sync_modes: ['full_refresh', 'incremental'],
    source_defined_cursor: true,
    default_cursor_field: [stream.cursor],
    source_defined_primary_key: stream.primaryKey.map((column) => [column]),
    is_resumable: true,
  };
}
