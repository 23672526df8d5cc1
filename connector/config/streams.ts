import { STREAMS } from '../../schemas/registry.ts';
import type { Stream } from '../../schemas/stream.ts';
import { didYouMean } from './nearest.ts';
import type { Config } from './schema.ts';
import { millisOf } from './time.ts';

/** The look-back of streams that neither the config nor their declaration gives another. */
const DEFAULT_LOOK_BACK = 'PT15M';

/** A stream that no file declares is offered under its dataset's code in lower case. */
const GENERIC_NAME = /^d\d{2,3}$/;

/** What is wrong with the name of a stream, or null: only what can never be a stream is. */
export function problemWithStream(name: string): string | null {
  const declared = STREAMS.find((stream) => stream.dataset.code === name.toUpperCase());
  if (declared !== undefined && declared.name !== name)
    return `is no stream: dataset ${declared.dataset.code} is called "${declared.name}"`;
  if (GENERIC_NAME.test(name)) return null;
  const names = STREAMS.map((stream) => stream.name);
  return names.includes(name) ? null : `is no stream${didYouMean(name, names)}`;
}

/** How far before its last complete instant a stream is read again, in milliseconds. */
export function lookBackMs(config: Config, stream: Pick<Stream, 'name' | 'lookBack'>): number {
  const override = config.stream_overrides.find(({ name }) => name === stream.name);
  return millisOf(override?.look_back ?? config.look_back ?? stream.lookBack ?? DEFAULT_LOOK_BACK);
}
