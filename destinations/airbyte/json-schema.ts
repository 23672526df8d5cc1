import { parsedName, type Stream } from '../../schemas/stream.ts';
import { DATE_SCHEMA, KIND_SCHEMAS, OBJECT_SCHEMA, type PropertySchema } from './kinds.ts';

export interface StreamSchema {
  readonly $schema: string;
  readonly type: 'object';
  readonly properties: Readonly<Record<string, PropertySchema>>;
  readonly additionalProperties: true;
}

/** The JSON schema of a stream's RECORDs: its columns under their warehouse names, and `_extra`. Only the key is never null. */
export function streamSchema(stream: Stream): StreamSchema {
  const own = stream.columns.flatMap(({ name, kind, description }): [string, PropertySchema][] => {
    const about = description === null ? {} : { description };
    const schema = stream.primaryKey.includes(name) ? KIND_SCHEMAS[kind] : nullable(KIND_SCHEMAS[kind]);
    const column: [string, PropertySchema] = [name, { ...schema, ...about }];
    return kind === 'businessDate' ? [column, [parsedName(name), nullable(DATE_SCHEMA)]] : [column];
  });
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: {
      ...Object.fromEntries(own),
      _extra: { ...nullable(OBJECT_SCHEMA), description: "What no column holds, by the API's names" },
    },
    additionalProperties: true,
  };
}

function nullable(schema: PropertySchema): PropertySchema {
  return { ...schema, type: ['null', ...(typeof schema.type === 'string' ? [schema.type] : schema.type)] };
}
