import { z } from 'zod';
import { destinationConfig } from '../../destinations/config.ts';
import { normalizedInstant, problemWithDuration, problemWithInstant } from './time.ts';
import { problemWithBaseUrl } from './url.ts';

/**
 * The config file: strict at run time, and the source of `spec.json`. What depends on more than one key, or on which streams
 * there are, is checked in `checks.ts`.
 */

const secret = { airbyte_secret: true };

/** A check that says what is wrong with a value, or null. */
const checked = (problemWith: (text: string) => string | null) =>
  z.string().check((context) => {
    const message = problemWith(context.value);
    if (message !== null) context.issues.push({ code: 'custom', message, input: context.value });
  });

const lookBack = checked(problemWithDuration);

const streamOverride = z.strictObject({
  name: z.string().min(1).meta({ title: 'Stream', description: 'The name of the stream that this is about.' }),
  primary_key: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .meta({ title: 'Primary key', description: 'The columns whose values tell one row from another.' }),
  look_back: lookBack.optional().meta({ title: 'Look-back', description: 'The look-back of this stream alone.' }),
});

export const configSchema = z.strictObject({
  lender: z
    .string()
    .regex(/^[^\s/?#]+$/, 'must be one word, the subdomain identifier that ClearGrid gave you')
    .meta({ title: 'Lender', description: "The lender's subdomain identifier." }),
  email: z.string().min(1).meta({ title: 'Email', description: 'The email address of the login.' }),
  password: z
    .string()
    .min(1)
    .meta({ title: 'Password', description: 'The password of the login.', ...secret }),
  environment: z
    .enum(['production', 'staging'])
    .default('production')
    .meta({ title: 'Environment', description: 'Which ClearGrid to talk to.' }),
  base_url: checked(problemWithBaseUrl).optional().meta({
    title: 'Base URL',
    description: "Scheme, host and port of the API, without a path, in place of the environment's.",
  }),
  allow_insecure_http: z.boolean().default(false).meta({
    title: 'Allow plain http',
    description: 'Lets the base URL be plain http to a host other than this one. Passwords then travel unencrypted.',
  }),
  start_date: checked(problemWithInstant)
    .transform(normalizedInstant)
    .optional()
    .meta({
      title: 'Start date',
      description: 'Nothing older, by the cursor field, is read. A date alone means midnight UTC.',
      examples: ['2025-01-01T00:00:00Z'],
      format: 'date-time',
      pattern: '^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}(:\\d{2}(\\.\\d+)?)?(Z|[+-]\\d{2}:?\\d{2})?)?$',
    }),
  streams: z.array(z.string().min(1)).min(1).optional().meta({
    title: 'Streams',
    description: 'The names of the streams to read; all that are available when left out.',
  }),
  stream_overrides: z
    .array(streamOverride)
    .default([])
    .meta({ title: 'Stream overrides', description: 'What is different for single streams.' }),
  look_back: lookBack.optional().meta({
    title: 'Look-back',
    description:
      'How far before the last complete instant each run starts reading again, as an ISO-8601 duration. ' +
      'PT15M when left out; P30D for streams whose rows change long after their cursor value.',
    examples: ['PT15M', 'P30D'],
  }),
  concurrency: z.int().min(1).max(64).default(16).meta({
    title: 'Concurrency',
    description: 'How many pages are asked for at once at most, over all streams; it adapts below that.',
  }),
  streams_at_once: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .meta({ title: 'Streams at once', description: 'How many streams are read at once.' }),
  accounts_api: z
    .enum(['v3', 'v1'])
    .default('v3')
    .meta({ title: 'Accounts API', description: 'Which version of the Accounts API accounts are sent to.' }),
  destination: destinationConfig.optional().meta({
    title: 'Destination',
    description: 'Where `sync` writes to. As an Airbyte source, leave it out.',
    airbyte_hidden: true,
  }),
});

/** A config that has been read and found good: defaults are filled in, instants are normalised. */
export type Config = Readonly<z.output<typeof configSchema>>;
